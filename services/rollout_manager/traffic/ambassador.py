"""Ambassador (Emissary): beside each base Mapping a `<name>-canary` one with the canary's weight.

The base Mapping gets what is left, so it must not define a weight. At no weight the canary's Mapping is deleted, which
gives all to the base at once; nothing waits for anything.
"""

import copy
import re

from services.rollout_manager.keys import Obj, Ref
from services.rollout_manager.traffic import Objects, Plan, Routed, Router, Unroutable, owner_reference, routing
from shared.kinds.rollout import Rollout
from shared.kinds.trafficrouting import TrafficRouting

GROUP = "getambassador.io"
SERVICE = re.compile(r"(?P<scheme>\w+://)?(?P<host>[^:/]+)(?P<rest>.*)")


def configured(routing_: TrafficRouting) -> bool:
    return routing_.ambassador is not None


def _pairs(rollout: Rollout) -> list[tuple[Ref, Ref]]:
    """The base Mapping and the canary's, for each."""
    ambassador = routing(rollout).ambassador
    namespace = rollout.metadata.namespace
    names = ambassador.mappings if ambassador else ()
    return [(Ref(GROUP, "Mapping", namespace, name), Ref(GROUP, "Mapping", namespace, canary(name))) for name in names]


def canary(name: str) -> str:
    return f"{name}-canary"


def reads(rollout: Rollout) -> tuple[Ref, ...]:
    return tuple(ref for pair in _pairs(rollout) for ref in pair)


def route(objects: Objects, rollout: Rollout, plan: Plan) -> Routed:
    pairs = _pairs(rollout)
    bases = [(objects.get(base), ref) for base, ref in pairs]
    problems = [f"Ambassador mapping `{base.name}` not found" for base, _ in pairs if objects.get(base) is None]
    problems += [
        f"Ambassador mapping {base['metadata']['name']!r} can not define weight"
        for base, _ in bases
        if base is not None and (base.get("spec") or {}).get("weight") is not None
    ]
    problems += [f"Mapping `{ref.name}` is not of this Rollout" for _, ref in pairs if not _ours(objects, ref, rollout)]
    if problems:
        raise Unroutable(*problems)
    if plan.weights.canary == 0:
        return Routed(unwanted=tuple(ref for _, ref in pairs if objects.get(ref) is not None))
    return Routed(tuple(_canary(base, ref, rollout, plan) for base, ref in bases if base is not None))


def _ours(objects: Objects, ref: Ref, rollout: Rollout) -> bool:
    live = objects.get(ref)
    owners = (live or {}).get("metadata", {}).get("ownerReferences") or ()
    return live is None or any(owner.get("uid") == rollout.metadata.uid for owner in owners)


def _canary(base: Obj, ref: Ref, rollout: Rollout, plan: Plan) -> Obj:
    spec = copy.deepcopy(base.get("spec") or {})
    spec["service"] = service(str(spec.get("service") or ""), plan.canary_service)
    spec["weight"] = plan.weights.canary
    metadata = {"name": ref.name, "namespace": ref.namespace, "ownerReferences": [owner_reference(rollout)]}
    return {"apiVersion": base["apiVersion"], "kind": "Mapping", "metadata": metadata, "spec": spec}


def service(base: str, name: str) -> str:
    """`[scheme://]host[.namespace][:port]` with another service's name."""
    match = SERVICE.fullmatch(base)
    if match is None:
        return name
    _, dot, namespace = match["host"].partition(".")
    return f"{match['scheme'] or ''}{name}{dot}{namespace}{match['rest']}"


ROUTER = Router("ambassador", configured, reads, route)
