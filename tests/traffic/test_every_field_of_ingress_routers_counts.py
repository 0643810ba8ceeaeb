"""What can be said of nginx and ALB, field by field: several Ingresses, other prefixes, annotations of one's own."""

import json
from typing import Any

import pytest

from services.rollout_manager.keys import Obj, Ref
from services.rollout_manager.traffic import Unroutable
from tests.rollout.rollouts import ingress
from tests.traffic.objects import NAMESPACE, Case, plan

CLASS = "kubernetes.io/ingress.class"


def behind(routing: Obj, *names: str, backend: str = "stable", **annotations: str) -> tuple[Case, dict[Ref, Obj]]:
    live = []
    for name in names:
        made = ingress(NAMESPACE, name, backend)
        made["metadata"] |= {"resourceVersion": "1", "annotations": dict(annotations)}
        made["spec"] |= {"ingressClassName": "inside", "tls": [{"hosts": ["web.example.org"]}]}
        made["spec"]["rules"].append(ingress(NAMESPACE, name, "elsewhere")["spec"]["rules"][0])
        live.append(made)
    case = Case("fields", routing, tuple(live), lambda _after: (0, 0), lambda _after: None)
    return case, case.begin()


def canaries(case: Case, begin: Any, **wanted: Any) -> dict[str, Obj]:
    after = case.apply(begin, plan(20, **wanted))
    return {ref.name: obj for ref, obj in after.items() if obj is not None and ref.name.endswith("-canary")}


def test_nginx_makes_one_canary_for_each_ingress_and_takes_over_class_and_tls() -> None:
    case, begin = behind({"nginx": {"stableIngresses": ["one", "two"]}}, "one", "two", **{CLASS: "old"})
    made = canaries(case, begin)
    assert set(made) == {"web-one-canary", "web-two-canary"}
    one = made["web-one-canary"]
    assert (one["spec"]["ingressClassName"], one["spec"]["tls"]) == ("inside", [{"hosts": ["web.example.org"]}])
    assert one["metadata"]["annotations"] == {
        CLASS: "old",
        "nginx.ingress.kubernetes.io/canary": "true",
        "nginx.ingress.kubernetes.io/canary-weight": "20",
    }
    [rule] = one["spec"]["rules"]
    assert rule["http"]["paths"][0]["backend"]["service"]["name"] == "canary"


def test_nginx_takes_another_prefix_and_annotations_of_ones_own() -> None:
    own = {
        "annotationPrefix": "my.ingress",
        "additionalIngressAnnotations": {"canary-by-header": "X-Canary", "my.ingress/affinity": "cookie"},
        "canaryIngressAnnotations": {"example.org/only-there": "yes"},
    }
    case, begin = behind({"nginx": {"stableIngress": "web", **own}, "maxTrafficWeight": 1000}, "web")
    [made] = canaries(case, begin).values()
    assert made["metadata"]["annotations"] == {
        "my.ingress/canary": "true",
        "my.ingress/canary-weight": "20",
        "my.ingress/canary-weight-total": "100",
        "my.ingress/canary-by-header": "X-Canary",
        "my.ingress/affinity": "cookie",
        "example.org/only-there": "yes",
    }


def test_a_canary_ingress_of_somebody_else_is_left_alone() -> None:
    case, begin = behind({"nginx": {"stableIngress": "web"}}, "web")
    theirs = ingress(NAMESPACE, "web-web-canary")
    theirs["metadata"]["resourceVersion"] = "1"
    begin[Ref("networking.k8s.io", "Ingress", NAMESPACE, "web-web-canary")] = theirs
    with pytest.raises(Unroutable, match="exists and is not controlled by rollout web"):
        case.apply(begin, plan(20))


def test_alb_takes_another_prefix_and_a_root_service() -> None:
    alb = {"ingress": "web", "servicePort": 8080, "rootService": "root", "annotationPrefix": "my.alb"}
    case, begin = behind({"alb": alb}, "web", backend="root")
    [live] = [obj for obj in case.apply(begin, plan(20)).values() if obj is not None]
    annotations = live["metadata"]["annotations"]
    action = json.loads(annotations["my.alb/actions.root"])
    assert action["ForwardConfig"]["TargetGroups"] == [
        {"ServiceName": "canary", "ServicePort": "8080", "Weight": 20},
        {"ServiceName": "stable", "ServicePort": "8080", "Weight": 80},
    ]
    assert "TargetGroupStickinessConfig" not in action["ForwardConfig"]
    managed = json.loads(annotations["rollouts.argoproj.io/managed-alb-annotations"])
    assert managed == {"web": ["my.alb/actions.root"]}
