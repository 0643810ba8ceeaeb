"""What the rollout manager sets in objects that git describes too is neither a difference nor taken away."""

from typing import Any

from services.reconciler.rolled import HASH, left_alone, told, yielded
from shared.events import ABORTED, DELIVERY, Aborted
from shared.kinds.refs import ResourceKey

Obj = dict[str, Any]


def live(obj: Obj, manager: str = "rollouts-controller") -> Obj:
    entry = {"manager": manager, "operation": "Update", "fieldsV1": {"f:spec": {}}}
    return {**obj, "metadata": {**obj["metadata"], "managedFields": [entry]}}


def service(**selector: str) -> Obj:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"selector": selector}}


def test_a_services_hash_stays_and_its_other_labels_are_gits() -> None:
    wanted = yielded(service(app="new"), live(service(app="old", **{HASH: "v1"})))
    assert wanted["spec"]["selector"] == {"app": "new", HASH: "v1"}
    assert yielded(service(app="new"), live(service(app="old", **{HASH: "v1"}), "kubectl")) == service(app="new")


def route(weights: tuple[int, int], timeout: str = "1s") -> Obj:
    hosts = [{"destination": {"host": host}, "weight": weight} for host, weight in zip("ab", weights, strict=True)]
    spec = {"http": [{"name": "primary", "timeout": timeout, "route": hosts}]}
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": "web"},
        "spec": spec,
    }


def test_the_weights_of_routes_stay_and_the_rest_is_gits() -> None:
    assert yielded(route((100, 0), "9s"), live(route((80, 20)))) == route((80, 20), "9s")
    assert yielded(route((100, 0)), live(route((80, 20)), "istioctl")) == route((100, 0))


def test_a_rollout_is_told_its_delivery_and_that_is_no_difference() -> None:
    wanted = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "web"}, "spec": {}}
    applied = told(wanted, "git:repo:abc")
    assert applied["metadata"]["annotations"] == {DELIVERY: "git:repo:abc"}
    assert yielded(wanted, applied) == applied
    assert told(service(app="x"), "git:repo:abc") == service(app="x")


def test_an_aborted_rollout_and_its_workload_are_left_alone_until_another_delivery_comes() -> None:
    key = ResourceKey("argoproj.io", "Rollout", "ns", "web")
    told_of = {DELIVERY: "git:repo:abc", ABORTED: Aborted("v2", "git:repo:abc").written()}
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    rollout: Obj = {"metadata": {"annotations": told_of}, "spec": {"workloadRef": reference}}
    assert left_alone(key, rollout) == (key, ResourceKey("apps", "Deployment", "ns", "web"))
    assert left_alone(key, {"metadata": {"annotations": told_of}}) == (key,)
    assert left_alone(key, {"metadata": {"annotations": {**told_of, DELIVERY: "git:repo:def"}}}) == ()
    for hostile in ("", "{", "[]", "1", '{"hash": 1}'):
        assert left_alone(key, {"metadata": {"annotations": {ABORTED: hostile}}}) == ()
