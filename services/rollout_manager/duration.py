"""`status.duration` (Argo Rollouts 1.10): since when an update runs, how long people were waited for, how
it ended. Pure.

It begins with a template, and again with a retry; it ends with the promotion, with an abort, or on the way back. Where
the installed definition has no such field nothing stays, and nothing is written again.
"""

from datetime import datetime

from services.rollout_manager.draft import Draft
from services.rollout_manager.keys import Obj
from services.rollout_manager.state import BLUE_GREEN_PAUSE, CANARY_PAUSE, mapping, moment, text, whole
from services.rollout_manager.steps import current
from shared.clock import rfc3339

FAST = {"Full promotion requested": "FastPromoted", "Rollback within window": "FastRolledBack"}


def duration(draft: Draft, before: Obj) -> Obj:
    """The whole field; empty while nothing was ever begun."""
    known, last = mapping(before, "duration"), text(before, "currentPodHash")
    now = rfc3339(draft.now)
    if last != draft.seen.hash:
        known = {"rolloutStartedAt": now}
        if last and draft.promoted and not draft.completed:
            return {**known, "finishedAt": now, "completionStatus": "RolledBack"}
    elif text(known, "completionStatus") == "Aborted" and not draft.aborted and (draft.completed or not draft.promoted):
        known = {"rolloutStartedAt": now}
    if not known or text(known, "finishedAt"):
        return known
    how = ending(draft)
    waited = {**known, **manual(draft, known, over=bool(how))}
    found = waited | ({"finishedAt": now, "completionStatus": how} if how else {})
    return {name: value for name, value in found.items() if value is not None}


def ending(draft: Draft) -> str:
    """How the update has ended; empty: it goes on."""
    if draft.aborted:
        return "Aborted"
    return FAST.get(draft.completed, "Promoted") if draft.promoted else ""


def manual(draft: Draft, known: Obj, *, over: bool) -> Obj:
    """The clock of what waits for people: it runs while they are waited for, and its time adds up."""
    since = text(known, "manualPauseStartedAt")
    if waits_for_people(draft) and not over:
        return {"manualPauseStartedAt": since or rfc3339(draft.now)}
    if not since:
        return {}
    total = (whole(known, "totalManualPauseDurationSeconds") or 0) + passed(since, draft.now)
    return {"manualPauseStartedAt": None, "totalManualPauseDurationSeconds": total}


def passed(since: str, now: datetime) -> int:
    return max(0, int((now - (moment(since) or now)).total_seconds()))


def waits_for_people(draft: Draft) -> bool:
    """A pause that time alone does not end."""
    if draft.seen.rollout.spec.paused:
        return True
    return any(not _timed(draft, reason) for reason in draft.state.pauses)


def _timed(draft: Draft, reason: str) -> bool:
    if reason == BLUE_GREEN_PAUSE:
        spec = draft.blue_green
        return bool(spec.auto_promotion_seconds) and spec.auto_promotion_enabled is not False
    step = current(draft) if reason == CANARY_PAUSE else None
    return step is not None and step.pause is not None and step.pause.duration is not None
