"""AWS App Mesh: the pod selectors of two VirtualNodes, and the weighted targets of the VirtualRouter behind a
VirtualService.
"""

import copy
from collections.abc import Iterator

from services.rollout_manager.keys import Obj, Ref
from services.rollout_manager.labels import HASH
from services.rollout_manager.traffic import Objects, Plan, Routed, Router, Unroutable, routing
from shared.kinds.rollout import Rollout
from shared.kinds.trafficrouting import AppMesh, AppMeshNodeGroup, AppMeshVirtualService, NamedRef, TrafficRouting

GROUP = "appmesh.k8s.aws"
PROTOCOLS = ("httpRoute", "http2Route", "grpcRoute", "tcpRoute")


def configured(routing_: TrafficRouting) -> bool:
    return routing_.app_mesh is not None


def settings(rollout: Rollout) -> AppMesh:
    return routing(rollout).app_mesh or AppMesh()


def service(rollout: Rollout) -> AppMeshVirtualService:
    return settings(rollout).virtual_service or AppMeshVirtualService()


def nodes(rollout: Rollout) -> tuple[str, str]:
    """The names of the canary's and the stable VirtualNode."""
    group = settings(rollout).virtual_node_group or AppMeshNodeGroup()
    canary, stable = group.canary_virtual_node_ref or NamedRef(), group.stable_virtual_node_ref or NamedRef()
    return canary.name, stable.name


def reads(rollout: Rollout) -> tuple[Ref, ...]:
    namespace = rollout.metadata.namespace
    named = (Ref(GROUP, "VirtualNode", namespace, name) for name in nodes(rollout) if name)
    return (Ref(GROUP, "VirtualService", namespace, service(rollout).name), *named)


def follows(objects: Objects, rollout: Rollout) -> tuple[Ref, ...]:
    """The VirtualRouter that the VirtualService names."""
    virtual = objects.get(reads(rollout)[0]) or {}
    provider = ((virtual.get("spec") or {}).get("provider") or {}).get("virtualRouter") or {}
    ref = provider.get("virtualRouterRef") or {}
    namespace = ref.get("namespace") or rollout.metadata.namespace
    return (Ref(GROUP, "VirtualRouter", namespace, ref["name"]),) if ref.get("name") else ()


def route(objects: Objects, rollout: Rollout, plan: Plan) -> Routed:
    missing = [f"{ref.kind} `{ref.name}` not found" for ref in reads(rollout) if objects.get(ref) is None]
    routers = follows(objects, rollout)
    if not missing and not routers:
        missing = [f"VirtualService `{service(rollout).name}` has no virtualRouter as its provider"]
    missing += [f"VirtualRouter `{ref.name}` not found" for ref in routers if objects.get(ref) is None]
    if missing:
        raise Unroutable(*missing)
    return Routed((*_nodes(objects, rollout, plan), *(_router(objects[ref] or {}, rollout, plan) for ref in routers)))


def _nodes(objects: Objects, rollout: Rollout, plan: Plan) -> Iterator[Obj]:
    for name, hash_ in zip(nodes(rollout), (plan.canary_hash, plan.stable_hash), strict=True):
        node = copy.deepcopy(objects.get(Ref(GROUP, "VirtualNode", rollout.metadata.namespace, name)))
        if node is not None and hash_:
            selector = node.setdefault("spec", {}).setdefault("podSelector", {})
            selector["matchLabels"] = {**(selector.get("matchLabels") or {}), HASH: hash_}
            yield node


def _router(live: Obj, rollout: Rollout, plan: Plan) -> Obj:
    wanted = copy.deepcopy(live)
    name = f"VirtualRouter `{live['metadata']['name']}`"
    routes = (wanted.get("spec") or {}).get("routes") or []
    asked = service(rollout).routes
    chosen = [one for one in routes if not asked or one.get("name") in asked]
    unknown = set(asked) - {one.get("name") for one in routes}
    problems = [f"{name} has no route `{one}`" for one in sorted(unknown)]
    problems += [] if chosen or unknown else [f"{name}: No routes defined"]
    problems += [problem for one in chosen for problem in _weigh(one, name, nodes(rollout), plan)]
    if problems:
        raise Unroutable(*problems)
    return wanted


def _weigh(one: Obj, router: str, names: tuple[str, str], plan: Plan) -> Iterator[str]:
    """Set the weights of a route's two targets; says what is wrong with them."""
    kind = next((kind for kind in PROTOCOLS if one.get(kind)), "")
    targets = ((one.get(kind) or {}).get("action") or {}).get("weightedTargets") or []
    if len(targets) != 2:
        yield f"{router}: Invalid number of weightedTargets ({len(targets)}) for route `{one.get('name')}`, expected 2"
        return
    shares = dict(zip(names, (plan.weights.canary, plan.weights.stable), strict=True))
    for target in targets:
        node = (target.get("virtualNodeRef") or {}).get("name")
        if node in shares:
            target["weight"] = shares[node]
        else:
            yield f"{router}: route `{one.get('name')}` leads to the VirtualNode `{node}`, which is not of this Rollout"


ROUTER = Router("appMesh", configured, reads, route, follows=follows)
