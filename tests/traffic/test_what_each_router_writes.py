"""What is peculiar to one router: how its objects look to those who read them."""

import json

import pytest

from services.rollout_manager.keys import Obj, Ref
from services.rollout_manager.labels import HASH, MANAGED_BY
from services.rollout_manager.traffic import Unroutable
from services.rollout_manager.traffic.ambassador import service
from services.rollout_manager.traffic.istio import virtual_refs
from shared.kinds.strategy import HeaderRoute, MirrorRoute
from tests.traffic.objects import CASES, ISTIO, NAMESPACE, Case, istio_route, obj, plan, rollout

BY_NAME = {case.name: case for case in CASES}
BY_HEADER = HeaderRoute.model_validate(
    {
        "name": "first",
        "match": [
            {"headerName": "a", "headerValue": {"exact": "1"}},
            {"headerName": "b", "headerValue": {"prefix": "x.y"}},
            {"headerName": "c", "headerValue": {"regex": "[0-9]+"}},
        ],
    }
)
EXACT = HeaderRoute.model_validate({"name": "first", "match": [{"headerName": "a", "headerValue": {"exact": "1"}}]})
MIRROR = MirrorRoute.model_validate(
    {
        "name": "second",
        "percentage": 30,
        "match": [{"method": {"exact": "GET"}, "path": {"prefix": "/"}, "headers": {"h": {"regex": "v.*"}}}],
    }
)


def virtual(spec: Obj, *, routes: tuple[str, ...] = (), **asked: object) -> Case:
    named = {"name": "vs", "routes": list(routes), **asked}
    return Case(
        "vs",
        {"istio": {"virtualService": named}},
        (obj(ISTIO, "VirtualService", "vs", spec),),
        lambda _after: (0, 0),
        lambda _after: None,
    )


def spec_of(case: Case, **wanted: object) -> Obj:
    after = case.apply(case.begin(), plan(20, **wanted))
    found: Obj = after[Ref("networking.istio.io", "VirtualService", NAMESPACE, "vs")]["spec"]
    return found


def test_istio_puts_managed_routes_on_top_in_their_order() -> None:
    http = spec_of(BY_NAME["istio hosts"], headers=(BY_HEADER,), mirrors=(MIRROR,))["http"]
    assert [one["name"] for one in http] == ["first", "second", "primary", "other"]
    canary = {"host": "canary", "port": {"number": 80}}
    assert http[0]["route"] == [{"destination": canary, "weight": 100}]
    assert http[0]["match"] == [
        {"headers": {"a": {"exact": "1"}}},
        {"headers": {"b": {"prefix": "x.y"}}},
        {"headers": {"c": {"regex": "[0-9]+"}}},
    ]
    assert (http[1]["mirror"], http[1]["mirrorPercentage"]) == (canary, {"value": 30})
    assert http[1]["match"] == [
        {"method": {"exact": "GET"}, "uri": {"prefix": "/"}, "headers": {"h": {"regex": "v.*"}}}
    ]
    assert [one["weight"] for one in http[1]["route"]] == [18, 72, 10]


def test_istio_divides_what_foreign_destinations_leave() -> None:
    route = spec_of(virtual({"http": [istio_route()]}))["http"][0]["route"]
    assert [one["weight"] for one in route] == [18, 72, 10]
    assert all(one["headers"] == {"keep": {}} for one in route)


def test_istio_tls_and_tcp_routes_are_chosen_by_port_and_hosts() -> None:
    to = [{"destination": {"host": host}} for host in ("canary", "stable")]
    tls = [{"match": [{"port": 443, "sniHosts": [host]}], "route": to} for host in ("a", "b")]
    tcp = [{"match": [{"port": port}], "route": to} for port in (1, 2)]
    found = spec_of(
        virtual({"tls": tls, "tcp": tcp}, tlsRoutes=[{"port": 443, "sniHosts": ["b"]}], tcpRoutes=[{"port": 1}])
    )
    weights = [[one.get("weight") for one in route["route"]] for route in (*found["tls"], *found["tcp"])]
    assert weights == [[None, None], [20, 80], [20, 80], [None, None]]


@pytest.mark.parametrize(
    ("case", "words"),
    [
        (virtual({"http": [istio_route()]}, routes=("nope", "neither")), "no route `nope`.*no route `neither`"),
        (virtual({"http": [istio_route(), istio_route()]}), "more than one route"),
        (virtual({"http": [{"route": [{"destination": {"host": "canary"}}]}]}), "no destination `stable`"),
        (virtual({"tls": []}, tlsRoutes=[{"port": 1, "sniHosts": ["x"]}]), "no route for port 1 and hosts x"),
        (virtual({"http": "text"}), "it has no route"),
    ],
)
def test_istio_says_which_route_it_can_not_find(case: Case, words: str) -> None:
    with pytest.raises(Unroutable, match=words):
        case.apply(case.begin(), plan(20))


def test_istio_names_may_hold_a_namespace() -> None:
    names = ("vs", "vs.other", "vs.other.svc.cluster.local")
    found = virtual_refs(rollout({"istio": {"virtualServices": [{"name": name} for name in names]}}))
    assert [(ref.namespace, ref.name) for ref in found] == [("test", "vs"), ("other", "vs"), ("other", "vs")]


