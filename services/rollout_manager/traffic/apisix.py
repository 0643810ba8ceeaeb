"""Apache APISIX: the weights of the two services in rules of an ApisixRoute, and one ApisixRoute more, owned by the
Rollout, for each header route.
"""

import copy

from services.rollout_manager.keys import Obj, Ref
from services.rollout_manager.traffic import Objects, Plan, Routed, Router, Unroutable, owner_reference, routing
from shared.kinds.rollout import Rollout
from shared.kinds.strategy import HeaderMatch, HeaderRoute, StringMatch
from shared.kinds.trafficrouting import Apisix, ApisixRoute, TrafficRouting

GROUP = "apisix.apache.org"


def configured(routing_: TrafficRouting) -> bool:
    return routing_.apisix is not None


def settings(rollout: Rollout) -> ApisixRoute:
    return (routing(rollout).apisix or Apisix()).route or ApisixRoute()


def _ref(rollout: Rollout, name: str) -> Ref:
    return Ref(GROUP, "ApisixRoute", rollout.metadata.namespace, name)


def reads(rollout: Rollout) -> tuple[Ref, ...]:
    managed = (route.name for route in routing(rollout).managed_routes)
    return tuple(_ref(rollout, name) for name in (settings(rollout).name, *managed))


def route(objects: Objects, rollout: Rollout, plan: Plan) -> Routed:
    ref = _ref(rollout, settings(rollout).name)
    live = objects.get(ref)
    if live is None:
        raise Unroutable(f"ApisixRoute `{ref.name}` not found")
    stolen = [name for name in plan.managed if not _ours(objects.get(_ref(rollout, name)), rollout)]
    if stolen:
        raise Unroutable(*(f"ApisixRoute `{name}` exists and is not of this Rollout" for name in stolen))
    wanted = copy.deepcopy(live)
    rules = chosen(wanted, settings(rollout).rules)
    for rule in rules:
        weigh(rule, plan)
    made = tuple(_header_route(live, rules, one, rollout, plan) for one in plan.headers)
    held = {one.name for one in plan.headers}
    gone = (_ref(rollout, name) for name in plan.managed if name not in held)
    return Routed((wanted, *made), tuple(one for one in gone if objects.get(one) is not None))


def _ours(live: Obj | None, rollout: Rollout) -> bool:
    owners = (live or {}).get("metadata", {}).get("ownerReferences") or ()
    return live is None or any(owner.get("uid") == rollout.metadata.uid for owner in owners)


def chosen(obj: Obj, names: tuple[str, ...]) -> list[Obj]:
    """The rules that are named; the only one where none is."""
    rules: list[Obj] = (obj.get("spec") or {}).get("http") or []
    name = f"ApisixRoute `{obj['metadata']['name']}`"
    if not names:
        if len(rules) != 1:
            raise Unroutable(f"{name} has {len(rules)} rules: name those of this Rollout")
        return rules
    unknown = sorted(set(names) - {rule.get("name") for rule in rules})
    if unknown:
        raise Unroutable(*(f"{name} has no rule `{one}`" for one in unknown))
    return [rule for rule in rules if rule.get("name") in names]


def weigh(rule: Obj, plan: Plan) -> None:
    shares = {plan.canary_service: plan.weights.canary, plan.stable_service: plan.weights.stable}
    backends = rule.get("backends") or []
    missing = sorted(shares.keys() - {backend.get("serviceName") for backend in backends})
    if missing:
        raise Unroutable(*(f"rule `{rule.get('name')}` has no backend `{name}`" for name in missing))
    for backend in backends:
        if backend.get("serviceName") in shares:
            backend["weight"] = shares[backend["serviceName"]]


def _header_route(live: Obj, rules: list[Obj], header: HeaderRoute, rollout: Rollout, plan: Plan) -> Obj:
    metadata = {
        "name": header.name,
        "namespace": rollout.metadata.namespace,
        "ownerReferences": [owner_reference(rollout)],
    }
    made = [_matched(rule, header, plan) for rule in rules]
    return {"apiVersion": live["apiVersion"], "kind": "ApisixRoute", "metadata": metadata, "spec": {"http": made}}


def _matched(rule: Obj, header: HeaderRoute, plan: Plan) -> Obj:
    """The rule for requests with the headers: before the original one, to the canary alone."""
    made = copy.deepcopy(rule)
    made["name"] = header.name if len(header.name) else rule.get("name")
    made["priority"] = int(rule.get("priority") or 0) + 1
    match = made.setdefault("match", {})
    match["exprs"] = [*(match.get("exprs") or ()), *(_expression(one) for one in header.match)]
    for backend in made["backends"]:
        backend["weight"] = 100 if backend.get("serviceName") == plan.canary_service else 0
    return made


def _expression(match: HeaderMatch) -> Obj:
    value = match.header_value or StringMatch()
    operator, text = ("Equal", value.exact) if value.exact else ("RegexMatch", value.regex or f"^{value.prefix}.*")
    return {"subject": {"scope": "Header", "name": match.header_name}, "op": operator, "value": text}


ROUTER = Router("apisix", configured, reads, route, headers=True)
