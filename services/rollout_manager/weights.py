"""How much traffic the canary gets now, and to which Services. Pure.

The canary gets weight only while it has available pods and its Service points to it; it gets more only when the pods
for more are there. A weight that is taken away goes at once, unless the stable side was made smaller for it.
"""

from services.rollout_manager.draft import Draft
from services.rollout_manager.keys import Obj
from services.rollout_manager.observed import ReplicaSet
from services.rollout_manager.state import mapping, text
from services.rollout_manager.steps import at_goal, current, goal_of_new, last_weight, routes, set_weight
from services.rollout_manager.traffic import Destination, Plan, Weights


def service_names(draft: Draft) -> tuple[str, str]:
    """Canary and stable; with ping-pong they change places at each promotion."""
    pair = draft.canary.ping_pong
    if pair is None:
        return draft.canary.canary_service, draft.canary.stable_service
    ping, pong = pair.ping_service, pair.pong_service
    return (pong, ping) if draft.state.ping_pong == "ping" else (ping, pong)


def select(draft: Draft) -> None:
    """Say to which ReplicaSets the Services should point; none is pointed to pods that are not there yet."""
    if draft.halted:
        return
    canary, stable = service_names(draft)
    _point(draft, stable, draft.stable)
    if draft.canary.ping_pong is not None and not draft.promoted and not draft.aborted:
        if draft.new is not None:
            draft.select[canary] = draft.new.hash
        return
    if rolling_back(draft) or (draft.aborted and draft.canary.dynamic_stable_scale and weight_before(draft) > 0):
        return
    if draft.aborted or draft.promoted or goal_of_new(draft) > 0:  # not to pods that go in this very pass
        _point(draft, canary, draft.stable if draft.aborted else draft.new)


def _point(draft: Draft, service: str, to: ReplicaSet | None) -> None:
    """A Service that leads to nothing any more is content with a part."""
    if not service or to is None:
        return
    known = pointed(draft, service)
    serving = draft.seen.by_hash(known)
    nothing = bool(known) and (serving is None or serving.available == 0)
    if to.full or known == to.hash or (nothing and to.available > 0):
        draft.select[service] = to.hash


def pointed(draft: Draft, service: str) -> str:
    """The hash that a Service selects, after this pass."""
    seen = draft.seen.services.get(service)
    return draft.select.get(service, seen.hash if seen else "")


def weight_before(draft: Draft) -> int:
    found = mapping(draft.state.weights or {}, "canary").get("weight")
    return max(0, min(found, draft.most)) if isinstance(found, int) else 0


def hash_before(draft: Draft) -> str:
    """To which ReplicaSet the canary's weight went."""
    return text(draft.state.weights or {}, "canary", "podTemplateHash")


def rolling_back(draft: Draft) -> bool:
    """Someone went back to the stable template in the middle, and the stable side was made smaller meanwhile."""
    if not (draft.promoted and draft.routes_traffic and draft.canary.dynamic_stable_scale):
        return False
    was, stable = hash_before(draft), draft.stable
    return was not in {"", draft.seen.hash} and stable is not None and stable.available < draft.seen.replicas


def weigh(draft: Draft) -> int:
    """The canary's weight."""
    if draft.halted and draft.state.weights is not None:
        weighted = draft.seen.by_hash(hash_before(draft))
        return weight_before(draft) if weighted is not None and weighted.available else 0
    if rolling_back(draft) or (draft.aborted and draft.canary.dynamic_stable_scale):
        return returning(draft)
    new = draft.new
    if draft.promoted or draft.aborted or new is None or new.available == 0 or not _reachable(draft, new):
        return 0
    if draft.stable is None:
        return draft.most if draft.state.stable else 0
    return _by_step(draft, new)


def _by_step(draft: Draft, new: ReplicaSet) -> int:
    if draft.state.promote_full:
        if not draft.canary.dynamic_stable_scale:
            return weight_before(draft)
        return min(draft.most, draft.most * new.available // max(1, draft.seen.replicas))
    if not at_goal(draft):
        return min(last_weight(draft, draft.state.index or 0), set_weight(draft))  # less needs no pods to be waited for
    return draft.most if current(draft) is None else set_weight(draft)


def _reachable(draft: Draft, new: ReplicaSet) -> bool:
    """The canary's Service, if there is one, leads to the canary, and load balancers can know it."""
    service, endpoints = service_names(draft)[0], draft.seen.endpoints
    if not service:
        return True
    if pointed(draft, service) != new.hash:
        return False
    return endpoints is None or any(pod.startswith(f"{new.name}-") for pod in endpoints.get(service, ()))


def returning(draft: Draft) -> int:
    """On the way back to a stable side that was made smaller: what it can't carry yet stays, and nothing comes back."""
    stable = draft.stable
    carried = draft.most * (stable.available if stable else 0) // max(1, draft.seen.replicas)
    return max(0, min(draft.most - carried, weight_before(draft)))


def destinations(draft: Draft) -> tuple[Destination, ...]:
    running = (one for one in draft.seen.experiments if one.name == draft.state.experiment)
    return next((one.destinations for one in running), ()) if not draft.aborted else ()


def plan(draft: Draft) -> Plan:
    """What the routers should make so."""
    canary_service, stable_service = service_names(draft)
    weight, extra = weigh(draft), destinations(draft)
    stable = max(0, draft.most - weight - sum(one.weight for one in extra))
    headers, mirrors = routes(draft)
    routing = draft.canary.traffic_routing
    held = rolling_back(draft) or (draft.halted and weight > 0)
    return Plan(
        Weights(weight, stable, draft.most, extra),
        canary_service=canary_service,
        stable_service=stable_service,
        canary_hash=hash_before(draft) if held else draft.new.hash if draft.new else "",
        stable_hash=draft.stable.hash if draft.stable else "",
        headers=headers,
        mirrors=mirrors,
        managed=tuple(route.name for route in routing.managed_routes) if routing else (),
    )


def status_of(made: Plan, verified: bool | None) -> Obj:
    """`status.canary.weights`."""

    def side(weight: int, service: str, hash_: str) -> Obj:
        return {"weight": weight, "serviceName": service, "podTemplateHash": hash_}

    found: Obj = {
        "canary": side(made.weights.canary, made.canary_service, made.canary_hash),
        "stable": side(made.weights.stable, made.stable_service, made.stable_hash),
    }
    if made.weights.additional:
        found["additional"] = [side(one.weight, one.service, one.pod_template_hash) for one in made.weights.additional]
    if verified is not None:
        found["verified"] = verified
    return found
