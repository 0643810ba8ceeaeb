"""The blue-green decision: a whole new ReplicaSet beside the serving one, then one switch of a Service. Pure.

Preview follows the new ReplicaSet at once; active only when it is fully there, what must be asked has been asked, and
nobody has to be waited for. What was replaced stays until its deadline, so that going back is one switch.
"""

from services.rollout_manager import analyses, progress, retention
from services.rollout_manager.analysis import Phase, RunType
from services.rollout_manager.canary import after_abort, complete
from services.rollout_manager.draft import Draft
from services.rollout_manager.gates import judge as gates
from services.rollout_manager.observed import ReplicaSet
from services.rollout_manager.state import BLUE_GREEN_PAUSE, GATE_PAUSE, moment
from shared.kinds.strategy import RolloutAnalysis


def blue_green(draft: Draft) -> None:
    """Decide everything about a blue-green Rollout."""
    draft.state.weights = None
    draft.state.index = None
    analyses.judge(draft)
    gates.judge(draft)
    progress.check(draft)
    preview(draft)
    serve(draft)
    checkpoint(draft)
    activate(draft)
    promote(draft)
    draft.state.check_point = draft.state.check_point and not (draft.promoted or draft.aborted)
    scale(draft)
    retention.tidy(draft)
    analyses.want(draft, wanted_types(draft))


def active_hash(draft: Draft) -> str:
    """What the active Service selects, after this pass."""
    name = draft.blue_green.active_service
    seen = draft.seen.services.get(name)
    return draft.select.get(name, seen.hash if seen else "")


def preview(draft: Draft) -> None:
    if draft.blue_green.preview_service and draft.new is not None and not draft.halted:
        draft.select[draft.blue_green.preview_service] = draft.new.hash


def unled(draft: Draft) -> bool:
    """The active Service leads to no version yet, as after a change of strategy, while the stable one serves."""
    return not active_hash(draft) and not draft.alone and draft.stable is not None and draft.stable.available > 0


def serve(draft: Draft) -> None:
    """An active Service that leads to no version leads to the stable one first: nothing is promoted unasked."""
    if draft.stable is None or draft.halted or not unled(draft):
        return
    if draft.stable.available >= draft.seen.replicas or saturated(draft.new, wanted_size(draft)):
        draft.select[draft.blue_green.active_service] = draft.stable.hash


def wanted_size(draft: Draft) -> int:
    """How many pods the new ReplicaSet should have: few, until it has been looked at."""
    few = draft.blue_green.preview_replica_count
    small = few is not None and not draft.alone and active_hash(draft) != draft.seen.hash
    if few is None or not small or draft.state.check_point or draft.state.promote_full or fast_track(draft):
        return draft.seen.replicas
    return min(few, draft.seen.replicas) if draft.seen.replicas else 0


def fast_track(draft: Draft) -> bool:
    """On the way back to a ReplicaSet that has not been scaled down yet, or within the rollback window."""
    new = draft.new
    until = moment(new.deadline) if new is not None else None
    lives = new is not None and new.desired >= draft.seen.replicas > 0
    return lives and until is not None and until > draft.now and not draft.retrying


def saturated(new: ReplicaSet | None, count: int) -> bool:
    return new is not None and new.desired >= count and new.available >= count


def skips(draft: Draft) -> bool:
    """Pauses and analyses are for updates of something that serves."""
    return draft.alone or draft.state.promote_full or fast_track(draft) or not active_hash(draft)


def checkpoint(draft: Draft) -> None:
    """Ask and wait at the preview's size; then go on to the full one."""
    if draft.halted or draft.state.abort or active_hash(draft) == draft.seen.hash or unled(draft):
        return
    if skips(draft):
        draft.state.unpause()
        draft.state.check_point = draft.blue_green.preview_replica_count is not None
    elif saturated(draft.new, wanted_size(draft)) and not draft.state.check_point:
        asked = draft.blue_green.pre_promotion_analysis
        before = passed(draft, RunType.PRE_PROMOTION, asked) and waited(draft)
        draft.state.check_point = before and let_through(draft)


def let_through(draft: Draft) -> bool:
    """The gates before the promotion are open."""
    if not gates.here(draft):
        return True
    if not gates.passed(draft):
        return False
    draft.say("RolloutResumed", draft.resumed, what="resumed")
    return True


