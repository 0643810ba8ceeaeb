"""Traefik: the weights of the two services in a TraefikService of kind weighted; its other services keep theirs."""

import copy

from services.rollout_manager.keys import Obj, Ref
from services.rollout_manager.traffic import Objects, Plan, Routed, Router, Unroutable, routing
from shared.kinds.rollout import Rollout
from shared.kinds.trafficrouting import TrafficRouting

GROUP = "traefik.io"


def configured(routing_: TrafficRouting) -> bool:
    return routing_.traefik is not None


def reads(rollout: Rollout) -> tuple[Ref, ...]:
    traefik = routing(rollout).traefik
    name = traefik.weighted_traefik_service_name if traefik else ""
    return (Ref(GROUP, "TraefikService", rollout.metadata.namespace, name),)


def route(objects: Objects, rollout: Rollout, plan: Plan) -> Routed:
    (ref,) = reads(rollout)
    live = objects.get(ref)
    if live is None:
        raise Unroutable(f"TraefikService `{ref.name}` not found")
    wanted = copy.deepcopy(live)
    services: list[Obj] = ((wanted.get("spec") or {}).get("weighted") or {}).get("services") or []
    shares = {plan.canary_service: plan.weights.canary, plan.stable_service: plan.weights.stable}
    missing = shares.keys() - {one.get("name") for one in services}
    if missing:
        names = ", ".join(f"`{name}`" for name in sorted(missing))
        raise Unroutable(f"TraefikService `{ref.name}` has no weighted service {names}")
    for one in services:
        if one.get("name") in shares:
            one["weight"] = shares[one["name"]]
    return Routed((wanted,))


ROUTER = Router("traefik", configured, reads, route)