def test_istio_subsets_carry_the_hashes() -> None:
    case = BY_NAME["istio subsets"]
    after = case.apply(case.begin(), plan(20))
    rule = after[Ref("networking.istio.io", "DestinationRule", NAMESPACE, "dr")]
    assert rule["metadata"]["annotations"][MANAGED_BY] == "web"
    labels = {one["name"]: one.get("labels") for one in rule["spec"]["subsets"]}
    assert labels == {"old": {"app": "web", HASH: "oldhash"}, "theirs": None, "new": {HASH: "newhash"}}


def test_alb_writes_every_ingress_though_the_first_needs_nothing() -> None:
    one = BY_NAME["alb"]
    ingress = one.live[0]
    second = {**ingress, "metadata": {**ingress["metadata"], "name": "ing2"}}
    case = Case("two", {"alb": {"ingresses": ["ing", "ing2"], "servicePort": 443}}, (ingress,), one.shares, one.foreign)
    first = case.apply({**case.begin(), Ref("networking.k8s.io", "Ingress", NAMESPACE, "ing2"): second}, plan(20))
    undone = {**first, Ref("networking.k8s.io", "Ingress", NAMESPACE, "ing2"): second}
    assert case.apply(undone, plan(20)) == first


def test_alb_actions_and_conditions_are_what_the_controller_reads() -> None:
    case = BY_NAME["alb"]
    after = case.apply(case.begin(), plan(20, headers=(EXACT,)))
    ingress = after[Ref("networking.k8s.io", "Ingress", NAMESPACE, "ing")]
    annotations = ingress["metadata"]["annotations"]
    action = json.loads(annotations["alb.ingress.kubernetes.io/actions.stable"])
    assert action["ForwardConfig"]["TargetGroups"][0] == {"ServiceName": "canary", "ServicePort": "443", "Weight": 20}
    assert action["ForwardConfig"]["TargetGroupStickinessConfig"] == {"Enabled": True, "DurationSeconds": 60}
    condition = json.loads(annotations["alb.ingress.kubernetes.io/conditions.first"])
    assert condition == [{"field": "http-header", "httpHeaderConfig": {"httpHeaderName": "a", "values": ["1"]}}]
    paths = ingress["spec"]["rules"][0]["http"]["paths"]
    assert [path["backend"]["service"]["name"] for path in paths] == ["first", "stable", "theirs"]


def test_two_rollouts_share_an_ingress() -> None:
    case = BY_NAME["alb"]
    mine = case.apply(case.begin(), plan(20))
    ref = Ref("networking.k8s.io", "Ingress", NAMESPACE, "ing")
    managed = json.loads(mine[ref]["metadata"]["annotations"]["rollouts.argoproj.io/managed-alb-annotations"])
    mine[ref]["metadata"]["annotations"]["rollouts.argoproj.io/managed-alb-annotations"] = json.dumps(
        {**managed, "other": ["alb.ingress.kubernetes.io/actions.theirs"]}
    )
    again = case.apply(mine, plan(40))
    assert "alb.ingress.kubernetes.io/actions.theirs" in again[ref]["metadata"]["annotations"]
    assert case.shares(again) == (40, 60)


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("stable", "canary"),
        ("stable:80", "canary:80"),
        ("https://stable.ns:8443", "https://canary.ns:8443"),
        ("stable.ns.svc.cluster.local", "canary.ns.svc.cluster.local"),
        ("", "canary"),
    ],
)
def test_ambassador_keeps_scheme_namespace_and_port(base: str, expected: str) -> None:
    assert service(base, "canary") == expected


def test_an_ambassador_mapping_with_a_weight_is_refused() -> None:
    case = BY_NAME["ambassador"]
    ref = Ref("getambassador.io", "Mapping", NAMESPACE, "map")
    live = {ref: {**case.live[0], "spec": {"weight": 5, "service": "stable"}}}
    with pytest.raises(Unroutable, match="can not define weight"):
        case.apply(live, plan(20))


def test_apisix_header_routes_come_before_the_rule() -> None:
    case = BY_NAME["apisix"]
    after = case.apply(case.begin(), plan(20, headers=(BY_HEADER,)))
    made = after[Ref("apisix.apache.org", "ApisixRoute", NAMESPACE, "first")]
    (rule,) = made["spec"]["http"]
    assert (rule["priority"], rule["match"]["paths"]) == (1, ["/*"])
    assert [one["op"] for one in rule["match"]["exprs"]] == ["Equal", "RegexMatch", "RegexMatch"]
    assert [one["weight"] for one in rule["backends"]] == [100, 0]
    assert made["metadata"]["ownerReferences"][0]["uid"] == "uid-of-web"


def test_gateway_header_routes_keep_the_rules_own_match() -> None:
    case = BY_NAME["gateway API"]
    after = case.apply(case.begin(), plan(20, headers=(BY_HEADER,)))
    rules = after[Ref("gateway.networking.k8s.io", "HTTPRoute", NAMESPACE, "http")]["spec"]["rules"]
    assert [one["name"] for one in rules[0]["backendRefs"]] == ["canary"]
    (match,) = rules[0]["matches"]
    assert match["path"] == {"type": "PathPrefix", "value": "/"}
    assert [one["value"] for one in match["headers"]] == ["1", r"x\.y.*", "[0-9]+"]


def test_app_mesh_nodes_select_the_hashes() -> None:
    case = BY_NAME["appMesh"]
    after = case.apply(case.begin(), plan(20))
    selectors = [
        after[Ref("appmesh.k8s.aws", "VirtualNode", NAMESPACE, f"{name}-node")]["spec"]["podSelector"]["matchLabels"]
        for name in ("canary", "stable")
    ]
    assert selectors == [{"app": "web", HASH: "newhash"}, {HASH: "oldhash"}]
