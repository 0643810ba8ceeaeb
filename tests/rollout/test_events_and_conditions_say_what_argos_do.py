"""Kubernetes Events, conditions and messages of a Rollout, word by word as Argo Rollouts has them."""

from typing import Any

import pytest

from services.rollout_manager.analysis import Phase
from services.rollout_manager.keys import Ref
from tests.rollout.rollouts import Obj, blue_green, canary, ingress, routed
from tests.rollout.world import STABLE_INGRESS, World

METRIC: Obj = {"name": "up", "count": 1, "provider": {"web": {"url": "http://metrics.example.org"}}}
ASKS: Obj = {"templates": [{"templateName": "works"}]}


def deployed(strategy: Obj, **spec: Any) -> World:
    world = World.of(strategy, **{"replicas": 2, **spec})
    world.objects[STABLE_INGRESS] = ingress("test")
    world.objects[STABLE_INGRESS]["metadata"]["resourceVersion"] = "1"
    template = {"apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate", "spec": {"metrics": [METRIC]}}
    world.templates[Ref("argoproj.io", "AnalysisTemplate", "test", "works")] = template
    world.settle()
    world.told.clear()
    return world


def condition(world: World, type_: str) -> tuple[str, str, str]:
    [found] = [one for one in world.status["conditions"] if one["type"] == type_]
    return found["status"], found["reason"], found["message"]


def test_a_first_deployment_is_told() -> None:
    world = World.of(canary({"setWeight": 50}), replicas=2)
    world.settle()
    assert world.told == [
        ("RolloutUpdated", "Rollout updated to revision 1"),
        ("NewReplicaSetCreated", "Created ReplicaSet web-v1 (revision 1)"),
        ("ScalingReplicaSet", "Scaled up ReplicaSet web-v1 (revision 1) from 0 to 2"),
        ("RolloutNotCompleted", "Rollout not completed, started update to revision 1 (v1)"),
        ("RolloutCompleted", "Rollout completed update to revision 1 (v1): Initial deploy"),
    ]


def test_all_of_an_update_is_told_and_each_thing_once() -> None:
    world = deployed(routed({"setWeight": 50}, {"pause": {}}, {"setCanaryScale": {"matchTrafficWeight": True}}))
    world.push("v2")
    world.settle()
    world.promote()
    world.settle()
    assert sorted(world.told) == sorted(
        [
            ("RolloutUpdated", "Rollout updated to revision 2"),
            ("NewReplicaSetCreated", "Created ReplicaSet web-v2 (revision 2)"),
            ("ScalingReplicaSet", "Scaled up ReplicaSet web-v2 (revision 2) from 0 to 1"),
            ("RolloutNotCompleted", "Rollout not completed, started update to revision 2 (v2)"),
            ("RolloutStepCompleted", "Rollout step 1/3 completed (setWeight: 50)"),
            ("RolloutPaused", "Rollout is paused (CanaryPauseStep)"),
            ("TrafficWeightUpdated", "Traffic weight updated from 0 to 50"),
            ("SwitchService", "Switched selector for service 'canary' from 'v1' to 'v2'"),
            ("RolloutStepCompleted", "Rollout step 2/3 completed (pause)"),
            ("RolloutResumed", "Rollout is resumed"),
            ("RolloutStepCompleted", "Rollout step 3/3 completed (setCanaryScale{matchTrafficWeight: true})"),
            ("ScalingReplicaSet", "Scaled up ReplicaSet web-v2 (revision 2) from 1 to 2"),
            ("RolloutCompleted", "Rollout completed update to revision 2 (v2): Completed all 3 canary steps"),
            ("TrafficWeightUpdated", "Traffic weight updated from 50 to 0"),
            ("SwitchService", "Switched selector for service 'stable' from 'v1' to 'v2'"),
        ]
    )


