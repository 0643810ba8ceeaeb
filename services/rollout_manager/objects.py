"""The cluster as the rollout manager sees it: one informer for each kind that somebody asked for, and who reads what.

In: kinds and names. Out: `Watch`es, whose listeners hear every change, and live objects. A kind is watched from the
first time it is asked for; each `Interest` says which keys of a queue an object's change concerns. What we wrote is
`note`d, so that the next pass sees it without waiting for the watch. Never: a write.
"""

import asyncio
from collections.abc import Callable, Hashable, Iterable
from typing import Generic, TypeVar

import orjson

from services.rollout_manager.keys import Obj, Ref
from shared.kube import Cluster, Discovery, EventType, Informer, Key, LiveObject, NotFound, live_object, verbs

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")
Listener = Callable[[EventType, Key, LiveObject, LiveObject | None], None]


class Watch:
    """One kind's objects, kept current; several may listen."""

    def __init__(self, informer: Informer[LiveObject]) -> None:
        self.informer = informer
        self.listeners: list[Listener] = []

    @property
    def store(self) -> dict[Key, LiveObject]:
        return self.informer.store

    def note(self, obj: Obj) -> None:
        """Take the answer of a write as news."""
        self.informer.note(orjson.dumps(obj))

    def hear(self, type_: EventType, key: Key, obj: LiveObject, old: LiveObject | None) -> None:
        for listener in self.listeners:
            listener(type_, key, obj, old)


def controllers(obj: LiveObject) -> list[str]:
    return [owner.uid for owner in obj.meta.ownerReferences if owner.controller]


class Owned:
    """A watch's objects by the uid of their controller, or what else `by` names as their owners, so that a pass finds
    its own without looking at all.
    """

    def __init__(self, watch: Watch, by: Callable[[LiveObject], list[str]] = controllers) -> None:
        self._watch = watch
        self._by = by
        self._keys: dict[str, set[Key]] = {}
        for key, obj in watch.store.items():
            self._add(key, obj)
        watch.listeners.insert(0, self._hear)

    def of(self, owner: str) -> list[LiveObject]:
        return [self._watch.store[key] for key in sorted(self._keys.get(owner, ())) if key in self._watch.store]

    def _hear(self, type_: EventType, key: Key, obj: LiveObject, old: LiveObject | None) -> None:
        if old is not None:
            for owner in self._by(old):
                self._keys.get(owner, set()).discard(key)
        if type_ is not EventType.DELETED:
            self._add(key, obj)
        for owner in {*self._by(obj), *(self._by(old) if old is not None else ())}:
            if not self._keys.get(owner, True):
                del self._keys[owner]

    def _add(self, key: Key, obj: LiveObject) -> None:
        for owner in self._by(obj):
            self._keys.setdefault(owner, set()).add(key)


class Interest(Generic[K]):
    """Which keys read which objects; `wake` is called for each of them when one changes."""

    def __init__(self, wake: Callable[[K], None]) -> None:
        self._wake = wake
        self._readers: dict[Ref, set[K]] = {}
        self._refs: dict[K, frozenset[Ref]] = {}

    def set(self, key: K, refs: Iterable[Ref]) -> None:
        """Say all that a key reads now; nothing: forget it."""
        after, before = frozenset(refs), self._refs.pop(key, frozenset())
        for gone in before - after:
            self._readers[gone].discard(key)
            if not self._readers[gone]:
                del self._readers[gone]
        for come in after - before:
            self._readers.setdefault(come, set()).add(key)
        if after:
            self._refs[key] = after

    def readers(self, ref: Ref) -> frozenset[K]:
        return frozenset(self._readers.get(ref, ()))

    def changed(self, ref: Ref) -> None:
        for key in self.readers(ref):
            self._wake(key)


class Objects:
    """All watches of one cluster, or of one namespace of it."""

    def __init__(self, cluster: Cluster, discovery: Discovery, tasks: asyncio.TaskGroup, namespace: str = "") -> None:
        self.cluster = cluster
        self.discovery = discovery
        self.namespace = namespace
        self._tasks = tasks
        self._watches: dict[tuple[str, str], Watch] = {}
        self._starting: dict[tuple[str, str], asyncio.Lock] = {}
        self._interests: list[Interest[Hashable]] = []

    def interest(self, wake: Callable[[K], None]) -> Interest[K]:
        made: Interest[K] = Interest(wake)
        self._interests.append(made)  # type: ignore[arg-type]  # each is only ever called with refs
        return made

    async def watch(self, group: str, kind: str, *, label_selector: str | None = None) -> Watch:
        """The watch of a kind, listed. Raises UnknownKind or ApiError, and may be asked again then."""
        known = self._watches.get((group, kind))
        if known is None:
            async with self._starting.setdefault((group, kind), asyncio.Lock()):
                known = self._watches.get((group, kind)) or await self._listed(group, kind, label_selector)
                self._watches[group, kind] = known
        return known

    async def _listed(self, group: str, kind: str, label_selector: str | None) -> Watch:
        resource = await self.discovery.resource(group, kind)
        informer = Informer(
            self.cluster, resource, live_object, namespace=self.namespace or None, label_selector=label_selector
        )
        made = Watch(informer)

        def hear(type_: EventType, key: Key, obj: LiveObject, old: LiveObject | None) -> None:
            made.hear(type_, key, obj, old)
            ref = Ref(group, kind, *key)
            for interest in self._interests:
                interest.changed(ref)

        await self.start(informer, hear)
        return made

    async def start(self, informer: Informer[T], hear: Callable[[EventType, Key, T, T | None], None]) -> None:
        """Run an informer for as long as we run; returns when its first list is in. Raises ApiError."""
        running = self._tasks.create_task(informer.run(hear))
        try:
            await informer.listed()
        except BaseException:
            running.cancel()
            raise

    async def get(self, ref: Ref) -> Obj | None:
        """An object as it lives; None: there is none. Raises UnknownKind or ApiError."""
        if self.namespace and ref.namespace not in {"", self.namespace}:
            return await self.fetch(ref)
        found = (await self.watch(ref.group, ref.kind)).store.get(Key(ref.namespace, ref.name))
        return found.load() if found else None

    async def fetch(self, ref: Ref) -> Obj | None:
        """An object asked for once, without watching its kind."""
        resource = await self.discovery.resource(ref.group, ref.kind)
        try:
            return await verbs.get(self.cluster, resource, ref.namespace, ref.name)
        except NotFound:
            return None
