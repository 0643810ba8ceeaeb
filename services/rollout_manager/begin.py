"""How a pass begins: the state as the status tells it, begun anew where the template or the steps changed; the
revision; the ReplicaSet of the new template. Pure.
"""

from services.rollout_manager import tracking
from services.rollout_manager.draft import Draft
from services.rollout_manager.fnv import step_hash
from services.rollout_manager.labels import DESIRED_REPLICAS, REVISION, REVISION_HISTORY
from services.rollout_manager.observed import Observed, ReplicaSet
from services.rollout_manager.replicaset import make
from services.rollout_manager.state import BLUE_GREEN_PAUSE, CANARY_PAUSE, mapping, state_of, text
from shared.clock import rfc3339


def begin(seen: Observed) -> Draft:
    status = seen.obj.get("status")
    state = state_of(status if isinstance(status, dict) else {})
    draft = Draft(seen, state, state.stable)
    _clamp(draft)
    _restart_if_changed(draft)
    if draft.retrying:
        state.runs.clear()  # what made it abort is asked again
        state.experiment = ""
    if draft.promoted:
        state.abort = False  # there is nothing to abort
    if state.abort and not state.aborted_at:
        state.aborted_at = rfc3339(draft.now)
    return draft


def steps_hash(draft: Draft) -> str:
    spec = draft.seen.obj.get("spec") or {}
    steps = ((spec.get("strategy") or {}).get("canary") or {}).get("steps") or []
    return step_hash(steps) if draft.is_canary else ""


def _clamp(draft: Draft) -> None:
    """An index that someone wrote, or that fits steps that are gone, is the nearest that there is."""
    if not draft.is_canary:
        return
    count = len(draft.canary.steps)
    draft.state.index = max(0, min(draft.state.index or 0, count)) if count else None


def _restart_if_changed(draft: Draft) -> None:
    """A new template, other steps or the other strategy: from the first step. The stable template: past the last."""
    state, steps = draft.state, steps_hash(draft)
    changed = state.current_hash != draft.seen.hash
    if changed or switched(draft) or (draft.is_canary and state.step_hash and state.step_hash != steps):
        was_known = bool(state.current_hash)
        state.unpause()
        state.abort, state.aborted_at, state.abort_message, state.promote_full = False, "", "", False
        state.check_point, state.experiment = False, ""
        state.runs.clear()
        if draft.is_canary:
            count = len(draft.canary.steps)
            state.index = (count if draft.promoted or not state.stable else 0) if count else None
        if was_known and changed:
            _say_config(draft)
        if was_known and changed and draft.promoted:
            draft.say("SkipSteps", "Rollback to stable ReplicaSet", what="rolled-back")
    if draft.is_canary and draft.alone and draft.canary.steps:
        state.index = len(draft.canary.steps)
    state.current_hash, state.step_hash = draft.seen.hash, steps


def switched(draft: Draft) -> bool:
    """The status tells of the way of the other strategy."""
    if draft.is_canary:
        return bool(mapping(draft.seen.obj, "status", "blueGreen")) or BLUE_GREEN_PAUSE in draft.state.pauses
    return bool(draft.state.step_hash) or CANARY_PAUSE in draft.state.pauses


def _say_config(draft: Draft) -> None:
    """What tracked configuration a new revision has that the last one had not."""
    last = draft.seen.by_hash(text(mapping(draft.seen.obj, "status"), "currentPodHash"))
    names = tracking.changed(mapping(last.obj, "spec", "template"), draft.seen.template) if last is not None else ""
    if names:
        draft.say("ConfigChanged", f"{names} changed: the pods are made anew", what="updated")


def revise(draft: Draft) -> None:
    """Give the new ReplicaSet the highest revision; one that comes back keeps its old ones in its history."""
    new = draft.new
    highest = max((one.revision for one in draft.seen.sets if one.hash != draft.seen.hash), default=0)
    draft.revision = new.revision if new is not None and new.revision > highest else highest + 1
    if new is not None and new.revision != draft.revision:
        draft.note(new, REVISION, str(draft.revision))
        if new.revision:
            history = [*filter(None, new.annotations.get(REVISION_HISTORY, "").split(",")), str(new.revision)]
            draft.note(new, REVISION_HISTORY, ",".join(history))
        draft.say("RolloutUpdated", f"Rollout updated to revision {draft.revision}", what="updated")
    draft.annotations[REVISION] = str(draft.revision)


def create_new(draft: Draft) -> None:
    """Make the ReplicaSet of the new template, with the pods it begins with."""
    if draft.new is not None or draft.seen.rollout.spec.paused or draft.aborted:
        return
    count = draft.counts.pop("", 0)
    made = make(draft, count)
    draft.create.append(made)
    name = made["metadata"]["name"]
    draft.say("RolloutUpdated", f"Rollout updated to revision {draft.revision}", what="updated")
    draft.say("NewReplicaSetCreated", f"Created ReplicaSet {name} (revision {draft.revision})")
    if count:
        draft.say("ScalingReplicaSet", f"Scaled up ReplicaSet {name} (revision {draft.revision}) from 0 to {count}")


def annotate(draft: Draft) -> None:
    """Every ReplicaSet that plays a role knows how many pods the Rollout has."""
    for one in draft.seen.sets:
        if one.hash in {draft.seen.hash, draft.state.stable} or one.desired > 0:
            draft.note(one, DESIRED_REPLICAS, str(draft.seen.replicas))


def tell_scaling(draft: Draft) -> None:
    for one in draft.seen.sets:
        _tell_scaling(draft, one)


def _tell_scaling(draft: Draft, one: ReplicaSet) -> None:
    count = draft.counts.get(one.name, one.desired)
    if count != one.desired:
        way = "up" if count > one.desired else "down"
        revision = draft.revision if one.hash == draft.seen.hash else one.revision
        text = f"Scaled {way} ReplicaSet {one.name} (revision {revision}) from {one.desired} to {count}"
        draft.say("ScalingReplicaSet", text, what="scaled")
