"""ReplicaSets as a pass sees them, and which of them has the template that is wanted. Pure, but for hashing."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import orjson

from services.rollout_manager.keys import Obj
from services.rollout_manager.labels import REVISION, SCALE_DOWN_DEADLINE
from services.rollout_manager.observed import ReplicaSet
from services.rollout_manager.replicaset import hash_of, original_template
from shared.engines import pods
from shared.engines.client import Engines
from shared.engines.errors import EngineError
from shared.kube import LiveObject

REMEMBERED = 4096


def whole(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def replica_set(live: LiveObject) -> ReplicaSet:
    obj = live.load()
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    desired = 1 if spec.get("replicas") is None else whole(spec["replicas"])
    revision = live.meta.annotations.get(REVISION, "")
    return ReplicaSet(
        name=live.meta.name,
        hash=hash_of(obj),
        desired=desired,
        replicas=whole(status.get("replicas")),
        ready=whole(status.get("readyReplicas")),
        available=whole(status.get("availableReplicas")),
        revision=int(revision) if revision.isdecimal() else 0,
        created=live.meta.creationTimestamp,
        uid=live.meta.uid,
        deadline=live.meta.annotations.get(SCALE_DOWN_DEADLINE, ""),
        annotations=live.meta.annotations,
        failure=_failure(status),
        obj=obj,
    )


def _failure(status: Obj) -> str:
    found = (one for one in status.get("conditions") or () if one.get("type") == "ReplicaFailure")
    return next((str(one.get("message") or "") for one in found if one.get("status") == "True"), "")


@dataclass(frozen=True)
class Template:
    """What Kubernetes' code says of a pod template: all hashes that it may go by, ours first, and what is wrong."""

    hashes: tuple[str, ...]
    problems: tuple[str, ...]


@dataclass
class Templates:
    """Asks the engines once for each template."""

    engines: Engines
    _known: OrderedDict[tuple[bytes, int | None], Template] = field(default_factory=OrderedDict)

    async def of(self, template: Obj, collisions: int | None) -> Template:
        """Raises EngineFailure when the engines can't be asked; a bad template has problems instead."""
        key = (orjson.dumps(template, option=orjson.OPT_SORT_KEYS), collisions)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = await self._ask(*key)
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return found

    async def _ask(self, data: bytes, collisions: int | None) -> Template:
        try:
            problems = await pods.problems(self.engines, data)
            hashes = (
                await pods.rollout_hash(self.engines, data, collisions),
                await pods.rollout_hash(self.engines, data, collisions, legacy=True),
                await pods.template_hash(self.engines, data, collisions),
            )
        except EngineError as error:
            return Template((), (f"spec.template: {error.message}",))
        return Template(hashes, tuple(f"{one.field}: {one.kind}: {one.message}" for one in problems))

    async def same(self, template: Obj, sets: tuple[ReplicaSet, ...]) -> ReplicaSet | None:
        """The ReplicaSet made from the same template by a controller that hashes in another way."""
        wanted = await self._plain(template)
        for one in sorted(sets, key=lambda one: one.created):
            if await self._plain(original_template(one.obj)) == wanted:
                return one
        return None

    async def _plain(self, template: Obj) -> Any:
        data = orjson.loads(await pods.with_defaults(self.engines, orjson.dumps(template)))
        (data.get("metadata") or {}).pop("creationTimestamp", None)
        return data


async def wanted_hash(templates: Templates, template: Obj, found: Template, sets: tuple[ReplicaSet, ...]) -> str:
    """The hash of the ReplicaSet that has the template, however it was hashed; else the hash for a new one."""
    known = {one.hash for one in sets}
    by_hash = next((hash_ for hash_ in found.hashes if hash_ in known), None)
    if by_hash is not None:
        return by_hash
    same = await templates.same(template, sets) if sets else None
    return same.hash if same is not None and same.hash else found.hashes[0]