def test_going_back_to_the_stable_version_is_told() -> None:
    world = deployed(canary({"setWeight": 50}, {"pause": {}}))
    world.push("v2")
    world.settle()
    world.told.clear()
    world.push("v1")
    world.settle()
    assert ("SkipSteps", "Rollback to stable ReplicaSet") in world.told
    assert ("RolloutUpdated", "Rollout updated to revision 3") in world.told


@pytest.mark.parametrize(
    ("type_", "strategy", "words"),
    [
        ("Step", canary({"analysis": ASKS}), "Step-based analysis"),
        ("Background", canary({"pause": {}}, analysis=ASKS), "Background analysis"),
        ("PrePromotion", blue_green(prePromotionAnalysis=ASKS), "Blue/green pre-promotion analysis"),
        ("PostPromotion", blue_green(postPromotionAnalysis=ASKS), "Blue/green post-promotion analysis"),
    ],
)
@pytest.mark.parametrize("why", ["", 'Metric "up" assessed Failed due to failed (1) > failureLimit (0)'])
def test_an_analysis_is_told_by_its_kind_and_ends_an_update_in_its_words(
    type_: str, strategy: Obj, words: str, why: str
) -> None:
    world = deployed(strategy)
    world.push("v2")
    world.settle()
    [name] = world.runs
    world.judged(type_, Phase.RUNNING)
    world.settle()
    world.judged(type_, Phase.FAILED, why)
    world.settle()
    said = [text for reason, text in world.told if reason.startswith("AnalysisRun")]
    assert said == [
        f"{type_} Analysis Run '{name}' Status New: 'Pending' Previous: 'NoPreviousStatus'",
        f"{type_} Analysis Run '{name}' Status New: 'Running' Previous: 'Pending'",
        f"{type_} Analysis Run '{name}' Status New: 'Failed' Previous: 'Running'",
    ]
    aborted = f"Rollout aborted update to revision 2: {words} phase error/failed" + (f": {why}" if why else "")
    assert ("RolloutAborted", aborted) in world.told
    assert (world.phase, world.status["message"]) == ("Degraded", f"RolloutAborted: {aborted}")
    assert condition(world, "Progressing") == ("False", "RolloutAborted", aborted)


def test_the_conditions_of_an_update_that_pauses_is_aborted_and_begun_again() -> None:
    world = deployed(canary({"setWeight": 50}, {"pause": {}}))
    progressed = ("True", "NewReplicaSetAvailable", 'ReplicaSet "web-v1" has successfully progressed.')
    assert condition(world, "Progressing") == progressed
    assert condition(world, "Available") == ("True", "AvailableReason", "Rollout has minimum availability")
    assert condition(world, "Completed") == ("True", "RolloutCompleted", "RolloutCompleted")
    assert condition(world, "Healthy") == ("True", "RolloutHealthy", "Rollout is healthy")
    assert all(one["type"] != "Paused" for one in world.status["conditions"])
    world.push("v2")
    world.step()
    created = ("True", "NewReplicaSetCreated", 'Created new replica set "web-v2"')
    assert condition(world, "Progressing") == created
    assert condition(world, "Completed") == ("False", "RolloutCompleted", "RolloutCompleted")
    assert condition(world, "Healthy") == ("False", "RolloutHealthy", "Rollout is not healthy")
    world.settle()
    paused = "Rollout is paused"
    assert condition(world, "Progressing") == ("Unknown", "RolloutPaused", paused)
    assert condition(world, "Paused") == ("True", "RolloutPaused", paused)
    world.patch_status({"abort": True})
    world.step()
    assert condition(world, "Progressing")[:2] == ("False", "RolloutAborted")
    assert condition(world, "Paused")[0] == "False"
    world.settle()
    world.patch_status({"abort": False})
    world.step()
    assert condition(world, "Progressing") == ("Unknown", "RolloutRetry", "Retrying Rollout after abort")
    world.settle()
    world.promote()
    world.step()
    assert condition(world, "Progressing") == ("Unknown", "RolloutResumed", "Rollout is resumed")


