"""One destination cluster: which kinds it knows, what lives there, and the writes, each of which updates what is known
at once.

In: kinds to watch, objects to apply and delete. Out: `LiveObjects`, kept current by one informer for each kind that
is held. A kind is watched from the first Application that holds it; what could not be listed raises instead of
looking empty.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import orjson

from services.reconciler.live import Live, LiveObjects, OnChange
from shared.health import Health
from shared.kinds.refs import GVK, GroupKind, ResourceKey
from shared.kinds.tracking import Tracking
from shared.kube import Cluster, Discovery, EventType, Informer, NotFound, Resource, UnknownKind, compact, verbs

Obj = dict[str, Any]
Assess = Callable[[Live], Awaitable[Health | None]]
FIRST_LIST_TIMEOUT = 60.0


class Destination:
    """A cluster that Applications are delivered to. Runs its informers in the task group that it is given.

    `assess` gives the health of one of its objects.
    """

    def __init__(
        self,
        cluster: Cluster,
        tasks: asyncio.TaskGroup,
        *,
        server: str,
        tracking: Callable[[], Tracking],
        on_change: OnChange,
        assess: Assess,
        concurrency: int,
    ) -> None:
        self.assess = assess
        self.cluster = cluster
        self.server = server
        self.discovery = Discovery(cluster)
        self.live = LiveObjects(tracking, self._changed(on_change))
        self._tasks = tasks
        self._informers: dict[GroupKind, tuple[Informer[Live], asyncio.Task[None]]] = {}
        self._next: asyncio.Future[None] | None = None
        self.namespaces: set[str] = set()
        self._writes = asyncio.Semaphore(concurrency)

    def _changed(self, on_change: OnChange) -> OnChange:
        def changed(key: ResourceKey, new: Any, old: Any) -> None:
            on_change(key, new, old)
            if self._next is not None and not self._next.done():
                self._next.set_result(None)

        return changed

    async def stop(self) -> None:
        """End the informers."""
        tasks = [task for _, task in self._informers.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._informers.clear()

    def next_change(self) -> asyncio.Future[None]:
        """Give a future that is done when anything in the cluster has changed after this call."""
        if self._next is None or self._next.done():
            self._next = asyncio.get_running_loop().create_future()
        return asyncio.shield(self._next)

    async def resource(self, gvk: GVK | GroupKind) -> Resource:
        """Give the API resource of a kind. Raises UnknownKind, ApiError."""
        version = gvk.version if isinstance(gvk, GVK) else None
        return await self.discovery.resource(gvk.group, gvk.kind, version)

    async def ensure(self, kinds: Iterable[GroupKind]) -> frozenset[GroupKind]:
        """Watch these kinds and wait until each has been listed. Gives those that the cluster does not know.

        Raises ApiError when a list fails or does not end in time.
        """
        missing = []
        unknown = []
        for kind in set(kinds) - self._informers.keys():
            try:
                missing.append((kind, await self.resource(kind)))
            except UnknownKind:
                unknown.append(kind)
        for kind, resource in missing:
            if kind not in self._informers:
                self._informers[kind] = self._start(kind, resource)
        await self._listed([self._informers[kind][0] for kind in set(kinds) & self._informers.keys()])
        return frozenset(unknown)

    async def _listed(self, informers: list[Informer[Live]]) -> None:
        waiting = [informer.listed(FIRST_LIST_TIMEOUT) for informer in informers if not informer.synced.is_set()]
        if waiting:
            await asyncio.gather(*waiting)

    def _start(self, kind: GroupKind, resource: Resource) -> tuple[Informer[Live], asyncio.Task[None]]:
        def decode(raw: bytes) -> Live:
            obj = orjson.loads(raw)
            return self.live.read(kind, obj["apiVersion"], obj, raw)

        def take(type_: EventType, _key: tuple[str, str], live: Live, _old: Live | None) -> None:
            if type_ is EventType.DELETED:
                self.live.drop(live.key, live.uid)
            else:
                self.live.put(live)

        informer = Informer(self.cluster, resource, decode)
        return informer, self._tasks.create_task(informer.run(take))

    async def apply(self, obj: Obj, *, manager: str, dry_run: bool = False) -> Obj:
        """Server-side-apply an object; what came back is known at once. Raises ApiError, UnknownKind."""
        gvk = GVK.of(obj)
        resource = await self.resource(gvk)
        async with self._writes:
            done = await verbs.apply(self.cluster, resource, obj, manager=manager, force=True, dry_run=dry_run)
        if not dry_run and gvk.group_kind in self._informers:
            self._informers[gvk.group_kind][0].note(compact(done))
        return done

    async def fetch(self, key: ResourceKey, version: str) -> Obj | None:
        """Read one object at a version; None when it does not exist. Raises ApiError, UnknownKind."""
        resource = await self.resource(GVK(key.group, version, key.kind))
        try:
            return await verbs.get(self.cluster, resource, key.namespace, key.name)
        except NotFound:
            return None

    async def has_namespace(self, name: str) -> bool:
        """Tell whether a namespace exists; one that was seen is not asked for again."""
        if name not in self.namespaces and await self.fetch(ResourceKey("", "Namespace", "", name), "v1") is None:
            return False
        self.namespaces.add(name)
        return True

    async def delete(self, key: ResourceKey, *, uid: str, propagation: str) -> None:
        """Delete the object that has this uid; one that is gone already is no error. Raises ApiError, UnknownKind."""
        resource = await self.resource(GroupKind(key.group, key.kind))
        async with self._writes:
            try:
                await verbs.delete(self.cluster, resource, key.namespace, key.name, propagation=propagation, uid=uid)
            except NotFound:
                self.live.drop(key, uid)
