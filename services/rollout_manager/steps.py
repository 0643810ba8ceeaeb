"""Where a canary is in its steps: which weight and scale hold there, and whether the current step is done. Pure."""

from services.rollout_manager.analysis import Phase
from services.rollout_manager.draft import Draft
from services.rollout_manager.replicas import bounds, portion, share, split
from services.rollout_manager.state import CANARY_PAUSE, mapping, moment
from shared.kinds.durations import seconds
from shared.kinds.strategy import CanaryStep, HeaderRoute, MirrorRoute, Pause, SetCanaryScale


def current(draft: Draft) -> CanaryStep | None:
    steps = draft.canary.steps
    index = draft.state.index or 0
    return steps[index] if index < len(steps) else None


def set_weight(draft: Draft) -> int:
    """The weight of the last setWeight up to here; all, when the steps are done; nothing, when aborted."""
    if draft.aborted:
        return 0
    if draft.alone or draft.state.promote_full or current(draft) is None:
        return draft.most
    return last_weight(draft, (draft.state.index or 0) + 1)


def last_weight(draft: Draft, before: int) -> int:
    found = [step.set_weight for step in draft.canary.steps[:before] if step.set_weight is not None]
    return max(0, min(found[-1], draft.most)) if found else 0


def in_window(draft: Draft) -> bool:
    """An older revision is wanted again, and fewer than `rollbackWindow` others lie between."""
    window, new, stable = draft.seen.rollout.spec.rollback_window, draft.new, draft.stable
    if window is None or new is None or stable is None or new.hash == stable.hash or not new.created < stable.created:
        return False
    between = [one for one in draft.seen.sets if new.created < one.created < stable.created]
    return len(between) < window.revisions


def canary_scale(draft: Draft) -> SetCanaryScale | None:
    """The last setCanaryScale up to here; None when the weight says how many."""
    if draft.aborted or draft.alone or draft.state.promote_full or not draft.routes_traffic or current(draft) is None:
        return None
    upto = draft.canary.steps[: (draft.state.index or 0) + 1]
    found = [step.set_canary_scale for step in upto if step.set_canary_scale is not None]
    return found[-1] if found and not found[-1].match_traffic_weight else None


def goal_of_new(draft: Draft) -> int:
    """How many pods the new ReplicaSet should have at this step."""
    replicas = draft.seen.replicas
    if draft.alone:
        return replicas
    scale = canary_scale(draft)
    if scale is not None and scale.replicas is not None:
        return max(0, scale.replicas)
    if not draft.routes_traffic:
        limits = bounds(replicas, draft.canary.max_surge, draft.canary.max_unavailable)
        return split(replicas, set_weight(draft), draft.most, limits.surge)[0]
    weighed = scale.weight if scale is not None and scale.weight is not None else set_weight(draft)
    most = 100 if scale is not None and scale.weight is not None else draft.most
    return at_least(draft, portion(replicas, weighed, most))


def at_least(draft: Draft, count: int) -> int:
    """`minPodsPerReplicaSet`, which never makes more pods than the Rollout has; none stays none."""
    lowest = min(draft.canary.min_pods_per_replica_set or 0, draft.seen.replicas)
    return max(count, lowest) if count > 0 else 0


def goal_of_stable(draft: Draft) -> int | None:
    """How many pods the stable ReplicaSet should have where pods are the traffic; None: the new one is all there is."""
    if draft.alone:
        return None
    limits = bounds(draft.seen.replicas, draft.canary.max_surge, draft.canary.max_unavailable)
    return split(draft.seen.replicas, set_weight(draft), draft.most, limits.surge)[1]


def at_goal(draft: Draft) -> bool:
    """Whether the pods are where the step wants them. A stable pod that is not available holds nothing up."""
    new, wanted = draft.new, goal_of_new(draft)
    if new is None or new.desired != wanted or new.available < enough(draft, wanted):
        return False
    if draft.routes_traffic:
        return True
    stable, rest = draft.stable, goal_of_stable(draft)
    settled = rest is None or (stable is not None and stable.desired == rest)
    return settled and not any(one.available for one in draft.others)


