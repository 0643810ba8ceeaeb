"""Canaries with a router: the weight comes after the pods and goes before them; what was replaced stays for a while."""

from tests.rollout.rollouts import Obj, ingress, routed
from tests.rollout.world import STABLE_INGRESS, World


def deployed(*steps: Obj, **fields: object) -> World:
    world = World.of(routed(*steps, **fields))
    world.objects[STABLE_INGRESS] = ingress("test")
    world.objects[STABLE_INGRESS]["metadata"]["resourceVersion"] = "1"
    world.settle()
    assert world.phase == "Healthy"
    return world


def written_weight(world: World) -> str:
    found = next(obj for ref, obj in world.objects.items() if ref.name == "web-web-canary")
    return str(found["metadata"]["annotations"]["nginx.ingress.kubernetes.io/canary-weight"])


def test_a_weight_waits_for_its_pods() -> None:
    world = deployed({"setWeight": 20}, {"setWeight": 60}, {"pause": {}})
    world.push("v2")
    world.step()
    assert (world.pods("v2"), world.weight, world.services["canary"].hash) == (2, 0, "v1")
    world.become_available("web-v2", 1)
    world.step()
    assert world.weight == 0
    world.become_available("web-v2", 1)
    world.step()
    assert (world.services["canary"].hash, world.weight, written_weight(world), world.pods("v2")) == ("v2", 20, "20", 2)
    world.step()
    assert (world.weight, world.pods("v2")) == (20, 6)
    world.become_available("web-v2")
    world.step()
    assert (world.weight, world.status["currentStepIndex"]) == (60, 1)
    world.step()
    assert (world.weight, world.status["currentStepIndex"], world.phase) == (60, 2, "Paused")
    weights = world.status["canary"]["weights"]
    assert weights["stable"] == {"weight": 40, "serviceName": "stable", "podTemplateHash": "v1"}
    assert world.pods("v1") == 10


def test_the_old_version_stays_for_its_delay() -> None:
    world = deployed({"setWeight": 50}, scaleDownDelaySeconds=60)
    world.push("v2")
    world.settle()
    assert (world.phase, world.pods("v1"), world.services["stable"].hash, world.weight) == ("Healthy", 10, "v2", 0)
    world.pass_time(61)
    world.settle()
    assert world.pods("v1") == 0


def test_an_aborted_canary_stays_for_ever_where_that_is_asked_for() -> None:
    world = deployed({"setWeight": 50}, {"pause": {}}, abortScaleDownDelaySeconds=0)
    world.push("v2")
    world.settle()
    world.patch_status({"abort": True})
    world.step()
    assert (world.weight, written_weight(world)) == (0, "0")
    world.pass_time(100_000)
    world.settle()
    assert world.pods("v2") == 5


def test_the_stable_side_shrinks_as_its_traffic_goes_and_grows_before_it_comes_back() -> None:
    world = deployed({"setWeight": 40}, {"pause": {}}, {"setWeight": 80}, {"pause": {}}, dynamicStableScale=True)
    world.push("v2")
    world.settle()
    assert (world.pods("v2"), world.pods("v1"), world.weight) == (4, 6, 40)
    world.promote()
    world.settle()
    assert (world.pods("v2"), world.pods("v1"), world.weight) == (8, 2, 80)
    world.patch_status({"abort": True})
    world.step()
    assert (world.pods("v1"), world.weight) == (10, 80)
    world.become_available("web-v1", 3)
    world.step()
    assert (world.weight, world.pods("v2")) == (50, 8)
    world.settle()
    assert (world.weight, world.pods("v2"), world.pods("v1")) == (0, 0, 10)


def test_a_canary_scale_holds_until_the_next() -> None:
    steps: tuple[Obj, ...] = (
        {"setCanaryScale": {"replicas": 3}},
        {"setWeight": 10},
        {"pause": {}},
        {"setCanaryScale": {"matchTrafficWeight": True}},
    )
    world = deployed(*steps, {"pause": {}})
    world.push("v2")
    world.settle()
    assert (world.pods("v2"), world.weight) == (3, 10)
    world.promote()
    world.settle()
    assert (world.pods("v2"), world.weight) == (1, 10)


def test_no_side_has_fewer_than_the_least_pods() -> None:
    world = deployed({"setWeight": 1}, {"pause": {}}, minPodsPerReplicaSet=2)
    world.push("v2")
    world.settle()
    assert world.pods("v2") == 2


def test_most_of_the_pods_may_be_enough() -> None:
    world = deployed({"setWeight": 50}, {"pause": {}}, replicaProgressThreshold={"type": "Percent", "value": 60})
    world.push("v2")
    world.step()
    world.become_available("web-v2", 3)
    world.step()
    assert world.status["currentStepIndex"] == 0  # its Service waits for all of them
    world.become_available("web-v2", 2)
    world.step()
    assert (world.status["currentStepIndex"], world.weight) == (0, 50)
    world.step()
    assert (world.status["currentStepIndex"], world.weight) == (1, 50)


def test_scaling_does_not_stop_the_traffic() -> None:
    world = deployed({"setWeight": 20}, {"setWeight": 40}, {"pause": {}})
    world.push("v2")
    world.step()
    world.become_available("web-v2")
    world.spec(replicas=20)
    world.step()
    assert (world.pods("v1"), world.pods("v2")) == (20, 4)
    world.settle()
    assert (world.weight, world.pods("v2")) == (40, 8)


def test_other_maximal_weights_are_shares_of_it() -> None:
    world = World.of(routed({"setWeight": 500}, {"pause": {}}))
    world.rollout["spec"]["strategy"]["canary"]["trafficRouting"]["maxTrafficWeight"] = 1000
    world.objects[STABLE_INGRESS] = ingress("test")
    world.settle()
    world.push("v2")
    world.settle()
    assert (world.pods("v2"), written_weight(world)) == (5, "500")


def test_the_weight_waits_until_the_service_leads_to_the_canary() -> None:
    world = deployed({"setWeight": 20}, {"pause": {}})
    world.endpoints = {"canary": frozenset({"web-v1-abcde"})}
    world.push("v2")
    world.settle()
    assert (world.services["canary"].hash, world.weight, world.status["currentStepIndex"]) == ("v2", 0, 0)
    world.endpoints = {"canary": frozenset({"web-v2-abcde"})}
    world.settle()
    assert (world.weight, world.status["currentStepIndex"]) == (20, 1)


def test_a_canary_scale_below_its_weight_is_what_was_asked_for() -> None:
    world = deployed({"setWeight": 50}, {"setCanaryScale": {"replicas": 3}}, {"pause": {}})
    world.push("v2")
    world.settle()
    assert (world.pods("v2"), world.weight, world.phase) == (3, 50, "Paused")


def test_a_smaller_weight_comes_first_and_its_pods_go_after_it() -> None:
    world = deployed({"setWeight": 60}, {"pause": {}}, {"setWeight": 20}, {"pause": {}})
    world.push("v2")
    world.settle()
    world.promote()
    world.step()
    assert (world.weight, written_weight(world), world.pods("v2")) == (20, "20", 6)
    world.settle()
    assert (world.weight, world.pods("v2"), world.status["currentStepIndex"]) == (20, 2, 3)
