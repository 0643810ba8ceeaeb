"""Invalid specs, hostile statuses, a cluster that has not what is named: all is said, nothing moves or raises."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.rollout_manager.decide import decide
from tests.rollout.rollouts import Obj, blue_green, canary, ingress, routed
from tests.rollout.world import STABLE_INGRESS, World

SELECTOR: Obj = {"selector": {"matchLabels": {"app": "other"}}}
NGINX: Obj = {"nginx": {"stableIngress": "web"}}
SERVICES = {"canaryService": "canary", "stableService": "stable"}


def aws(*steps: Obj, maxTrafficWeight: int | None = None, managedRoutes: object = None, **fields: Any) -> Obj:  # noqa: N803
    more = {"maxTrafficWeight": maxTrafficWeight, "managedRoutes": managedRoutes}
    routing = {"alb": {"ingress": "web", "servicePort": 80}, **{key: value for key, value in more.items() if value}}
    return canary(*steps, **SERVICES, trafficRouting=routing, **fields)


def mesh(*steps: Obj) -> Obj:
    routing = {"istio": {"virtualService": {"name": "web"}}, "managedRoutes": [{"name": "x"}]}
    return canary(*steps, **SERVICES, trafficRouting=routing)


def header(**value: str) -> Obj:
    return {"setHeaderRoute": {"name": "x", "match": [{"headerName": "who", "headerValue": value}]}}


def share() -> Obj:
    return {"experiment": {"templates": [{"name": "a", "specRef": "canary", "weight": 5}]}}


WRONG: list[tuple[Obj, Obj, tuple[str, ...]]] = [
    ({}, {}, ("missing field '.spec.strategy.canary or .spec.strategy.blueGreen'",)),
    ({**canary(), **blue_green()}, {}, ("Multiple Strategies can not be listed",)),
    (canary(), {"replicas": -1, "minReadySeconds": -2}, ("spec.replicas", "spec.minReadySeconds")),
    (canary(), {"minReadySeconds": 700}, ("must be greater than minReadySeconds",)),
    (canary(), SELECTOR, ("`selector` does not match template `labels`",)),
    (canary(), {"selector": {}}, ("empty selector is invalid",)),
    (canary(), {"selector": None}, ("missing field '.spec.selector'",)),
    (canary(), {"restartAt": "soon"}, ("spec.restartAt",)),
    (canary(maxSurge=0, maxUnavailable=0), {}, ("MaxSurge and MaxUnavailable both can not be zero",)),
    (canary(maxSurge="a lot"), {}, ("neither a number nor a percentage",)),
    (canary(dynamicStableScale=True), {}, ("dynamicStableScale can only be used with traffic routing",)),
    (canary(canaryService="a", stableService="a"), {}, ("same service for the stable and canary",)),
    (canary(trafficRouting=NGINX), {}, ("Canary service and Stable service must to be set",)),
    (canary(antiAffinity={}), {}, ("AntiAffinity must have exactly one strategy listed",)),
    (canary(pingPong={"pingService": "a", "pongService": "a"}), {}, ("ping and pong", "works with the ALB, Istio")),
    (blue_green(previewService="active"), {}, ("same service for the active and preview",)),
    (blue_green(scaleDownDelayRevisionLimit=11), {}, ("revision history limit can not be smaller",)),
    (canary({}), {}, ("steps[0]: Step must have one of the following set",)),
    (canary({"setWeight": 50, "setCanaryScale": {"replicas": 3}}), {}, ("steps[0]: Step must have one of",)),
    (canary({"pause": {}, "setHeaderRoute": {"name": "x"}}), {}, ("steps[0]: Step must have one of",)),
    (canary({"setWeight": 101}, {"setWeight": -1}), {}, ("steps[0].setWeight", "steps[1].setWeight")),
    (canary({"pause": {"duration": "forever"}}), {}, ("steps[0].pause.duration",)),
    (canary({"pause": {"duration": 0}}), {}, ("Duration needs to be greater than 0",)),
    (canary({"pause": {"duration": 2**40}}), {}, ("steps[0].pause.duration",)),
    (canary({"setCanaryScale": {"replicas": 1}}), {}, ("SetCanaryScale requires TrafficRouting",)),
    (routed({"setCanaryScale": {"replicas": -1}}), {}, ("setCanaryScale.replicas",)),
    (routed({"setCanaryScale": {"replicas": 1, "weight": 2}}), {}, ("exactly one of replicas, weight",)),
    (routed({"setHeaderRoute": {"name": "x"}}), {}, ("SetHeaderRoute requires TrafficRouting",)),
    (routed({"setMirrorRoute": {"name": "x"}}), {}, ("SetMirrorRoute requires TrafficRouting",)),
    (canary({"experiment": {"templates": [{"name": "a", "specRef": "stabel"}]}}), {}, ("specRef",)),
    (canary({"plugin": {"name": "x"}}), {}, ("step plugins are not supported",)),
    (
        canary(),
        {"workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}},
        ("template must be empty",),
    ),
    (canary(), {"workloadRef": {"scaleDown": "soon"}}, ("spec.workloadRef.scaleDown",)),
    (canary(), {"selector": {"matchExpressions": [{"key": "app", "operator": "Is"}]}}, ("invalid label selector",)),
    (canary(), {"selector": {"matchExpressions": [{"key": "app", "operator": "In"}]}}, ("wrong number of values",)),
    (canary(), {"revisionHistoryLimit": -1}, ("spec.revisionHistoryLimit",)),
    (canary(), {"replicas": 2**31 - 1}, ("spec.replicas",)),
    (canary(pingPong={"pingService": "a"}), {}, ("Ping service and Pong service must to be set",)),
    (aws(pingPong={"pingService": "a", "pongService": "b"}), {}, ("Root service field is required",)),
    (canary(scaleDownDelaySeconds=30), {}, ("scaleDownDelaySeconds can only be used with traffic routing",)),
    (routed(scaleDownDelaySeconds=30, dynamicStableScale=True), {}, ("cannot be used with scaleDownDelaySeconds",)),
    (aws(maxTrafficWeight=50), {}, ("maxTrafficWeight in traffic routing only supported",)),
    (canary(antiAffinity={"preferredDuringSchedulingIgnoredDuringExecution": {"weight": 101}}), {}, ("between 1-100",)),
    (blue_green(activeService=""), {}, ("missing field '.spec.strategy.blueGreen.activeService'",)),
    (blue_green(previewReplicaCount=-1), {}, ("previewReplicaCount",)),
    (aws(header(exact="a", prefix="b")), {}, ("must have exactly one of the following",)),
    (aws(header()), {}, ("StringMatch value missed",)),
    (aws(header(regex="a.*")), {}, ("ALB supports 'exact' value only",)),
    (aws(header(exact="a")), {}, ("missing managedRoutes",)),
    (aws(header(exact="a"), managedRoutes=[{"name": "other"}]), {}, ("Steps define a route that does not exist",)),
    (mesh({"setMirrorRoute": {"name": "x", "percentage": 101}}), {}, ("setMirrorRoute.percentage",)),
    (mesh({"setMirrorRoute": {"name": "x", "match": [{"method": {}}]}}), {}, ("match[0].method: StringMatch value",)),
    (canary(share()), {}, ("weight cannot be set unless TrafficRouting is enabled",)),
    (routed(share()), {}, ("only ALB, Istio and SMI can give an experiment a share",)),
]


@pytest.mark.parametrize(("strategy", "spec", "words"), WRONG, ids=lambda value: str(value)[:60])
def test_every_problem_is_in_the_condition_and_nothing_is_done(
    strategy: Obj, spec: Obj, words: tuple[str, ...]
) -> None:
    world = World.of(canary())
    world.settle()
    before, well = copy.deepcopy((world.sets, world.services)), copy.deepcopy(world.rollout["spec"])
    world.spec(strategy=strategy, **{name: value for name, value in spec.items() if value is not None})
    for name in (name for name, value in spec.items() if value is None):
        del world.rollout["spec"][name]
    world.step()
    condition = next(one for one in world.status["conditions"] if one["type"] == "InvalidSpec")
    assert all(word in condition["message"] for word in words), condition["message"]
    assert (world.phase, world.status["message"]) == ("Degraded", f"InvalidSpec: {condition['message']}")
    assert (world.sets, world.services) == before
    world.rollout["spec"] = well
    world.spec(strategy=canary())
    world.settle()
    assert world.phase == "Healthy"


def test_an_ingress_that_does_not_lead_to_the_rollout_is_a_problem_of_the_spec() -> None:
    world = World.of(routed({"setWeight": 10}))
    world.step()
    assert "ingress `web` not found" in world.status["message"]
    world.objects[STABLE_INGRESS] = ingress("test", backend="elsewhere")
    odd: Obj = {"http": {"paths": [{"backend": {"resource": {}}}]}}
    world.objects[STABLE_INGRESS]["spec"]["rules"] += [{"host": "x"}, odd]
    world.step()
    assert "has no rules using service stable backend" in world.status["message"]
    assert world.sets == {}


ANYTHING: Any = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
FIELDS = (
    "currentStepIndex", "pauseConditions", "controllerPause", "abort", "abortedAt", "promoteFull", "canary",
    "blueGreen", "conditions", "stableRS", "currentPodHash", "currentStepHash", "collisionCount", "restartedAt",
    "observedGeneration",
)  # fmt: skip


@given(
    st.sampled_from([canary({"setWeight": 20}, {"pause": {}}), routed({"setWeight": 20}), blue_green()]),
    st.dictionaries(st.sampled_from(FIELDS), ANYTHING, max_size=6),
)
def test_no_status_can_hurt(strategy: Obj, status: Obj) -> None:
    world = World.of(strategy)
    world.objects[STABLE_INGRESS] = ingress("test")
    world.settle()
    world.push("v2")
    world.settle()
    running = sum(world.pods(version) for version in ("v1", "v2"))
    world.rollout["status"] |= status
    decision = decide(world.observed())
    world.carry_out(decision)
    assert sum(world.pods(version) for version in ("v1", "v2")) >= min(running, 8)


@pytest.mark.parametrize("deadline", ["", "yesterday", "2999-01-01T00:00:00Z"])
def test_a_deadline_that_no_clock_wrote_is_not_for_ever(deadline: str) -> None:
    world = World.of(blue_green())
    world.settle()
    world.push("v2")
    world.settle()
    world.sets["web-v1"]["metadata"]["annotations"]["scale-down-deadline"] = deadline
    world.settle()
    world.pass_time(31)
    world.settle()
    assert (world.pods("v1"), world.pods("v2"), world.phase) == (0, 10, "Healthy")


def test_a_stable_replica_set_that_is_gone_does_not_stop_the_new_one() -> None:
    world = World.of(canary({"setWeight": 10}, {"pause": {}}))
    world.settle()
    world.push("v2")
    world.settle()
    del world.sets["web-v1"]
    world.settle()
    assert (world.phase, world.pods("v2"), world.status["stableRS"]) == ("Healthy", 10, "v2")
