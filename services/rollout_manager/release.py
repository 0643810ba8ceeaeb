"""Letting go of Services that a Rollout does not name any more, or whose Rollout is gone: without the hash in their
selector they lead to whatever comes next.
"""

from services.rollout_manager.keys import RolloutKey
from services.rollout_manager.labels import FIELD_MANAGER, HASH, MANAGED_BY
from services.rollout_manager.parts import Parts
from shared.kube import LiveObject, NotFound, verbs


def claims(service: LiveObject) -> list[str]:
    """The Rollout that a Service says it is managed by."""
    name = service.meta.annotations.get(MANAGED_BY)
    return [str(RolloutKey(service.meta.namespace, name))] if name else []


def claimed(parts: Parts, key: RolloutKey) -> frozenset[str]:
    return frozenset(live.meta.name for live in parts.claimed_services.of(str(key)))


async def release(parts: Parts, key: RolloutKey) -> None:
    """Let go of all that a Rollout had. Raises ApiError."""
    for name in sorted(claimed(parts, key)):
        await let_go(parts, key.namespace, name)


async def let_go(parts: Parts, namespace: str, name: str) -> None:
    """Raises ApiError."""
    body = {"metadata": {"annotations": {MANAGED_BY: None}}, "spec": {"selector": {HASH: None}}}
    resource = parts.services.informer.resource
    try:
        done = await verbs.patch(parts.cluster, resource, namespace, name, body, manager=FIELD_MANAGER)
    except NotFound:
        return
    parts.services.note(done)
