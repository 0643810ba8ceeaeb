"""The canary's decision: where it is, then what follows from that for pods, Services and traffic. Pure.

`move` goes on through all steps that are done already, so that one pass does what several would.
"""

from services.rollout_manager import analyses, progress, retention
from services.rollout_manager.draft import DEFAULT_DELAY, Draft
from services.rollout_manager.gates import judge as gates
from services.rollout_manager.keys import Obj
from services.rollout_manager.observed import ReplicaSet
from services.rollout_manager.replicas import Goal, Sides, basic, bounds, first, portion
from services.rollout_manager.state import CANARY_PAUSE, mapping
from services.rollout_manager.steps import (
    at_least,
    current,
    done,
    goal_of_new,
    goal_of_stable,
    in_window,
    pause_over,
    set_weight,
    words,
)
from services.rollout_manager.traffic.apply import route
from services.rollout_manager.weights import destinations, plan, select, status_of, weight_before
from shared.kinds.strategy import Pause


def canary(draft: Draft) -> None:
    """Decide everything about a canary."""
    analyses.judge(draft)
    gates.judge(draft)
    progress.check(draft)
    move(draft)
    scale(draft)
    retention.tidy(draft)
    analyses.want(draft)


def move(draft: Draft) -> None:
    """Go as far as what was seen allows."""
    before = draft.state.weights
    fast_rollback(draft)
    for _ in range(2 * len(draft.canary.steps) + 4):
        draft.select.clear()
        select(draft)
        steer(draft)
        if not (advance(draft) or promote(draft)):
            break
    say_weight(draft, before)
    if draft.aborted:
        draft.state.unpause()
        draft.state.index = 0 if draft.canary.steps else None


def steer(draft: Draft) -> None:
    """Plan the traffic. Raises Unroutable."""
    if not draft.routes_traffic:
        draft.state.weights = None
        return
    made = plan(draft)
    weights = status_of(made, None)
    routers = draft.seen.routers
    draft.routed = route(routers, draft.seen.live, draft.seen.rollout, made)
    opinions = [router.verified(draft.seen.live, draft.seen.rollout, made) for router in routers]
    known = [one for one in opinions if one is not None]
    draft.state.weights = weights | ({"verified": all(known)} if known else {})
    if known and not all(known):
        draft.wake_in(10)


def say_weight(draft: Draft, before: Obj | None) -> None:
    """Tell of the weight if it is another one than when the pass began."""
    if draft.state.weights is None:
        return
    was = None if before is None else mapping(before, "canary").get("weight")
    now = mapping(draft.state.weights, "canary").get("weight")
    if was != now:
        change = f"to {now}" if was is None else f"from {was} to {now}"
        draft.say("TrafficWeightUpdated", f"Traffic weight updated {change}", what="weight")


def advance(draft: Draft) -> bool:
    """Leave the current step if it is done."""
    step = current(draft)
    if step is None or draft.halted or draft.aborted or draft.alone or draft.state.promote_full or draft.new is None:
        return False
    state = draft.state
    if not (done(draft, step) if step.pause is None else waited(draft, step.pause)):
        return False
    index = (state.index or 0) + 1
    draft.say(
        "RolloutStepCompleted",
        f"Rollout step {index}/{len(draft.canary.steps)} completed ({words(step)})",
        what="step-completed",
    )
    if step.pause is not None:
        draft.say("RolloutResumed", draft.resumed, what="resumed")
    state.index, state.controller_pause, state.experiment = index, False, ""
    state.pauses.pop(CANARY_PAUSE, None)
    state.runs.pop("Step", None)
    return True


def waited(draft: Draft, pause: Pause) -> bool:
    """Begin a pause, and tell whether it is over: its time, or a person who promotes; then its gates. A pause without a
    duration that has gates waits for them alone.
    """
    gated, state = bool(gates.here(draft)), draft.state
    if not gated or pause.duration is not None:
        if CANARY_PAUSE not in state.pauses and not state.controller_pause:
            draft.pause(CANARY_PAUSE)
            draft.say("RolloutPaused", f"Rollout is paused ({CANARY_PAUSE})", what="paused")
        if not pause_over(draft, pause):
            return False
    return not gated or gates.passed(draft)


def promote(draft: Draft) -> bool:
    """Make the new ReplicaSet the stable one, once nothing is missing."""
    new, state = draft.new, draft.state
    if draft.aborted or draft.halted or draft.promoted or new is None or new.available < draft.seen.replicas:
        return False
    why = reason(draft)
    if not why or (state.weights or {}).get("verified") is False:
        return False
    complete(draft, why)
    state.ping_pong = ("pong" if state.ping_pong == "ping" else "ping") if draft.canary.ping_pong else ""
    return True


