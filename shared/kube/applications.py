"""The Applications of the namespaces that count, kept current while the list of these namespaces changes.

In: `application.namespaces` as the setting and argocd-cmd-params-cm give it. Out: an informer's calls, as if the
Applications of other namespaces did not exist: one that is no longer listed is reported as deleted, a newly listed one
as added. One namespace is watched when that is enough, all only when others are listed; a wider watch takes over when
it has listed everything, so that one which is forbidden costs nothing.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import orjson

from shared.kinds.appnamespaces import CONFIG_MAP, KEY, AppNamespaces
from shared.kube.client import Cluster
from shared.kube.discovery import Resource
from shared.kube.informer import EventType, Informer, Key, OnEvent
from shared.telemetry import get_logger

T = TypeVar("T")
CONFIG_MAPS = Resource("", "v1", "ConfigMap", "configmaps", True)
log = get_logger()


class Applications(Generic[T]):
    """`namespaces`: those that count now. `synced`: the first whole list is in."""

    def __init__(
        self, cluster: Cluster, resource: Resource, decode: Callable[[bytes], T], *, own: str, given: str
    ) -> None:
        self.resource = resource
        self.namespaces = AppNamespaces.read(own, given)
        self.synced = asyncio.Event()
        self._cluster = cluster
        self._decode = decode
        self._own, self._given = own, given
        self._told: dict[Key, T] = {}
        self._current: Informer[T] | None = None
        self._changed = asyncio.Event()

    def items(self) -> list[tuple[Key, T]]:
        """Give every Application that counts now."""
        return list(self._told.items())

    async def run(self, on_event: OnEvent[T]) -> None:
        """List and watch until cancelled."""
        params: Informer[dict[str, Any]] = Informer(
            self._cluster,
            CONFIG_MAPS,
            orjson.loads,
            namespace=self._own,
            field_selector=f"metadata.name={CONFIG_MAP}",
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(params.run(self._take_params))
            await params.synced.wait()
            await self._follow(tasks, on_event)

    def _take_params(self, type_: EventType, _key: Key, obj: dict[str, Any], _old: object) -> None:
        listed = "" if type_ is EventType.DELETED else (obj.get("data") or {}).get(KEY, "")
        found = AppNamespaces.read(self._own, self._given, str(listed))
        if found != self.namespaces:
            self.namespaces = found
            log.info("Applications count in these namespaces", own=found.own, others=found.others)
            self._changed.set()

    async def _follow(self, tasks: asyncio.TaskGroup, on_event: OnEvent[T]) -> None:
        scope, watching = self.namespaces.watched, None
        while True:
            self._changed.clear()
            if watching is None or scope != self.namespaces.watched:
                scope, before = self.namespaces.watched, watching
                informer, watching = self._start(tasks, scope, on_event)
                await informer.synced.wait()
                self._current = informer
                if before is not None:
                    before.cancel()
            self._review(on_event)
            self.synced.set()
            await self._changed.wait()

    def _start(
        self, tasks: asyncio.TaskGroup, scope: str | None, on_event: OnEvent[T]
    ) -> tuple[Informer[T], asyncio.Task[None]]:
        informer = Informer(self._cluster, self.resource, self._decode, namespace=scope)

        def take(type_: EventType, key: Key, obj: T, _old: T | None) -> None:
            if informer is self._current:
                self._tell(on_event, key, None if type_ is EventType.DELETED else obj)

        return informer, tasks.create_task(informer.run(take))

    def _review(self, on_event: OnEvent[T]) -> None:
        """Tell what differs between what was told and what counts now."""
        store = self._current.store if self._current else {}
        for key in self._told.keys() - store.keys():
            self._tell(on_event, key, None)
        for key, obj in list(store.items()):
            if self._told.get(key) is not obj or not self.namespaces.includes(key.namespace):
                self._tell(on_event, key, obj)

    def _tell(self, on_event: OnEvent[T], key: Key, obj: T | None) -> None:
        old = self._told.get(key)
        if obj is None or not self.namespaces.includes(key.namespace):
            if old is not None:
                del self._told[key]
                on_event(EventType.DELETED, key, old, old)
            return
        self._told[key] = obj
        on_event(EventType.ADDED if old is None else EventType.MODIFIED, key, obj, old)
