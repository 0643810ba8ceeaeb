"""Letting go of Services whose Rollout is gone: without the hash in their selector they lead to whatever comes next."""

from services.rollout_manager.keys import RolloutKey
from services.rollout_manager.labels import FIELD_MANAGER, HASH, MANAGED_BY
from services.rollout_manager.parts import Parts
from shared.kube import NotFound, verbs


async def release(parts: Parts, key: RolloutKey) -> None:
    """Raises ApiError."""
    held = [
        place.name
        for place, live in parts.services.store.items()
        if place.namespace == key.namespace and live.meta.annotations.get(MANAGED_BY) == key.name
    ]
    body = {"metadata": {"annotations": {MANAGED_BY: None}}, "spec": {"selector": {HASH: None}}}
    resource = parts.services.informer.resource
    for name in held:
        try:
            done = await verbs.patch(parts.cluster, resource, key.namespace, name, body, manager=FIELD_MANAGER)
        except NotFound:
            continue
        parts.services.note(done)
