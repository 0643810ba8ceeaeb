"""What the rollout manager sets in objects that git describes too: left as it is, so that the two never fight. Pure.

In: the desired object and the live one. Out: the desired object with live's values where the rollout manager has
written (it writes as `rollouts-controller`, as Argo Rollouts does): the pod hash in a Service's selector, the weights
of routes, the pods of a workload that a Rollout took over. A change in git to anything else is a change as ever. A
Rollout is told which delivery brought its spec, by an annotation that no comparison counts.
"""

from collections.abc import Mapping
from typing import Any

from shared.events import DELIVERY, aborted
from shared.kinds.refs import ResourceKey
from shared.merge import Path, jq_path, managed_by, with_live

Obj = dict[str, Any]
MANAGER = "rollouts-controller"
HASH = "rollouts-pod-template-hash"

_PLACES: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("apps", "Deployment"): (".spec.replicas",),
    ("networking.istio.io", "VirtualService"): tuple(
        f".spec.{kind}[].route[].weight" for kind in ("http", "tls", "tcp")
    ),
    ("networking.istio.io", "DestinationRule"): (f'.spec.subsets[].labels["{HASH}"]',),
    ("gateway.networking.k8s.io", "HTTPRoute"): (".spec.rules[].backendRefs[].weight",),
    ("gateway.networking.k8s.io", "GRPCRoute"): (".spec.rules[].backendRefs[].weight",),
    ("gateway.networking.k8s.io", "TCPRoute"): (".spec.rules[].backendRefs[].weight",),
    ("gateway.networking.k8s.io", "TLSRoute"): (".spec.rules[].backendRefs[].weight",),
    ("traefik.io", "TraefikService"): (".spec.weighted.services[].weight",),
    ("apisix.apache.org", "ApisixRoute"): (".spec.http[].backends[].weight",),
}


def group_kind(obj: Obj) -> tuple[str, str]:
    return str(obj.get("apiVersion") or "").rpartition("/")[0], str(obj.get("kind") or "")


def yielded(obj: Obj, live: Obj) -> Obj:
    """Give the desired object as it is to be compared with this live one, or applied to it."""
    kind = group_kind(obj)
    if kind == ("argoproj.io", "Rollout"):
        return told(obj, str(((live.get("metadata") or {}).get("annotations") or {}).get(DELIVERY) or ""))
    if not managed_by(live, (MANAGER,)):
        return obj
    if kind == ("", "Service"):
        return _selecting(obj, live)
    return with_live(obj, live, _paths(kind))


def _paths(kind: tuple[str, str]) -> tuple[Path, ...]:
    found = (jq_path(text) for text in _PLACES.get(kind, ()))
    return tuple(path for path in found if path is not None)


def _selecting(service: Obj, live: Obj) -> Obj:
    """A selector is one value to the API server: without the hash an apply would take it away."""
    wanted = (service.get("spec") or {}).get("selector")
    hash_ = ((live.get("spec") or {}).get("selector") or {}).get(HASH)
    if not wanted or not hash_:
        return service
    return {**service, "spec": {**service["spec"], "selector": {**wanted, HASH: hash_}}}


def left_alone(key: ResourceKey, rollout: Obj) -> tuple[ResourceKey, ...]:
    """Give what self-heal leaves alone for a live Rollout: nothing, unless its update was aborted and git has not moved
    since. Then it is the Rollout, and the workload whose pod template it takes.
    """
    if aborted((rollout.get("metadata") or {}).get("annotations") or {}) is None:
        return ()
    ref = (rollout.get("spec") or {}).get("workloadRef") or {}
    group = str(ref.get("apiVersion") or "").rpartition("/")[0]
    workload = ResourceKey(group, str(ref.get("kind") or ""), key.namespace, str(ref.get("name") or ""))
    return (key, workload) if ref else (key,)


def told(obj: Obj, delivery: str) -> Obj:
    """Give a Rollout with the delivery that brought it; any other object as it is."""
    if not delivery or group_kind(obj) != ("argoproj.io", "Rollout"):
        return obj
    metadata = obj.get("metadata") or {}
    annotations = {**(metadata.get("annotations") or {}), DELIVERY: delivery}
    return {**obj, "metadata": {**metadata, "annotations": annotations}}
