"""ReplicaSets that left our watch and are still there: somebody took away the label that we watch by.

A watch by label calls that a deletion. So what goes from the watch, and what a status names but no watch shows, is
asked for by name, and counts on; the pass puts the label back. Only what is gone costs a request.
"""

import orjson

from services.rollout_manager.keys import Obj, Ref, RolloutKey
from services.rollout_manager.objects import Objects
from services.rollout_manager.observed import ReplicaSet
from services.rollout_manager.replicaset import name_of
from services.rollout_manager.sets import replica_set
from services.rollout_manager.state import mapping, text
from shared.kinds.rollout import Rollout
from shared.kube import LiveObject, live_object


class Strays:
    """The names of what went from the watch, until somebody has looked."""

    def __init__(self) -> None:
        self._names: dict[RolloutKey, set[str]] = {}

    def gone(self, key: RolloutKey, name: str) -> None:
        self._names.setdefault(key, set()).add(name)

    def of(self, key: RolloutKey) -> frozenset[str]:
        return frozenset(self._names.get(key, ()))

    def found(self, key: RolloutKey, name: str) -> None:
        """It is watched again, or there is none."""
        left = self._names.pop(key, set()) - {name}
        if left:
            self._names[key] = left

    def forget(self, key: RolloutKey) -> None:
        self._names.pop(key, None)


async def missing(
    objects: Objects, strays: Strays, rollout: Rollout, obj: Obj, sets: tuple[ReplicaSet, ...]
) -> tuple[ReplicaSet, ...]:
    """A Rollout's ReplicaSets that no watch shows. Raises ApiError."""
    key = RolloutKey(rollout.metadata.namespace, rollout.metadata.name)
    watched = {one.name for one in sets}
    for name in strays.of(key) & watched:
        strays.found(key, name)
    hashes = (text(mapping(obj, "status"), field) for field in ("stableRS", "currentPodHash"))
    names = {name_of(key.name, hash_) for hash_ in hashes if hash_} | strays.of(key)
    found: list[ReplicaSet] = []
    for name in sorted(names - watched):
        there = await objects.fetch(Ref("apps", "ReplicaSet", key.namespace, name))
        live = live_object(orjson.dumps(there)) if there is not None else None
        if live is not None and owned(live, rollout) and live.meta.deletionTimestamp is None:
            found.append(replica_set(live))
        else:
            strays.found(key, name)
    return tuple(found)


def owned(live: LiveObject, rollout: Rollout) -> bool:
    return any(owner.controller and owner.uid == rollout.metadata.uid for owner in live.meta.ownerReferences)
