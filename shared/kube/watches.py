"""Informers on demand: one for each kind that somebody holds, started with the first holder and stopped after the last.

In: `ensure` and `release` with a holder's name. Out: informers that have listed. Their tasks belong to `running()`.
Never: an opinion about which kinds matter.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from shared.kube.discovery import Resource
from shared.kube.informer import EventType, Informer, Key

T = TypeVar("T")
OnChange = Callable[[Resource, EventType, Key, T, T | None], None]


@dataclass(slots=True)
class _Watch(Generic[T]):
    informer: Informer[T]
    task: asyncio.Task[None]
    holders: set[Hashable] = field(default_factory=set)


class Watches(Generic[T]):
    """`make` builds the informer of a resource; `on_change` gets the events of all with their resource."""

    def __init__(self, make: Callable[[Resource], Informer[T]], on_change: OnChange[T]) -> None:
        self._make = make
        self._on_change = on_change
        self._watches: dict[Resource, _Watch[T]] = {}
        self._tasks: asyncio.TaskGroup | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Watches[T]"]:
        """Hold the informers' tasks; leaving ends them."""
        async with asyncio.TaskGroup() as self._tasks:
            try:
                yield self
            finally:
                for watch in self._watches.values():
                    watch.task.cancel()
                self._watches.clear()

    def __getitem__(self, resource: Resource) -> Informer[T]:
        return self._watches[resource].informer

    def __contains__(self, resource: Resource) -> bool:
        return resource in self._watches

    def resources(self) -> tuple[Resource, ...]:
        return tuple(self._watches)

    async def ensure(self, resource: Resource, holder: Hashable = "", *, timeout: float = 60.0) -> Informer[T]:  # noqa: ASYNC109
        """Watch a resource and wait until it is listed. Raises ApiError; the watch goes on trying all the same."""
        if resource not in self._watches:
            self._watches[resource] = self._start(resource)
        watch = self._watches[resource]
        watch.holders.add(holder)
        await watch.informer.listed(timeout)
        return watch.informer

    def release(self, resource: Resource, holder: Hashable = "") -> None:
        """Let go of a resource; with the last holder its watch ends."""
        watch = self._watches.get(resource)
        if watch is None:
            return
        watch.holders.discard(holder)
        if not watch.holders:
            watch.task.cancel()
            del self._watches[resource]

    def _start(self, resource: Resource) -> _Watch[T]:
        if self._tasks is None:
            raise RuntimeError("use it inside `async with watches.running()`")
        informer = self._make(resource)

        def on_event(type_: EventType, key: Key, obj: T, old: T | None) -> None:
            self._on_change(resource, type_, key, obj, old)

        return _Watch(informer, self._tasks.create_task(informer.run(on_event), name=f"watch {resource.plural}"))
