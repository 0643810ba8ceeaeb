"""ingress-nginx: a second Ingress beside the stable one, `<rollout>-<stable ingress>-canary`, whose annotations carry
the weight.

Reads the stable Ingresses and the canary ones; writes only the canary ones, which the Rollout owns. Headers and mirrors
are not nginx's: canary-by-header goes through additionalIngressAnnotations.
"""

import copy
from typing import Any

from services.rollout_manager.keys import Obj, Ref
from services.rollout_manager.traffic import Objects, Plan, Routed, Router, Unroutable, owner_reference, routing
from shared.kinds.rollout import Rollout
from shared.kinds.trafficrouting import Nginx, TrafficRouting

GROUP = "networking.k8s.io"
PREFIX = "nginx.ingress.kubernetes.io"
CLASS = "kubernetes.io/ingress.class"
LONGEST_NAME = 253


def configured(routing_: TrafficRouting) -> bool:
    return routing_.nginx is not None


def settings(rollout: Rollout) -> Nginx:
    nginx = routing(rollout).nginx
    assert nginx is not None
    return nginx


def stable_names(nginx: Nginx) -> tuple[str, ...]:
    return nginx.stable_ingresses or ((nginx.stable_ingress,) if nginx.stable_ingress else ())


def canary_name(rollout: Rollout, stable: str) -> str:
    return f"{rollout.metadata.name}-{stable}-canary"[:LONGEST_NAME]


def _ref(rollout: Rollout, name: str) -> Ref:
    return Ref(GROUP, "Ingress", rollout.metadata.namespace, name)


def reads(rollout: Rollout) -> tuple[Ref, ...]:
    names = stable_names(settings(rollout))
    return tuple(_ref(rollout, name) for stable in names for name in (stable, canary_name(rollout, stable)))


def route(objects: Objects, rollout: Rollout, plan: Plan) -> Routed:
    found = {name: objects.get(_ref(rollout, name)) for name in stable_names(settings(rollout))}
    missing = [f"ingress `{name}` not found" for name, obj in found.items() if obj is None]
    without = [
        f"ingress `{name}` has no rules using service {plan.stable_service} backend"
        for name, obj in found.items()
        if obj is not None and not _rules(obj, plan)
    ]
    if missing or without:
        raise Unroutable(*missing, *without)
    stolen = [name for name in found if not _ours(objects.get(_ref(rollout, canary_name(rollout, name))), rollout)]
    if stolen:
        names = ", ".join(f"`{canary_name(rollout, name)}`" for name in stolen)
        raise Unroutable(f"ingress {names} exists and is not controlled by rollout {rollout.metadata.name}")
    return Routed(tuple(_canary(obj, name, rollout, plan) for name, obj in found.items() if obj is not None))


def _ours(canary: Obj | None, rollout: Rollout) -> bool:
    owners = (canary or {}).get("metadata", {}).get("ownerReferences") or ()
    return canary is None or any(owner.get("uid") == rollout.metadata.uid for owner in owners)


def _canary(stable: Obj, name: str, rollout: Rollout, plan: Plan) -> Obj:
    spec = stable.get("spec") or {}
    kept: Obj = {field: copy.deepcopy(spec[field]) for field in ("ingressClassName", "tls") if spec.get(field)}
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "Ingress",
        "metadata": {
            "name": canary_name(rollout, name),
            "namespace": rollout.metadata.namespace,
            "annotations": _annotations(stable, rollout, plan),
            "ownerReferences": [owner_reference(rollout)],
        },
        "spec": {**kept, "rules": _rules(stable, plan)},
    }


def _annotations(stable: Obj, rollout: Rollout, plan: Plan) -> dict[str, str]:
    nginx = settings(rollout)
    prefix = nginx.annotation_prefix or PREFIX
    own = (stable.get("metadata") or {}).get("annotations") or {}
    made = {CLASS: own[CLASS]} if CLASS in own else {}
    made |= {_prefixed(prefix, name): value for name, value in nginx.additional_ingress_annotations.items()}
    made |= nginx.canary_ingress_annotations
    made |= {f"{prefix}/canary": "true", f"{prefix}/canary-weight": str(plan.weights.canary)}
    if routing(rollout).max_traffic_weight is not None:
        made[f"{prefix}/canary-weight-total"] = str(plan.weights.max)
    return made


def _prefixed(prefix: str, name: str) -> str:
    return name if name.startswith(prefix) else f"{prefix}/{name}"


def _rules(stable: Obj, plan: Plan) -> list[Obj]:
    """The rules that lead to the stable service, leading to the canary's; rules and paths to elsewhere are left out."""
    rules = [_rule(rule, plan) for rule in (stable.get("spec") or {}).get("rules") or () if isinstance(rule, dict)]
    return [rule for rule in rules if rule["http"]["paths"]]


def _rule(rule: Obj, plan: Plan) -> Obj:
    paths = ((rule.get("http") or {}).get("paths")) or ()
    ours = [_path(path, plan) for path in paths if _service(path).get("name") == plan.stable_service]
    return {**({"host": rule["host"]} if rule.get("host") else {}), "http": {"paths": ours}}


def _service(path: Any) -> Obj:
    """A path may lead to a resource instead of a service."""
    backend = path.get("backend") if isinstance(path, dict) else None
    return (backend or {}).get("service") or {}


def _path(path: Obj, plan: Plan) -> Obj:
    made = copy.deepcopy(path)
    made["backend"]["service"]["name"] = plan.canary_service
    return made


ROUTER = Router("nginx", configured, reads, route, max_weight=True)
