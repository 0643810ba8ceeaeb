"""Istio: the weights of a Rollout's two destinations in routes of VirtualServices, its header and mirror routes, and
the subsets of a DestinationRule.

A destination is the Rollout's when its host is one of the two services, or, with a DestinationRule, when its subset is
one of the two. Destinations of experiments come and go with the plan; all others stay, with their weights, and the
Rollout divides what they leave. Managed routes stand on top, in the order of `managedRoutes`.
"""

import copy
from typing import Any

from services.rollout_manager.keys import Obj, Ref
from services.rollout_manager.traffic import Objects, Plan, Routed, Router, Unroutable, routing
from services.rollout_manager.traffic.istio_destinations import Names, destination, weigh
from services.rollout_manager.traffic.istio_rule import rule
from services.rollout_manager.traffic.istio_selection import selected
from shared.kinds.rollout import Rollout
from shared.kinds.strategy import HeaderRoute, MirrorRoute, RouteMatch, StringMatch
from shared.kinds.trafficrouting import Istio, IstioVirtualService, TrafficRouting

GROUP = "networking.istio.io"
DOMAIN = ".cluster.local"


def configured(routing_: TrafficRouting) -> bool:
    return routing_.istio is not None


def settings(rollout: Rollout) -> Istio:
    return routing(rollout).istio or Istio()


def services(rollout: Rollout) -> tuple[IstioVirtualService, ...]:
    istio = settings(rollout)
    return istio.virtual_services or ((istio.virtual_service,) if istio.virtual_service else ())


def _ref(rollout: Rollout, kind: str, name: str) -> Ref:
    """`name`, or `name.namespace`, or the host of a service with that name."""
    parts = name.removesuffix(DOMAIN).removesuffix(".svc").split(".")
    namespace = parts.pop() if len(parts) > 1 else rollout.metadata.namespace
    return Ref(GROUP, kind, namespace, ".".join(parts))


def virtual_refs(rollout: Rollout) -> tuple[Ref, ...]:
    return tuple(_ref(rollout, "VirtualService", one.name) for one in services(rollout))


def rule_ref(rollout: Rollout) -> Ref | None:
    named = settings(rollout).destination_rule
    return _ref(rollout, "DestinationRule", named.name) if named else None


def reads(rollout: Rollout) -> tuple[Ref, ...]:
    named = rule_ref(rollout)
    return (*virtual_refs(rollout), *((named,) if named else ()))


def route(objects: Objects, rollout: Rollout, plan: Plan) -> Routed:
    missing = [f"Istio {ref.kind} `{ref.name}` not found" for ref in reads(rollout) if objects.get(ref) is None]
    if missing or not services(rollout):
        raise Unroutable(*(missing or ["either VirtualService or VirtualServices must be configured"]))
    names = names_of(rollout, plan)
    pairs = zip(services(rollout), virtual_refs(rollout), strict=True)
    wanted = [_virtual(objects.get(ref) or {}, one, names, plan) for one, ref in pairs]
    named = rule_ref(rollout)
    if named is not None and names.rule is not None:
        wanted.append(rule(objects.get(named) or {}, rollout.metadata.name, names, plan))
    return Routed(tuple(wanted))


def names_of(rollout: Rollout, plan: Plan) -> Names:
    named = settings(rollout).destination_rule
    subsets = named and (named.canary_subset_name or named.stable_subset_name)
    return Names(rollout.metadata.name, plan.canary_service, plan.stable_service, named if subsets else None)


def _virtual(live: Obj, asked: IstioVirtualService, names: Names, plan: Plan) -> Obj:
    wanted = copy.deepcopy(live)
    spec = wanted.setdefault("spec", {})
    if isinstance(spec.get("http"), list):
        spec["http"] = [one for one in spec["http"] if not (isinstance(one, dict) and one.get("name") in plan.managed)]
    chosen = selected(wanted, asked)
    for one in chosen:
        one["route"] = weigh(one, names, plan)
    http = [one for one in chosen if any(one is route for route in spec.get("http") or ())]
    if http and (plan.headers or plan.mirrors):
        spec["http"] = [*_managed(http[0], names, plan), *spec["http"]]
    return wanted


def _managed(base: Obj, names: Names, plan: Plan) -> list[Obj]:
    """The header and mirror routes, in the order of `managedRoutes`."""
    made = {one.name: _header(base, one, names) for one in plan.headers}
    made |= {one.name: _mirror(base, one, names) for one in plan.mirrors}
    return [made[name] for name in plan.managed if name in made]


def _canary(base: Obj, names: Names) -> Obj:
    """The canary's destination, with the port that it has in the route."""
    return next(
        (copy.deepcopy(one["destination"]) for one in base["route"] if names.role(one) == "canary"),
        destination(names.host("canary"), names.subset("canary")),
    )


def _header(base: Obj, header: HeaderRoute, names: Names) -> Obj:
    match = [{"headers": {one.header_name: string_match(one.header_value)}} for one in header.match]
    return {"name": header.name, "match": match, "route": [{"destination": _canary(base, names), "weight": 100}]}


def _mirror(base: Obj, mirror: MirrorRoute, names: Names) -> Obj:
    share = 100 if mirror.percentage is None else mirror.percentage
    return {
        "name": mirror.name,
        "match": [_request(one) for one in mirror.match],
        "route": copy.deepcopy(base["route"]),
        "mirror": _canary(base, names),
        "mirrorPercentage": {"value": share},
    }


def _request(match: RouteMatch) -> Obj:
    made: dict[str, Any] = {}
    if match.method is not None:
        made["method"] = string_match(match.method)
    if match.path is not None:
        made["uri"] = string_match(match.path)
    if match.headers:
        made["headers"] = {name: string_match(value) for name, value in match.headers.items()}
    return made


def string_match(value: StringMatch | None) -> Obj:
    given = value or StringMatch()
    kinds = {"exact": given.exact, "prefix": given.prefix, "regex": given.regex}
    return {kind: text for kind, text in kinds.items() if text}


ROUTER = Router("istio", configured, reads, route, headers=True, mirrors=True, experiments=True, ping_pong=True)
