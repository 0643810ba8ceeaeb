"""Service Mesh Interface: one TrafficSplit, owned by the Rollout, that divides the root service's traffic."""

from services.rollout_manager.keys import Obj, Ref
from services.rollout_manager.traffic import Objects, Plan, Routed, Router, Unroutable, owner_reference, routing
from shared.kinds.rollout import Rollout
from shared.kinds.trafficrouting import SMI, TrafficRouting

GROUP = "split.smi-spec.io"
VERSION = "v1alpha1"


def configured(routing_: TrafficRouting) -> bool:
    return routing_.smi is not None


def settings(rollout: Rollout) -> SMI:
    return routing(rollout).smi or SMI()


def reads(rollout: Rollout) -> tuple[Ref, ...]:
    name = settings(rollout).traffic_split_name or rollout.metadata.name
    return (Ref(GROUP, "TrafficSplit", rollout.metadata.namespace, name),)


def route(objects: Objects, rollout: Rollout, plan: Plan) -> Routed:
    (ref,) = reads(rollout)
    live = objects.get(ref)
    owners = (live or {}).get("metadata", {}).get("ownerReferences") or ()
    if live is not None and all(owner.get("uid") != rollout.metadata.uid for owner in owners):
        raise Unroutable(f"Rollout does not own TrafficSplit `{ref.name}`")
    return Routed((_split(ref, rollout, plan),))


def _split(ref: Ref, rollout: Rollout, plan: Plan) -> Obj:
    shares = [(plan.canary_service, plan.weights.canary)]
    shares += [(one.service, one.weight) for one in plan.weights.additional]
    shares.append((plan.stable_service, plan.weights.stable))
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "TrafficSplit",
        "metadata": {
            "name": ref.name,
            "namespace": ref.namespace,
            "ownerReferences": [owner_reference(rollout)],
        },
        "spec": {
            "service": settings(rollout).root_service or plan.stable_service,
            "backends": [{"service": service, "weight": weight} for service, weight in shares],
        },
    }


ROUTER = Router("smi", configured, reads, route, experiments=True)