def test_a_pod_that_moves_on_is_progress_and_keeps_the_time_of_its_turn() -> None:
    world = deployed(canary(), replicas=4)
    world.push("v2")
    world.step()
    world.become_available("web-v2", 1)
    world.pass_time(5)
    world.step()
    assert condition(world, "Progressing") == ("True", "ReplicaSetUpdated", 'ReplicaSet "web-v2" is progressing.')
    [one] = [one for one in world.status["conditions"] if one["type"] == "Progressing"]
    assert one["lastUpdateTime"] > one["lastTransitionTime"]


def test_pods_that_are_lost_after_the_promotion_are_told_and_timed() -> None:
    world = deployed(canary())
    world.sets["web-v1"]["status"] |= {"readyReplicas": 0, "availableReplicas": 0}
    world.broken.add("web-v1")
    world.step()
    lost = "Rollout does not have minimum availability"
    assert condition(world, "Progressing") == ("True", "ReplicaSetNotAvailable", lost)
    assert condition(world, "Available") == ("False", "AvailableReason", lost)
    assert world.status["message"] == "updated replicas are still becoming available"
    world.pass_time(601)
    world.step()
    late = 'ReplicaSet "web-v1" has timed out progressing.'
    assert condition(world, "Progressing") == ("False", "ProgressDeadlineExceeded", late)
    assert (world.phase, world.status["message"]) == ("Degraded", f"ProgressDeadlineExceeded: {late}")
    world.broken.clear()
    world.settle()
    assert (world.phase, condition(world, "Progressing")[1]) == ("Healthy", "NewReplicaSetAvailable")


def test_what_a_replica_set_may_not_make_is_the_rollouts_condition_while_it_lasts() -> None:
    world = deployed(canary())
    world.push("v2")
    world.step()
    why = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota"}
    world.sets["web-v2"]["status"]["conditions"] = [why]
    world.step()
    assert condition(world, "ReplicaFailure") == ("True", "FailedCreate", "exceeded quota")
    del world.sets["web-v2"]["status"]["conditions"]
    world.step()
    assert all(one["type"] != "ReplicaFailure" for one in world.status["conditions"])


def test_pods_that_are_made_and_pods_that_are_there_are_waited_for() -> None:
    world = World.of(canary(), replicas=2)
    world.step()
    assert (world.phase, world.status["message"]) == ("Progressing", "more replicas need to be updated")
    world.sets["web-v1"]["status"]["replicas"] = 2
    world.step()
    assert (world.phase, world.status["message"]) == ("Progressing", "updated replicas are still becoming available")


def test_pods_of_the_old_version_are_waited_for_where_pods_are_the_traffic() -> None:
    world = deployed(canary())
    old = world.sets["web-v1"]
    world.push("v2")
    world.settle()
    old["status"]["replicas"] = 1  # it still ends
    world.step()
    assert world.status["message"] == "old replicas are pending termination"


def test_all_pods_new_and_a_step_left_is_said() -> None:
    world = deployed(canary({"setWeight": 100}, {"analysis": ASKS}))
    world.push("v2")
    world.settle()
    assert (world.phase, world.status["message"]) == ("Progressing", "waiting for all steps to complete")


def test_blue_green_says_what_is_still_to_come() -> None:
    world = deployed(blue_green(prePromotionAnalysis=ASKS, postPromotionAnalysis=ASKS))
    world.push("v2")
    world.settle()
    assert world.status["message"] == "active service cutover pending"
    world.judged("PrePromotion", Phase.SUCCESSFUL)
    world.settle()
    assert world.status["message"] == "waiting for analysis to complete"


def test_a_pause_by_hand_comes_before_all_others() -> None:
    world = deployed(canary({"setWeight": 50}, {"pause": {}}))
    world.push("v2")
    world.settle()
    assert (world.phase, world.status["message"]) == ("Paused", "CanaryPauseStep")
    world.spec(paused=True)
    world.settle()
    assert (world.phase, world.status["message"]) == ("Paused", "manually paused")
