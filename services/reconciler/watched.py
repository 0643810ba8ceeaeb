"""The kinds that are watched in one destination cluster: one informer for a kind, or one for each namespace of it where
the cluster's Secret names namespaces.

In: kinds that Applications hold. Out: every object and change of them, handed on decoded. A kind is watched from the
first Application that holds it. What could not be listed raises instead of looking empty; a kind that we may not
list is left out where the settings respect RBAC, and its objects are then read one by one (destination.py).
"""

import asyncio
from collections.abc import Callable, Iterable
from contextvars import Context
from time import monotonic

import orjson

from services.reconciler.live import Live, LiveObjects
from services.reconciler.reach import Reach
from shared.kinds.refs import GroupKind
from shared.kube import Cluster, EventType, Forbidden, Informer, Resource
from shared.telemetry import get_logger

log = get_logger()
FIRST_LIST_TIMEOUT = 60.0
LEFT_OUT_SECONDS = 300.0


class Watched:
    """One cluster's informers, run in the task group that it is given."""

    def __init__(self, cluster: Cluster, tasks: asyncio.TaskGroup, reach: Reach, live: LiveObjects) -> None:
        self.left_out: dict[GroupKind, float] = {}
        self._cluster = cluster
        self._tasks = tasks
        self._reach = reach
        self._live = live
        self._informers: dict[GroupKind, dict[str | None, tuple[Informer[Live], asyncio.Task[None]]]] = {}

    def __len__(self) -> int:
        """How many kinds are watched."""
        return len(self._informers)

    def __contains__(self, kind: GroupKind) -> bool:
        return kind in self._informers

    def missing(self, kinds: Iterable[GroupKind]) -> list[GroupKind]:
        """Give the kinds that are neither watched nor left out for now."""
        now = monotonic()
        return [
            kind for kind in set(kinds) - self._informers.keys() if self.left_out.get(kind, 0) + LEFT_OUT_SECONDS < now
        ]

    def begin(self, kind: GroupKind, resource: Resource) -> None:
        """Watch a kind from now on."""
        self.left_out.pop(kind, None)
        if kind not in self._informers:
            self._informers[kind] = {
                place: self._start(kind, resource, place) for place in self._reach.places(resource)
            }

    async def listed(self, kinds: Iterable[GroupKind], *, respect_rbac: bool) -> None:
        """Wait until each of the kinds has been listed. Raises ApiError when a list fails or does not end in time."""
        waiting = [(kind, one) for kind in kinds for one in self._unlisted(kind)]
        if not waiting:
            return
        results = await asyncio.gather(*(one.listed(FIRST_LIST_TIMEOUT) for _, one in waiting), return_exceptions=True)
        for (kind, _), result in zip(waiting, results, strict=True):
            if isinstance(result, Forbidden) and respect_rbac:
                self._leave_out(kind, result)
            elif isinstance(result, BaseException):
                raise result

    def _unlisted(self, kind: GroupKind) -> list[Informer[Live]]:
        return [one for one, _ in self._informers.get(kind, {}).values() if not one.synced.is_set()]

    def _leave_out(self, kind: GroupKind, why: Forbidden) -> None:
        for _, task in self._informers.pop(kind, {}).values():
            task.cancel()
        self._live.forget(kind)
        self.left_out[kind] = monotonic()
        log.info("a kind that may not be listed is left out", kind=str(kind), why=why.message)

    def _start(
        self, kind: GroupKind, resource: Resource, place: str | None
    ) -> tuple[Informer[Live], asyncio.Task[None]]:
        informer = Informer(self._cluster, resource, self._decoder(kind), namespace=place)
        return informer, self._tasks.create_task(informer.run(self._take), context=Context())

    def _decoder(self, kind: GroupKind) -> Callable[[bytes], Live]:
        def decode(raw: bytes) -> Live:
            obj = orjson.loads(raw)
            return self._live.read(kind, obj["apiVersion"], obj, raw)

        return decode

    def _take(self, type_: EventType, _key: tuple[str, str], live: Live, _old: Live | None) -> None:
        if type_ is EventType.DELETED:
            self._live.drop(live.key, live.uid)
        else:
            self._live.put(live)

    def note(self, kind: GroupKind, namespace: str, raw: bytes) -> None:
        """Take the answer of a write as if the watch had brought it already."""
        informers = self._informers.get(kind, {})
        found = informers.get(namespace) or informers.get(None)
        if found is not None:
            found[0].note(raw)

    async def stop(self) -> None:
        """End the informers."""
        tasks = [task for places in self._informers.values() for _, task in places.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._informers.clear()
