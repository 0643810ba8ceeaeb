"""AWS Load Balancer Controller: the action of a service as an annotation of its Ingresses, one for the weights and one
for each header route.

Which annotations are a Rollout's stands in `rollouts.argoproj.io/managed-alb-annotations` (a JSON object, Rollout to
names), so that those of another Rollout on the same Ingress stay. Every Ingress is looked at, whatever the others need.
"""

import copy
import json
from collections.abc import Iterator
from typing import Any

from services.rollout_manager.keys import Obj, Ref
from services.rollout_manager.traffic import Objects, Plan, Routed, Router, Unroutable, routing
from shared.kinds.rollout import Rollout
from shared.kinds.strategy import HeaderRoute
from shared.kinds.trafficrouting import ALB, TrafficRouting

GROUP = "networking.k8s.io"
PREFIX = "alb.ingress.kubernetes.io"
MANAGED = "rollouts.argoproj.io/managed-alb-annotations"
USE_ANNOTATION = "use-annotation"


def configured(routing_: TrafficRouting) -> bool:
    return routing_.alb is not None


def settings(rollout: Rollout) -> ALB:
    return routing(rollout).alb or ALB()


def reads(rollout: Rollout) -> tuple[Ref, ...]:
    alb = settings(rollout)
    names = alb.ingresses or ((alb.ingress,) if alb.ingress else ())
    return tuple(Ref(GROUP, "Ingress", rollout.metadata.namespace, name) for name in names)


def route(objects: Objects, rollout: Rollout, plan: Plan) -> Routed:
    root = settings(rollout).root_service or plan.stable_service
    found = [(ref, objects.get(ref)) for ref in reads(rollout)]
    problems = [f"ingress `{ref.name}` not found" for ref, live in found if live is None]
    problems += [
        f"ingress `{ref.name}` has no rules using service {root} backend"
        for ref, live in found
        if live is not None and not any(True for _ in _paths(live, root))
    ]
    if problems:
        raise Unroutable(*problems)
    return Routed(tuple(_routed(live, rollout, plan, root) for _, live in found if live is not None))


def _paths(ingress: Obj, service: str) -> Iterator[tuple[Obj, Obj]]:
    """Each rule with a path of it that leads to the service."""
    for rule in (ingress.get("spec") or {}).get("rules") or ():
        for path in (rule.get("http") or {}).get("paths") or ():
            if ((path.get("backend") or {}).get("service") or {}).get("name") == service:
                yield rule, path


def _routed(live: Obj, rollout: Rollout, plan: Plan, root: str) -> Obj:
    wanted = copy.deepcopy(live)
    prefix = settings(rollout).annotation_prefix or PREFIX
    annotations = dict(wanted["metadata"].get("annotations") or {})
    managed, name = _managed(annotations), rollout.metadata.name
    for key in managed.get(name) or ():
        annotations.pop(key, None)
    mine = {f"{prefix}/actions.{root}": _action(rollout, _shares(plan))}
    for header in plan.headers:
        mine[f"{prefix}/actions.{header.name}"] = _action(rollout, [(plan.canary_service, 100)])
        mine[f"{prefix}/conditions.{header.name}"] = _conditions(header)
    _set_rules(wanted, root, plan)
    annotations |= mine
    annotations[MANAGED] = json.dumps({**managed, name: sorted(mine)}, separators=(",", ":"), sort_keys=True)
    wanted["metadata"]["annotations"] = annotations
    return wanted


def _managed(annotations: Obj) -> dict[str, list[str]]:
    """What a person wrote there and is no such object counts as nothing."""
    try:
        found = json.loads(annotations.get(MANAGED) or "{}")
    except ValueError:
        return {}
    return {key: value for key, value in found.items() if isinstance(value, list)} if isinstance(found, dict) else {}


def _shares(plan: Plan) -> list[tuple[str, int]]:
    additional = ((one.service, one.weight) for one in plan.weights.additional)
    return [(plan.canary_service, plan.weights.canary), *additional, (plan.stable_service, plan.weights.stable)]


def _action(rollout: Rollout, shares: list[tuple[str, int]]) -> str:
    alb = settings(rollout)
    port = str(alb.service_port)
    forward: Obj = {
        "TargetGroups": [{"ServiceName": name, "ServicePort": port, "Weight": weight} for name, weight in shares]
    }
    if (sticky := alb.stickiness_config) is not None and sticky.enabled:
        forward["TargetGroupStickinessConfig"] = {"Enabled": True, "DurationSeconds": sticky.duration_seconds}
    return _json({"Type": "forward", "ForwardConfig": forward})


def _conditions(header: HeaderRoute) -> str:
    return _json(
        [
            {
                "field": "http-header",
                "httpHeaderConfig": {
                    "httpHeaderName": one.header_name,
                    "values": [one.header_value.exact if one.header_value else ""],
                },
            }
            for one in header.match
        ]
    )


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _set_rules(ingress: Obj, root: str, plan: Plan) -> None:
    """Before each path to the root service one for each header route; those of managed routes that don't hold go."""
    for rule in (ingress.get("spec") or {}).get("rules") or ():
        paths = (rule.get("http") or {}).get("paths")
        if not paths:
            continue
        others = [path for path in paths if not (_by_annotation(path) and _name(path) in plan.managed)]
        roots = [path for path in others if _name(path) == root]
        made = [_led_to(path, one.name) for one in plan.headers for path in roots]
        rule["http"]["paths"] = [*made, *others]


def _service(path: Obj) -> Obj:
    found: Obj = (path.get("backend") or {}).get("service") or {}
    return found


def _name(path: Obj) -> str:
    return str(_service(path).get("name") or "")


def _by_annotation(path: Obj) -> bool:
    return (_service(path).get("port") or {}).get("name") == USE_ANNOTATION


def _led_to(path: Obj, name: str) -> Obj:
    return {**path, "backend": {"service": {"name": name, "port": {"name": USE_ANNOTATION}}}}


ROUTER = Router("alb", configured, reads, route, headers=True, experiments=True, ping_pong=True)