def waited(draft: Draft) -> bool:
    """Nobody has to be waited for, or whoever it was has spoken. Gates take the place of a pause without an end."""
    if GATE_PAUSE in draft.state.pauses or (gates.here(draft) and not draft.blue_green.auto_promotion_seconds):
        return True
    if draft.blue_green.auto_promotion_enabled is not False and not draft.blue_green.auto_promotion_seconds:
        return True
    since = draft.state.pauses.get(BLUE_GREEN_PAUSE)
    if since is None:
        if draft.state.controller_pause:
            draft.state.controller_pause = False
            draft.say("RolloutResumed", "Rollout is resumed", what="resumed")
            return True
        draft.pause(BLUE_GREEN_PAUSE)
        draft.say("RolloutPaused", f"Rollout is paused ({BLUE_GREEN_PAUSE})", what="paused")
        since = draft.state.pauses[BLUE_GREEN_PAUSE]
    return _time_is_up(draft, since)


def _time_is_up(draft: Draft, since: str) -> bool:
    length = draft.blue_green.auto_promotion_seconds
    if not length or draft.blue_green.auto_promotion_enabled is False:
        return False
    begun = moment(since) or draft.now
    passed_ = (draft.now - begun).total_seconds()
    draft.wake_in(length - passed_)
    if passed_ < length:
        return False
    draft.state.pauses.pop(BLUE_GREEN_PAUSE, None)
    draft.state.controller_pause = False
    draft.say("RolloutResumed", "Rollout is resumed", what="resumed")
    return True


def passed(draft: Draft, type_: RunType, analysis: RolloutAnalysis | None) -> bool:
    return analysis is None or draft.state.runs.get(type_, {}).get("status") == Phase.SUCCESSFUL


def activate(draft: Draft) -> None:
    """Switch the active Service."""
    name, new, stable = draft.blue_green.active_service, draft.new, draft.stable
    if draft.halted:
        return
    if draft.state.abort and not draft.alone:
        if stable is not None and stable.full:
            draft.select[name] = stable.hash
        return
    ready = draft.state.check_point or (skips(draft) and not unled(draft))
    if (new is not None and active_hash(draft) == new.hash) or (
        new is not None and ready and saturated(new, draft.seen.replicas)
    ):
        draft.select[name] = new.hash


def promote(draft: Draft) -> None:
    """The switched-to ReplicaSet becomes the stable one when the last analysis has passed."""
    if draft.halted or draft.promoted or active_hash(draft) != draft.seen.hash or draft.new is None:
        return
    if draft.state.abort and not draft.alone:
        return
    asked = None if skips(draft) or _was_fast(draft) else draft.blue_green.post_promotion_analysis
    if saturated(draft.new, draft.seen.replicas) and passed(draft, RunType.POST_PROMOTION, asked):
        why = "Initial deploy" if draft.stable is None else "Completed blue-green update"
        why = "Rollback within window" if _was_fast(draft) and draft.stable is not None else why
        complete(draft, "Full promotion requested" if draft.state.promote_full else why)


def _was_fast(draft: Draft) -> bool:
    """Switched on the fast track in an earlier pass; the deadline is taken away only with the promotion."""
    return draft.new is not None and bool(draft.new.deadline)


def scale(draft: Draft) -> None:
    new, stable = draft.new, draft.stable
    draft.counts[""] = wanted_size(draft)
    if new is not None and draft.aborted and active_hash(draft) != new.hash:
        after_abort(draft, new, canary_shrinks=False)
    elif new is not None:
        draft.scale(new, max(wanted_size(draft), 0))
    if stable is not None and not draft.promoted:
        draft.scale(stable, draft.seen.replicas)
    active = draft.seen.by_hash(active_hash(draft))
    if active is not None and active.hash not in {draft.seen.hash, draft.state.stable}:
        draft.scale(active, draft.seen.replicas)
    retention.retire(draft)


def wanted_types(draft: Draft) -> dict[RunType, RolloutAnalysis]:
    """The analyses before and after the switch."""
    spec = draft.blue_green
    found: dict[RunType, RolloutAnalysis] = {}
    if draft.aborted or draft.promoted or skips(draft) or draft.new is None or _was_fast(draft):
        return found
    if active_hash(draft) == draft.seen.hash:
        if spec.post_promotion_analysis is not None:
            found[RunType.POST_PROMOTION] = spec.post_promotion_analysis
    elif spec.pre_promotion_analysis is not None and (saturated(draft.new, wanted_size(draft)) or asks(draft)):
        found[RunType.PRE_PROMOTION] = spec.pre_promotion_analysis
    return found


def asks(draft: Draft) -> bool:
    """Whether the analysis before the promotion has begun: more pods that are wanted meanwhile don't end it, for what
    is ended before it has measured anything counts as a success.
    """
    run = analyses.run_of(draft, RunType.PRE_PROMOTION)
    return run is not None and run.hash == draft.seen.hash
