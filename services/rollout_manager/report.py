"""Writing down what a pass comes to: the status where it differs, Kubernetes Events, and events for the bus."""

from time import monotonic
from typing import Any

from services.rollout_manager.actions import OF_WRITES, Decision, Say
from services.rollout_manager.announce import announce
from services.rollout_manager.keys import Obj, RolloutKey
from services.rollout_manager.labels import FIELD_MANAGER
from services.rollout_manager.parts import Parts
from services.rollout_manager.settling import only_counts
from shared.kube import Key, NotFound, verbs
from shared.merge import merge_patch_between


async def ahead(parts: Parts, key: RolloutKey, obj: Obj, decision: Decision) -> Obj:
    """Write where the Rollout is, and say how it came there, before anything is done that follows from it; gives the
    Rollout as it is then. Raises ApiError, Conflict where somebody spoke meanwhile.
    """
    patch = merge_patch_between(obj.get("status") or {}, decision.first or {}) if decision.first else {}
    if not patch:
        return obj
    for say in decision.says:
        if say.reason not in OF_WRITES:
            _say(parts, obj, say, decision)
    parts.settling.forget(key)
    return await _patch(parts, key, _guarded(obj, patch), subresource="status") or obj


async def report(parts: Parts, key: RolloutKey, obj: Obj, decision: Decision) -> float | None:
    """Say what was done, then write where the Rollout is now. Raises ApiError. Gives the seconds until
    what was kept back is due.

    The status is written at the version that the decision was made from: someone who spoke meanwhile is heard first.
    """
    for say in decision.says:
        if decision.first is None or say.reason in OF_WRITES:
            _say(parts, obj, say, decision)
    await _annotate(parts, key, decision)
    before: Obj = decision.first or obj.get("status") or {}
    patch = merge_patch_between(before, decision.status)
    wait = parts.settling.wait(key, before, patch, monotonic())
    if not patch or wait:
        return wait or None
    annotated = bool(decision.annotations) or decision.replicas is not None
    body = {"status": patch} if annotated else _guarded(obj, patch)
    await _patch(parts, key, body, quiet=not annotated and only_counts(before, patch), subresource="status")
    return None


def _guarded(obj: Obj, patch: Obj) -> Obj:
    """A patch of the status at the version that was seen."""
    return {"metadata": {"resourceVersion": obj["metadata"]["resourceVersion"]}, "status": patch}


async def _annotate(parts: Parts, key: RolloutKey, decision: Decision) -> None:
    """The Rollout's own annotations, and the count that it did not say: autoscalers read it."""
    body: Obj = {"metadata": {"annotations": dict(decision.annotations)}} if decision.annotations else {}
    if decision.replicas is not None:
        body["spec"] = {"replicas": decision.replicas}
    if body:
        await _patch(parts, key, body)


async def _patch(parts: Parts, key: RolloutKey, body: Obj, *, quiet: bool = False, **options: Any) -> Obj | None:
    """None: it is gone. `quiet`: no pass follows from it."""
    resource = parts.rollouts.informer.resource
    try:
        done = await verbs.patch(
            parts.cluster,
            resource,
            key.namespace,
            key.name,
            body,
            manager=FIELD_MANAGER,
            validation="Ignore",
            **options,
        )
    except NotFound:
        return None
    if quiet:
        parts.settling.wrote(key, done["metadata"]["resourceVersion"])
    parts.rollouts.note(done)
    return done


def _say(parts: Parts, obj: Obj, say: Say, decision: Decision) -> None:
    type_, metadata = "Warning" if say.warning else "Normal", obj["metadata"]
    parts.recorder.record(obj, say.reason, say.message, type_=type_)
    parts.exposed.rollouts.tell(Key(metadata["namespace"], metadata["name"]), type_, say.reason)
    if say.what:
        announce(parts, obj, say, decision.status)