def reason(draft: Draft) -> str:
    steps = len(draft.canary.steps)
    if draft.stable is None:
        return "Initial deploy" if not draft.state.stable else "The stable ReplicaSet is gone"
    if draft.state.promote_full:
        return "Full promotion requested"
    if in_window(draft):
        return "Rollback within window"
    return f"Completed all {steps} canary steps" if (draft.state.index or 0) >= steps else ""


def complete(draft: Draft, why: str) -> None:
    """Promotion, for both strategies."""
    state, draft.completed = draft.state, why
    state.stable, state.promote_full, state.abort, state.aborted_at = draft.seen.hash, False, False, ""
    state.unpause()
    text = f"Rollout completed update to revision {draft.revision} ({draft.seen.hash}): {why}"
    draft.say("RolloutCompleted", text, what="completed")


def fast_rollback(draft: Draft) -> None:
    """Steps, pauses and analyses are skipped on a full promotion and on the way back to a recent revision."""
    if not (draft.state.promote_full or in_window(draft)) or draft.promoted:
        return
    draft.state.unpause()
    draft.state.abort, draft.state.aborted_at = False, ""
    if draft.canary.steps:
        draft.state.index = len(draft.canary.steps)


def scale(draft: Draft) -> None:
    if draft.routes_traffic:
        routed(draft)
    else:
        by_pods(draft)


def by_pods(draft: Draft) -> None:
    """Pods are the traffic: new, stable and old ReplicaSets share what may run."""
    replicas = draft.seen.replicas
    limits = bounds(replicas, draft.canary.max_surge, draft.canary.max_unavailable)
    waiting = draft.new is None and draft.seen.rollout.spec.paused
    goal = Goal(0, replicas) if waiting else Goal(goal_of_new(draft), goal_of_stable(draft))
    stable = draft.stable if not draft.promoted else None
    counts = basic(replicas, limits, Sides(goal, draft.new, stable), draft.others)
    for one in draft.seen.sets:
        draft.scale(one, counts.get(one.name, one.desired))
    draft.counts[""] = first(replicas, limits, goal, draft.seen.sets)


def routed(draft: Draft) -> None:
    """The router is the traffic: pods are ready before their weight comes and stay until it is gone."""
    replicas, new, stable = draft.seen.replicas, draft.new, draft.stable
    draft.counts[""] = goal_of_new(draft)
    if stable is not None and not draft.promoted:
        draft.scale(stable, stable_pods(draft))
    if new is not None:
        if draft.aborted:
            after_abort(draft, new, canary_shrinks=draft.canary.dynamic_stable_scale)
        else:
            falls = not draft.alone and weight_before(draft) < weight_seen(draft)
            carried = portion(replicas, weight_seen(draft), draft.most) if falls else 0
            draft.scale(new, max(goal_of_new(draft), min(carried, new.desired)))
    retention.retire(draft)


def weight_seen(draft: Draft, side: str = "canary") -> int:
    """The weight that stood there when the pass began: load balancers may still hold to it."""
    found = mapping(draft.seen.obj, "status", "canary", "weights", side).get("weight")
    return max(0, min(found, draft.most)) if isinstance(found, int) else 0


def stable_pods(draft: Draft) -> int:
    """All, unless `dynamicStableScale` lets it shrink as its traffic goes; what traffic it still has counts."""
    replicas = draft.seen.replicas
    if not draft.canary.dynamic_stable_scale or draft.aborted or draft.new is None:
        return replicas
    extra = sum(one.weight for one in destinations(draft))
    needed = portion(replicas, max(0, draft.most - set_weight(draft) - extra), draft.most)
    planned = mapping(draft.state.weights or {}, "stable").get("weight") or 0
    seen = weight_seen(draft, "stable") if mapping(draft.seen.obj, "status", "canary", "weights") else draft.most
    return at_least(draft, max(needed, portion(replicas, planned, draft.most), portion(replicas, seen, draft.most)))


def after_abort(draft: Draft, new: ReplicaSet, *, canary_shrinks: bool) -> None:
    """The aborted ReplicaSet stays for a while, for people to look at; 0 means for ever."""
    strategy = draft.canary if draft.is_canary else draft.blue_green
    given, stable = strategy.abort_scale_down_delay_seconds, draft.stable
    draft.scale(new, new.desired)
    if canary_shrinks and given is None:
        weight = max(weight_before(draft), weight_seen(draft))
        draft.scale(new, min(new.desired, portion(draft.seen.replicas, weight, draft.most)))
    elif given == 0 or stable is None or stable.available < draft.seen.replicas or new.hash in _weighted(draft):
        return
    elif not retention.keep(draft, new, DEFAULT_DELAY if given is None else given):
        draft.scale(new, 0)


def _weighted(draft: Draft) -> set[str]:
    """Hashes that still have traffic."""
    weights = draft.state.weights or {}
    return {str(side.get("podTemplateHash")) for side in (mapping(weights, "canary"),) if side.get("weight")}
