"""What lives in one destination cluster, of the kinds that Applications hold: one informer a kind, objects found by key
and by tracking.

In: informers' events. Out: `Live` objects, and a call for every change. The bodies are kept as bytes and read only
when compared. Never: a decision. A kind that could not be listed is unknown, never empty: `get` and `tracked` may be
asked only after `ensure`.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson

from shared.kinds.refs import GroupKind, ResourceKey
from shared.kinds.tracking import Tracking, owner_of

Obj = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Live:
    """One object. `instance` is the Application that its tracking names, `owned` says that a controller made it."""

    key: ResourceKey
    api_version: str
    uid: str
    version: int
    instance: str
    owned: bool
    deleting: bool
    raw: bytes

    def load(self) -> Obj:
        """Parse the body, a new dict each time."""
        obj: Obj = orjson.loads(self.raw)
        return obj


OnChange = Callable[[ResourceKey, Live | None, Live | None], None]
Changes = asyncio.Queue[tuple[ResourceKey, Live | None]]


class LiveObjects:
    """The objects of one cluster."""

    def __init__(self, tracking: Callable[[], Tracking], on_change: OnChange) -> None:
        self._tracking = tracking
        self._on_change = on_change
        self._objects: dict[ResourceKey, Live] = {}
        self._tracked: dict[str, set[ResourceKey]] = defaultdict(set)
        self._followers: dict[ResourceKey, list[Changes]] = {}

    def __len__(self) -> int:
        return len(self._objects)

    def get(self, key: ResourceKey) -> Live | None:
        """Give one object, None when it does not exist."""
        return self._objects.get(key)

    def tracked(self, instance: str) -> Iterable[ResourceKey]:
        """Give the objects whose tracking names this Application and themselves."""
        return tuple(self._tracked.get(instance, ()))

    def read(self, kind: GroupKind, api_version: str, obj: Obj, raw: bytes) -> Live:
        """Make a `Live` of what the API server sent."""
        metadata = obj.get("metadata") or {}
        key = ResourceKey(kind.group, kind.kind, metadata.get("namespace") or "", metadata.get("name") or "")
        return Live(
            key,
            api_version,
            str(metadata.get("uid", "")),
            int(metadata.get("resourceVersion") or 0),
            owner_of(key, metadata, self._tracking()) or "",
            bool(metadata.get("ownerReferences")),
            bool(metadata.get("deletionTimestamp")),
            raw,
        )

    def put(self, new: Live) -> None:
        """Take a newer state of an object; an older one than is known changes nothing."""
        old = self._objects.get(new.key)
        if old is not None and old.uid == new.uid and new.version <= old.version:
            return
        self._objects[new.key] = new
        self._track(new.key, old, new)
        self._changed(new.key, new, old)

    def drop(self, key: ResourceKey, uid: str = "") -> None:
        """Take the news that an object is gone; with `uid`, only if it is that very object."""
        old = self._objects.get(key)
        if old is None or (uid and old.uid != uid):
            return
        del self._objects[key]
        self._track(key, old, None)
        self._changed(key, None, old)

    @contextmanager
    def follow(self, keys: Iterable[ResourceKey], changes: Changes) -> Iterator[None]:
        """Have every state that these objects go through put into `changes`, in order and none left out.

        A change costs those who follow that object, whoever else waits for something.
        """
        followed = tuple(keys)
        for key in followed:
            self._followers.setdefault(key, []).append(changes)
        try:
            yield
        finally:
            for key in followed:
                self._followers[key].remove(changes)
                if not self._followers[key]:
                    del self._followers[key]

    def _changed(self, key: ResourceKey, new: Live | None, old: Live | None) -> None:
        for changes in self._followers.get(key, ()):
            changes.put_nowait((key, new))
        self._on_change(key, new, old)

    def _track(self, key: ResourceKey, old: Live | None, new: Live | None) -> None:
        before, after = old.instance if old else "", new.instance if new else ""
        if before == after:
            return
        if before:
            self._tracked[before].discard(key)
            if not self._tracked[before]:
                del self._tracked[before]
        if after:
            self._tracked[after].add(key)

    def forget(self, kind: GroupKind) -> None:
        """Drop everything of a kind that is no longer watched, without telling anyone."""
        for key in [key for key in self._objects if key.group_kind == kind]:
            self._track(key, self._objects.pop(key), None)
