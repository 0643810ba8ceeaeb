"""The status that a decision leads to: counts, hashes, where it is, conditions, phase and message. Pure.

Fields that we don't know stay as they are; one that is None here is taken away.
"""

from datetime import datetime

from services.rollout_manager import conditions, progress
from services.rollout_manager.actions import Say
from services.rollout_manager.draft import Draft
from services.rollout_manager.duration import duration
from services.rollout_manager.keys import Obj
from services.rollout_manager.labels import HASH
from services.rollout_manager.observed import ReplicaSet
from services.rollout_manager.state import RUN_FIELDS, entries, mapping
from services.rollout_manager.weights import pointed
from shared.kinds.rollout import LabelSelector


def build(draft: Draft) -> Obj:
    before = mapping(draft.seen.obj, "status")
    state, is_canary = draft.state, draft.is_canary
    after: Obj = {
        **before,
        **progress.counts(draft),
        "observedGeneration": str(draft.seen.rollout.metadata.generation),
        "workloadObservedGeneration": str(draft.seen.workload.generation) if draft.seen.workload else None,
        "currentPodHash": state.current_hash,
        "currentStepHash": state.step_hash or None,
        "currentStepIndex": state.index if is_canary else None,
        "stableRS": state.stable or None,
        "abort": state.abort or None,
        "abortedAt": state.aborted_at or None if state.abort else None,
        "pauseConditions": [{"reason": why, "startTime": since} for why, since in state.pauses.items()] or None,
        "controllerPause": state.controller_pause or None,
        "promoteFull": (state.promote_full and not draft.promoted) or None,
        "restartedAt": state.restarted_at or None,
        "collisionCount": state.collisions,
        "duration": duration(draft, before) or None,
        "canary": _canary(draft, before) if is_canary else {},
        "blueGreen": {} if is_canary else _blue_green(draft, before),
        **_scale(draft),
    }
    after["conditions"] = conditions.of(draft)
    after["phase"], after["message"] = conditions.phase(draft, after["conditions"])
    after["message"] = after["message"] or None
    return after


def _runs(draft: Draft, part: str) -> Obj:
    found: Obj = {}
    for type_, (where, field) in RUN_FIELDS.items():
        if where == part:
            run = draft.state.runs.get(type_)
            found[field] = {name: value for name, value in run.items() if value} if run else None
    return found


def _canary(draft: Draft, before: Obj) -> Obj:
    return {
        **mapping(before, "canary"),
        "weights": draft.state.weights,
        "stablePingPong": draft.state.ping_pong or None,
        "currentExperiment": draft.state.experiment or None,
        **_runs(draft, "canary"),
    }


def _blue_green(draft: Draft, before: Obj) -> Obj:
    spec = draft.blue_green
    return {
        **mapping(before, "blueGreen"),
        "activeSelector": pointed(draft, spec.active_service) or None,
        "previewSelector": pointed(draft, spec.preview_service) or None,
        "scaleUpPreviewCheckPoint": draft.state.check_point or None,
        **_runs(draft, "blueGreen"),
    }


def _scale(draft: Draft) -> Obj:
    """What the scale subresource gives to autoscalers."""
    selector = draft.seen.rollout.spec.selector
    active = None if draft.is_canary else draft.seen.by_hash(pointed(draft, draft.blue_green.active_service))
    sets: tuple[ReplicaSet, ...] = draft.seen.sets if active is None else (active,)
    extra = {} if active is None else {HASH: active.hash}
    return {"HPAReplicas": sum(one.replicas for one in sets), "selector": selector_text(selector, extra)}


def selector_text(selector: LabelSelector | None, extra: dict[str, str]) -> str:
    """A selector as kubectl takes it."""
    labels = {**(selector.match_labels if selector else {}), **extra}
    parts = [f"{name}={value}" for name, value in sorted(labels.items())]
    for rule in selector.match_expressions if selector else ():
        values = f" ({','.join(sorted(rule.values))})" if rule.values else ""
        operator = {"In": " in", "NotIn": " notin"}.get(rule.operator)
        parts.append(
            f"{rule.key}{operator}{values}" if operator else f"{'!' * (rule.operator == 'DoesNotExist')}{rule.key}"
        )
    return ",".join(parts)


def invalid(obj: Obj, problems: tuple[str, ...], now: datetime) -> tuple[Obj, tuple[Say, ...]]:
    """The status of a Rollout that can't be carried out: all that is wrong, everything else as it was."""
    before = mapping(obj, "status")
    name, generation = (obj.get("metadata") or {}).get("name"), (obj.get("metadata") or {}).get("generation")
    text = f'The Rollout "{name}" is invalid: ' + "; ".join(dict.fromkeys(problems))
    known = entries(before, "conditions")
    said = conditions.Said("InvalidSpec", "True", "InvalidSpec", text)
    made = conditions.put(known, said, now)
    after = {
        **before,
        "conditions": made,
        "phase": "Degraded",
        "message": f"InvalidSpec: {text}",
        "observedGeneration": str(generation or 0),
    }
    says = () if made == known else (Say("InvalidSpec", text, warning=True, what="invalid"),)
    return after, says
