"""For each router what it is configured with and finds in the cluster, and how a person would read the weights off it.

The services are `canary` and `stable`, the Rollout is `web`, and everything has something foreign in it that must stay.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from services.rollout_manager.keys import Obj, Ref, ref_of
from services.rollout_manager.traffic import Plan, Routed, Router, Weights
from services.rollout_manager.traffic.apply import carried, follows, reads, route
from services.rollout_manager.traffic.routers import configured
from shared.kinds.rollout import Rollout

NAMESPACE = "test"
ROUTES = ("first", "second")


def plan(canary: int = 20, **fields: Any) -> Plan:
    weights = fields.pop("weights", Weights(canary, 100 - canary))
    return Plan(weights, "canary", "stable", "newhash", "oldhash", managed=ROUTES, **fields)


def rollout(routing: Obj) -> Rollout:
    """A Rollout with this traffic routing."""
    managed = {"managedRoutes": [{"name": name} for name in ROUTES]}
    canary = {"canaryService": "canary", "stableService": "stable", "trafficRouting": {**routing, **managed}}
    metadata = {"name": "web", "namespace": NAMESPACE, "uid": "uid-of-web"}
    spec = {"selector": {"matchLabels": {"app": "web"}}, "template": {}, "strategy": {"canary": canary}}
    return Rollout.parse({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": metadata, "spec": spec})


def obj(api: str, kind: str, name: str, spec: Obj, **metadata: Any) -> Obj:
    named = {"name": name, "namespace": NAMESPACE, "resourceVersion": "1", **metadata}
    return {"apiVersion": api, "kind": kind, "metadata": named, "spec": spec}


@dataclass(frozen=True)
class Case:
    """`shares` reads (canary, stable) off the objects after a pass; `foreign` what must be the same as before."""

    name: str
    routing: Obj
    live: tuple[Obj, ...]
    shares: Callable[[dict[Ref, Obj]], tuple[int, int]]
    foreign: Callable[[dict[Ref, Obj]], Any]

    @property
    def rollout(self) -> Rollout:
        return rollout(self.routing)

    @property
    def routers(self) -> tuple[Router, ...]:
        routing = self.rollout.spec.strategy.canary
        assert routing is not None
        assert routing.traffic_routing is not None
        return configured(routing.traffic_routing)

    def begin(self) -> dict[Ref, Obj]:
        return {ref_of(one): one for one in self.live}

    def apply(self, live: dict[Ref, Obj], wanted: Plan) -> dict[Ref, Obj]:
        """One pass: read, route, write."""
        found: dict[Ref, Obj | None] = {ref: live.get(ref) for ref in reads(self.routers, self.rollout)}
        found |= {ref: live.get(ref) for ref in follows(self.routers, found, self.rollout)}
        return written(live, route(self.routers, found, self.rollout, wanted))


def written(live: dict[Ref, Obj], routed: Routed) -> dict[Ref, Obj]:
    after = dict(live)
    for one in routed.wanted:
        ref = ref_of(one)
        made = {**one, "metadata": {**one["metadata"], "resourceVersion": "1"}}
        after[ref] = carried(live[ref], one) if ref in live else made
    for ref in routed.unwanted:
        del after[ref]
    return after


def _weights(entries: list[Obj], name: Callable[[Obj], str]) -> tuple[int, int]:
    found = {name(one): int(one.get("weight", 0)) for one in entries}
    return found["canary"], found["stable"]


def istio_route(**fields: Any) -> Obj:
    to = [("canary", 0), ("stable.test.svc.cluster.local", 90), ("legacy", 10)]
    return {
        "name": "primary",
        "route": [
            {"destination": {"host": host, "port": {"number": 80}}, "weight": weight, "headers": {"keep": {}}}
            for host, weight in to
        ],
        **fields,
    }


def _istio(after: dict[Ref, Obj]) -> tuple[int, int]:
    route = next(one for one in _virtual(after)["http"] if one["name"] == "primary")
    return _weights(route["route"], lambda one: str(one["destination"]["host"]).partition(".")[0])


def _virtual(after: dict[Ref, Obj]) -> Obj:
    spec: Obj = after[Ref("networking.istio.io", "VirtualService", NAMESPACE, "vs")]["spec"]
    return spec


def _subsets(after: dict[Ref, Obj]) -> list[Obj]:
    found: list[Obj] = after[Ref("networking.istio.io", "DestinationRule", NAMESPACE, "dr")]["spec"]["subsets"]
    return found


def _alb(after: dict[Ref, Obj]) -> tuple[int, int]:
    annotations = after[Ref("networking.k8s.io", "Ingress", NAMESPACE, "ing")]["metadata"]["annotations"]
    action = json.loads(annotations["alb.ingress.kubernetes.io/actions.stable"])
    groups = {one["ServiceName"]: one["Weight"] for one in action["ForwardConfig"]["TargetGroups"]}
    return groups["canary"], groups["stable"]


def _ambassador(after: dict[Ref, Obj]) -> tuple[int, int]:
    made = after.get(Ref("getambassador.io", "Mapping", NAMESPACE, "map-canary"))
    weight = made["spec"]["weight"] if made else 0
    return weight, 100 - weight


def _mesh(after: dict[Ref, Obj]) -> tuple[int, int]:
    routes = after[Ref("appmesh.k8s.aws", "VirtualRouter", NAMESPACE, "router")]["spec"]["routes"]
    targets = routes[0]["httpRoute"]["action"]["weightedTargets"]
    return _weights(targets, lambda one: str(one["virtualNodeRef"]["name"]).removesuffix("-node"))


def _gateway(after: dict[Ref, Obj]) -> tuple[int, int]:
    rules = after[Ref("gateway.networking.k8s.io", "HTTPRoute", NAMESPACE, "http")]["spec"]["rules"]
    rule = next(one for one in rules if len(one["backendRefs"]) == 2)
    return _weights(rule["backendRefs"], lambda one: str(one["name"]))


def backends(*names: str) -> list[Obj]:
    return [{"group": "", "kind": "Service", "name": name, "port": 80, "weight": 1} for name in names]


ISTIO = "networking.istio.io/v1"
MESH = "appmesh.k8s.aws/v1beta2"
TARGETS = [{"virtualNodeRef": {"name": f"{name}-node"}, "weight": 1} for name in ("canary", "stable")]
CASES = (
    Case(
        "istio hosts",
        {"istio": {"virtualService": {"name": "vs.test", "routes": ["primary"]}}},
        (obj(ISTIO, "VirtualService", "vs", {"hosts": ["web"], "http": [istio_route(), {"name": "other"}]}),),
        lambda after: tuple(round(one / 0.9) for one in _istio(after)),  # type: ignore[arg-type, return-value]
        lambda after: [_virtual(after)["http"][0]["route"][2], _virtual(after)["http"][1], _virtual(after)["hosts"]],
    ),
    Case(
        "istio subsets",
        {
            "istio": {
                "virtualService": {"name": "vs"},
                "destinationRule": {"name": "dr", "canarySubsetName": "new", "stableSubsetName": "old"},
            }
        },
        (
            obj(
                ISTIO,
                "VirtualService",
                "vs",
                {
                    "http": [
                        {
                            "route": [
                                {"destination": {"host": "web", "subset": "new"}, "weight": 0},
                                {"destination": {"host": "web", "subset": "old"}, "weight": 100},
                            ]
                        }
                    ]
                },
            ),
            obj(
                ISTIO,
                "DestinationRule",
                "dr",
                {"host": "web", "subsets": [{"name": "old", "labels": {"app": "web"}}, {"name": "theirs"}]},
            ),
        ),
        lambda after: tuple(one["weight"] for one in _virtual(after)["http"][-1]["route"]),
        lambda after: [one for one in _subsets(after) if one["name"] == "theirs"],
    ),
    Case(
        "alb",
        {"alb": {"ingress": "ing", "servicePort": 443, "stickinessConfig": {"enabled": True, "durationSeconds": 60}}},
        (
            obj(
                "networking.k8s.io/v1",
                "Ingress",
                "ing",
                {
                    "rules": [
                        {
                            "http": {
                                "paths": [
                                    {"path": "/", "backend": {"service": {"name": name, "port": {"name": port}}}}
                                    for name, port in (("stable", "use-annotation"), ("theirs", "use-annotation"))
                                ]
                            }
                        },
                        {"host": "no-http"},
                    ]
                },
                annotations={"theirs": "x", "alb.ingress.kubernetes.io/actions.theirs": "{}"},
            ),
        ),
        _alb,
        lambda after: (
            after[Ref("networking.k8s.io", "Ingress", NAMESPACE, "ing")]["spec"],
            after[Ref("networking.k8s.io", "Ingress", NAMESPACE, "ing")]["metadata"]["annotations"]["theirs"],
        ),
    ),
    Case(
        "smi",
        {"smi": {"rootService": "root"}},
        (),
        lambda after: _weights(
            after[Ref("split.smi-spec.io", "TrafficSplit", NAMESPACE, "web")]["spec"]["backends"],
            lambda one: str(one["service"]),
        ),
        lambda _after: None,
    ),
    Case(
        "ambassador",
        {"ambassador": {"mappings": ["map"]}},
        (obj("getambassador.io/v3alpha1", "Mapping", "map", {"prefix": "/", "service": "http://stable.test:80"}),),
        _ambassador,
        lambda after: after[Ref("getambassador.io", "Mapping", NAMESPACE, "map")],
    ),
    Case(
        "appMesh",
        {
            "appMesh": {
                "virtualService": {"name": "vs"},
                "virtualNodeGroup": {
                    "canaryVirtualNodeRef": {"name": "canary-node"},
                    "stableVirtualNodeRef": {"name": "stable-node"},
                },
            }
        },
        (
            obj(
                MESH,
                "VirtualService",
                "vs",
                {"provider": {"virtualRouter": {"virtualRouterRef": {"name": "router"}}}},
            ),
            obj(MESH, "VirtualNode", "canary-node", {"podSelector": {"matchLabels": {"app": "web"}}}),
            obj(MESH, "VirtualNode", "stable-node", {"listeners": [1]}),
            obj(
                MESH,
                "VirtualRouter",
                "router",
                {"routes": [{"name": "r", "httpRoute": {"action": {"weightedTargets": TARGETS}, "match": {}}}]},
            ),
        ),
        _mesh,
        lambda after: after[Ref("appmesh.k8s.aws", "VirtualNode", NAMESPACE, "stable-node")]["spec"]["listeners"],
    ),
    Case(
        "traefik",
        {"traefik": {"weightedTraefikServiceName": "split"}},
        (
            obj(
                "traefik.io/v1alpha1",
                "TraefikService",
                "split",
                {
                    "weighted": {
                        "services": [{"name": name, "weight": 7, "port": 80} for name in ("stable", "theirs", "canary")]
                    }
                },
            ),
        ),
        lambda after: _weights(
            after[Ref("traefik.io", "TraefikService", NAMESPACE, "split")]["spec"]["weighted"]["services"],
            lambda one: str(one["name"]),
        ),
        lambda after: after[Ref("traefik.io", "TraefikService", NAMESPACE, "split")]["spec"]["weighted"]["services"][1],
    ),
    Case(
        "apisix",
        {"apisix": {"route": {"name": "web", "rules": ["mine"]}}},
        (
            obj(
                "apisix.apache.org/v2",
                "ApisixRoute",
                "web",
                {
                    "http": [
                        {"name": "theirs", "backends": [{"serviceName": "x", "weight": 3}]},
                        {
                            "name": "mine",
                            "match": {"paths": ["/*"]},
                            "backends": [{"serviceName": "canary"}, {"serviceName": "stable", "weight": 100}],
                        },
                    ]
                },
            ),
        ),
        lambda after: _weights(
            after[Ref("apisix.apache.org", "ApisixRoute", NAMESPACE, "web")]["spec"]["http"][1]["backends"],
            lambda one: str(one["serviceName"]),
        ),
        lambda after: after[Ref("apisix.apache.org", "ApisixRoute", NAMESPACE, "web")]["spec"]["http"][0],
    ),
    Case(
        "gateway API",
        {"plugins": {"argoproj-labs/gatewayAPI": {"httpRoute": "http", "tcpRoutes": [{"name": "tcp"}]}}},
        (
            obj(
                "gateway.networking.k8s.io/v1",
                "HTTPRoute",
                "http",
                {
                    "rules": [
                        {
                            "matches": [{"path": {"type": "PathPrefix", "value": "/x"}}],
                            "backendRefs": backends("theirs"),
                        },
                        {
                            "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
                            "backendRefs": backends("canary", "stable"),
                        },
                    ]
                },
            ),
            obj(
                "gateway.networking.k8s.io/v1alpha2",
                "TCPRoute",
                "tcp",
                {"rules": [{"backendRefs": backends("stable", "canary")}]},
            ),
        ),
        _gateway,
        lambda after: [
            one
            for one in after[Ref("gateway.networking.k8s.io", "HTTPRoute", NAMESPACE, "http")]["spec"]["rules"]
            if one["backendRefs"] == backends("theirs")
        ],
    ),
)
