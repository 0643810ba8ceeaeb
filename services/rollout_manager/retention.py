"""How long what is replaced stays: scale-down deadlines, revision limits, and what is deleted. Pure.

A ReplicaSet that a Service or a weight still points to is never scaled down, whatever else says so.
"""

from datetime import timedelta

from services.rollout_manager.draft import DEFAULT_DELAY, Draft
from services.rollout_manager.labels import SCALE_DOWN_DEADLINE
from services.rollout_manager.observed import ReplicaSet
from services.rollout_manager.state import mapping, moment, text
from shared.clock import rfc3339

SETTLE = 5  # seconds that load balancers get to hear of new endpoints where no delay is asked for


def referenced(draft: Draft) -> set[str]:
    """The hashes that something sends traffic to, as it was seen and as it will be."""
    ours = {name: service.hash for name, service in draft.seen.services.items()}
    weights = mapping(draft.seen.obj, "status", "canary", "weights")
    weighted = {
        text(weights, side, "podTemplateHash")
        for side in ("canary", "stable")
        if draft.routes_traffic and mapping(weights, side).get("weight")
    }
    return {*ours.values(), *draft.select.values(), *weighted, draft.state.stable, draft.seen.hash} - {""}


def delay(draft: Draft) -> int:
    """Seconds that a replaced ReplicaSet stays after it lost its traffic."""
    if draft.is_canary:
        if not draft.routes_traffic:
            return 0
        given = draft.canary.scale_down_delay_seconds
        return SETTLE if draft.canary.dynamic_stable_scale else DEFAULT_DELAY if given is None else given
    given = draft.blue_green.scale_down_delay_seconds
    return DEFAULT_DELAY if given is None else given


def keep(draft: Draft, one: ReplicaSet, seconds: int) -> bool:
    """Whether it stays for now: give it a deadline when it has none, wake up when that has passed."""
    if not one.deadline:
        if seconds <= 0:
            return False
        draft.note(one, SCALE_DOWN_DEADLINE, rfc3339(draft.now + timedelta(seconds=seconds)))
        draft.wake_in(seconds)
        return True
    until = moment(one.deadline)
    if until is None or until <= draft.now:
        return False
    latest = draft.now + timedelta(seconds=max(seconds, DEFAULT_DELAY) + 60)
    if until > latest and seconds > 0:  # a clock was wrong when it was written
        draft.note(one, SCALE_DOWN_DEADLINE, rfc3339(draft.now + timedelta(seconds=seconds)))
        until = draft.now + timedelta(seconds=seconds)
    draft.wake(until)
    return True


def retire(draft: Draft) -> None:
    """Scale down what was replaced, each when its time has come."""
    strategy = draft.canary if draft.is_canary else draft.blue_green
    limit, kept = strategy.scale_down_delay_revision_limit, 0
    in_use = referenced(draft)
    for one in draft.others:
        if one.desired == 0 or one.hash in in_use:
            continue
        if (limit is None or kept < limit) and keep(draft, one, delay(draft)):
            kept += 1
            draft.scale(one, min(one.desired, draft.seen.replicas))
        else:
            draft.scale(one, 0)
            draft.note(one, SCALE_DOWN_DEADLINE, None)


def tidy(draft: Draft) -> None:
    """Delete the oldest ReplicaSets without pods beyond the history limit, and take deadlines off what serves."""
    limit = draft.seen.rollout.spec.revision_history_limit
    empty = [one for one in draft.others if one.desired == 0 and one.replicas == 0 and one.name not in draft.notes]
    in_use = referenced(draft)
    empty = [one for one in empty if one.hash not in in_use]
    draft.delete += empty[10 if limit is None else max(limit, 0) :]
    stays = {draft.state.stable} | (
        {draft.seen.hash} if draft.retrying or (draft.is_canary and not draft.aborted) else set()
    )
    for one in draft.seen.sets:
        if one.deadline and one.hash in stays:
            draft.note(one, SCALE_DOWN_DEADLINE, None)
