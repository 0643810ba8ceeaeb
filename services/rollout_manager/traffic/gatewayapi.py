"""Gateway API: the weights of the two services in the rules of HTTPRoutes, GRPCRoutes, TCPRoutes and TLSRoutes, and a
rule more for each header route.

Configured as Argo Rollouts' plugin is, under `plugins["argoproj-labs/gatewayAPI"]`, and done natively. Which rules are
header routes of a Rollout stands in an annotation, so that they can be told from those of others.
"""

import copy
import json
from typing import Any, NamedTuple

from services.rollout_manager.keys import Obj, Ref
from services.rollout_manager.traffic import Objects, Plan, Routed, Router, Unroutable, routing
from shared.kinds.rollout import Rollout
from shared.kinds.strategy import HeaderMatch, HeaderRoute, StringMatch
from shared.kinds.trafficrouting import TrafficRouting

GROUP = "gateway.networking.k8s.io"
PLUGIN = "argoproj-labs/gatewayAPI"
MANAGED = "rollouts.argoproj.io/managed-header-routes"
KINDS = {"httpRoute": "HTTPRoute", "grpcRoute": "GRPCRoute", "tcpRoute": "TCPRoute", "tlsRoute": "TLSRoute"}
WITH_HEADERS = frozenset({"HTTPRoute", "GRPCRoute"})


class Named(NamedTuple):
    ref: Ref
    headers: bool


def configured(routing_: TrafficRouting) -> bool:
    return PLUGIN in routing_.plugins


def named(rollout: Rollout) -> list[Named]:
    """`httpRoute: NAME` and `httpRoutes: [{name, useHeaderRoutes}]`, and so on for each kind."""
    config = routing(rollout).plugins.get(PLUGIN)
    given: dict[str, Any] = config if isinstance(config, dict) else {}
    namespace = str(given.get("namespace") or rollout.metadata.namespace)
    found = []
    for field, kind in KINDS.items():
        one = [{"name": given[field], "useHeaderRoutes": True}] if given.get(field) else []
        entries = [entry for entry in (*one, *(given.get(f"{field}s") or ())) if isinstance(entry, dict)]
        found += [
            Named(
                Ref(GROUP, kind, namespace, str(entry.get("name") or "")),
                kind in WITH_HEADERS and bool(entry.get("useHeaderRoutes")),
            )
            for entry in entries
        ]
    return found


def reads(rollout: Rollout) -> tuple[Ref, ...]:
    return tuple(one.ref for one in named(rollout))


def route(objects: Objects, rollout: Rollout, plan: Plan) -> Routed:
    asked = named(rollout)
    missing = [f"{one.ref.kind} `{one.ref.name}` not found" for one in asked if objects.get(one.ref) is None]
    if missing or not asked:
        raise Unroutable(*(missing or [f"plugins.{PLUGIN} names no route"]))
    if plan.headers and not any(one.headers for one in asked):
        raise Unroutable("setHeaderRoute needs an HTTPRoute or GRPCRoute with useHeaderRoutes")
    return Routed(tuple(_routed(objects.get(one.ref) or {}, one, rollout.metadata.name, plan) for one in asked))


def _routed(live: Obj, asked: Named, rollout: str, plan: Plan) -> Obj:
    wanted = copy.deepcopy(live)
    spec = wanted.setdefault("spec", {})
    before = _managed(live)
    rules = [rule for rule in spec.get("rules") or () if not _made(rule, before.get(rollout) or [], plan)]
    ours = [rule for rule in rules if _backends(rule).keys() >= {plan.canary_service, plan.stable_service}]
    if not ours:
        raise Unroutable(f"{asked.ref.kind} `{asked.ref.name}` has no rule with both services of the Rollout")
    for rule in ours:
        _backends(rule)[plan.canary_service]["weight"] = plan.weights.canary
        _backends(rule)[plan.stable_service]["weight"] = plan.weights.stable
    headers = plan.headers if asked.headers else ()
    spec["rules"] = [*(_header_rule(rule, one, plan) for one in headers for rule in ours), *rules]
    _remember(wanted, before, rollout, headers)
    return wanted


def _backends(rule: Obj) -> dict[str, Obj]:
    """The services that a rule leads to, by name."""
    refs = rule.get("backendRefs") or ()
    return {str(ref.get("name")): ref for ref in refs if ref.get("kind", "Service") == "Service"}


def _header_rule(rule: Obj, header: HeaderRoute, plan: Plan) -> Obj:
    """The rule for requests with the headers, to the canary alone."""
    made = {name: copy.deepcopy(value) for name, value in rule.items() if name != "name"}
    matches = made.get("matches") or [{}]
    wanted = [_match(one) for one in header.match]
    made["matches"] = [{**match, "headers": [*(match.get("headers") or ()), *wanted]} for match in matches]
    made["backendRefs"] = [{**copy.deepcopy(_backends(rule)[plan.canary_service]), "weight": 1}]
    return made


def _match(match: HeaderMatch) -> Obj:
    value = match.header_value or StringMatch()
    if value.exact:
        return {"name": match.header_name, "type": "Exact", "value": value.exact}
    pattern = value.regex or f"{_escaped(value.prefix)}.*"
    return {"name": match.header_name, "type": "RegularExpression", "value": pattern}


def _escaped(text: str) -> str:
    """A prefix as the beginning of an RE2 pattern."""
    return "".join(f"\\{letter}" if letter in r"\.+*?()|[]{}^$" else letter for letter in text)


def _managed(live: Obj) -> dict[str, list[list[Obj]]]:
    """The header matches of the rules that were made, by Rollout."""
    text = ((live.get("metadata") or {}).get("annotations") or {}).get(MANAGED) or "{}"
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return {key: value for key, value in found.items() if isinstance(value, list)} if isinstance(found, dict) else {}


def _made(rule: Obj, remembered: list[list[Obj]], plan: Plan) -> bool:
    """Whether a rule is a header route of this Rollout: to the canary alone, for just these headers."""
    if set(_backends(rule)) != {plan.canary_service} and set(_backends(rule)) != {plan.stable_service}:
        return False
    matches = rule.get("matches") or ()
    return bool(matches) and any(
        all(all(one in (match.get("headers") or ()) for one in headers) for match in matches) for headers in remembered
    )


def _remember(wanted: Obj, before: dict[str, list[list[Obj]]], rollout: str, headers: tuple[HeaderRoute, ...]) -> None:
    made = [[_match(one) for one in header.match] for header in headers]
    after = {**{name: value for name, value in before.items() if name != rollout}, **({rollout: made} if made else {})}
    annotations = wanted.setdefault("metadata", {}).setdefault("annotations", {})
    if after:
        annotations[MANAGED] = json.dumps(after, separators=(",", ":"), sort_keys=True)
    else:
        annotations.pop(MANAGED, None)


ROUTER = Router(f"plugins.{PLUGIN}", configured, reads, route, headers=True)