def enough(draft: Draft, wanted: int) -> int:
    """How many available pods are as good as all: `replicaProgressThreshold`."""
    threshold = draft.canary.replica_progress_threshold
    if threshold is None:
        return wanted
    count = share(f"{threshold.value}%", wanted, up=True) if threshold.type == "Percent" else threshold.value
    return max(0, min(wanted, count))


def done(draft: Draft, step: CanaryStep) -> bool:
    """Whether the current step is over; a pause is judged where it is waited for."""
    if step.set_weight is not None:
        return at_goal(draft) and weight_is_set(draft, step.set_weight)
    if step.set_canary_scale is not None:
        return at_goal(draft)
    if step.analysis is not None:
        return draft.state.runs.get("Step", {}).get("status") == Phase.SUCCESSFUL
    if step.experiment is not None:
        found = next((one for one in draft.seen.experiments if one.name == draft.state.experiment), None)
        return found is not None and found.phase is Phase.SUCCESSFUL
    return step.set_header_route is not None or step.set_mirror_route is not None


def weight_is_set(draft: Draft, weight: int) -> bool:
    """Without a router pods are the weight; with one an earlier pass has written it, and nobody may say that it has not
    arrived.
    """
    if not draft.routes_traffic:
        return True
    weights, written = draft.state.weights or {}, mapping(draft.seen.obj, "status", "canary", "weights", "canary")
    there = mapping(weights, "canary") == written and written.get("weight") == min(weight, draft.most)
    return there and weights.get("verified") is not False


def pause_over(draft: Draft, pause: Pause) -> bool:
    """Someone took the pause away, or its time is up. A time that can't be read is as if it began now."""
    since = draft.state.pauses.get(CANARY_PAUSE)
    if since is None:
        return draft.state.controller_pause
    length = duration(pause)
    begun = moment(since)
    if length is None:
        return False
    if begun is None:
        draft.pause(CANARY_PAUSE)
        begun = draft.now
    draft.wake_in(length - (draft.now - begun).total_seconds())
    return (draft.now - begun).total_seconds() >= length


def duration(pause: Pause) -> float | None:
    """Seconds; None: until someone promotes. Raises ValueError."""
    if pause.duration is None:
        return None
    if isinstance(pause.duration, int):
        return float(pause.duration)
    return float(pause.duration) if pause.duration.isdecimal() else seconds(pause.duration)


def routes(draft: Draft) -> tuple[tuple[HeaderRoute, ...], tuple[MirrorRoute, ...]]:
    """The header and mirror routes that hold at this step, in the order of `managedRoutes`."""
    routing = draft.canary.traffic_routing
    if routing is None or draft.aborted or draft.alone or draft.state.promote_full:
        return (), ()
    upto = draft.canary.steps[: (draft.state.index or 0) + 1]
    headers = {step.set_header_route.name: step.set_header_route for step in upto if step.set_header_route}
    mirrors = {step.set_mirror_route.name: step.set_mirror_route for step in upto if step.set_mirror_route}
    order = [route.name for route in routing.managed_routes]
    return (
        tuple(headers[name] for name in order if name in headers and headers[name].match),
        tuple(mirrors[name] for name in order if name in mirrors and mirrors[name].match),
    )


def words(step: CanaryStep) -> str:
    """A step as Argo Rollouts' Events name it."""
    if step.set_weight is not None:
        return f"setWeight: {step.set_weight}"
    if step.pause is not None:
        return "pause" if step.pause.duration is None else f"pause: {step.pause.duration}"
    for name in ("experiment", "analysis", "plugin"):
        if getattr(step, name) is not None:
            return name
    if step.set_canary_scale is not None:
        scale = step.set_canary_scale
        if scale.replicas is not None:
            return f"setCanaryScale{{replicas: {scale.replicas}}}"
        return (
            f"setCanaryScale{{weight: {scale.weight}}}"
            if scale.weight is not None
            else "setCanaryScale{matchTrafficWeight: true}"
        )
    return "setHeaderRoute" if step.set_header_route is not None else "setMirrorRoute"
