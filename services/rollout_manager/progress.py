"""Whether an update still moves: the progress deadline, which stands still while someone is waited for. Pure."""

from datetime import datetime, timedelta

from services.rollout_manager.analyses import abort
from services.rollout_manager.draft import Draft
from services.rollout_manager.keys import Obj
from services.rollout_manager.state import entries, mapping, moment, text, whole
from services.rollout_manager.steps import current

DEADLINE = 600
RESTING = {"", "NewReplicaSetAvailable", "RolloutPaused", "RolloutAborted"}


def condition(obj: Obj, type_: str) -> Obj:
    return next((one for one in entries(obj, "status", "conditions") if one.get("type") == type_), {})


def counts(draft: Draft) -> dict[str, int]:
    """The sums that the status shows."""
    sets, new = draft.seen.sets, draft.new
    return {
        "replicas": sum(one.replicas for one in sets),
        "updatedReplicas": new.replicas if new else 0,
        "readyReplicas": sum(one.ready for one in sets),
        "availableReplicas": sum(one.available for one in sets) if draft.is_canary else new.available if new else 0,
    }


def moved(draft: Draft) -> bool:
    """Whether anything came closer to the end since the status was written."""
    before, now = mapping(draft.seen.obj, "status"), counts(draft)
    known = {name: whole(before, name) or 0 for name in now}
    old_before, old_now = (one["replicas"] - one["updatedReplicas"] for one in (known, now))
    more = any(now[name] > known[name] for name in ("updatedReplicas", "readyReplicas", "availableReplicas"))
    stepped = draft.state.index != whole(before, "currentStepIndex") or draft.seen.hash != text(
        before, "currentPodHash"
    )
    active = mapping(before, "blueGreen").get("activeSelector")
    switched = not draft.is_canary and any(hash_ != active for hash_ in draft.select.values() if active)
    return more or old_now < old_before or stepped or draft.state.stable != draft.stable_before or switched


def waits(draft: Draft) -> bool:
    """What may take as long as it takes."""
    if draft.seen.rollout.spec.paused or draft.state.pauses or draft.state.abort:
        return True
    step = current(draft) if draft.is_canary and not draft.alone else None
    running = any(run.get("status") in {"Pending", "Running"} for run in draft.state.runs.values())
    return running or (step is not None and (step.analysis is not None or step.experiment is not None))


def due(draft: Draft) -> datetime | None:
    """When the deadline passes if nothing moves; None: it does not run."""
    known = condition(draft.seen.obj, "Progressing")
    since = moment(text(known, "lastUpdateTime"))
    if since is None or text(known, "reason") in RESTING or waits(draft):
        return None
    return since + timedelta(seconds=length(draft))


def length(draft: Draft) -> int:
    given = draft.seen.rollout.spec.progress_deadline_seconds
    return DEADLINE if given is None else given


def check(draft: Draft) -> None:
    """Abort an update that has not moved for too long, where that is asked for; else wake up to say so."""
    if moved(draft) and not waits(draft):
        draft.wake_in(length(draft) + 1)  # from now on: no pass follows from counts alone
        return
    until = due(draft)
    if until is None:
        return
    if until > draft.now:
        draft.wake(until + timedelta(seconds=1))
    elif draft.seen.rollout.spec.progress_deadline_abort:
        abort(draft, timed_out_text(draft))


def timed_out_text(draft: Draft) -> str:
    return f'ReplicaSet "{draft.seen.rollout.metadata.name}-{draft.seen.hash}" has timed out progressing.'
