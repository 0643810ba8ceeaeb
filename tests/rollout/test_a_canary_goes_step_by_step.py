"""A canary on a simulated cluster: steps, pauses, promotion, abort, going back, by pods and by a router."""

import pytest

from services.rollout_manager.keys import Obj
from tests.rollout.rollouts import canary, ingress, routed
from tests.rollout.world import STABLE_INGRESS, World

STEPS: tuple[Obj, ...] = ({"setWeight": 20}, {"pause": {}}, {"setWeight": 60}, {"pause": {"duration": "1m"}})


def deployed(strategy: Obj, **spec: object) -> World:
    world = World.of(strategy, **spec)
    world.objects[STABLE_INGRESS] = ingress("test")
    world.objects[STABLE_INGRESS]["metadata"]["resourceVersion"] = "1"
    world.settle()
    assert (world.phase, world.pods("v1"), world.status["stableRS"]) == (
        "Healthy",
        world.rollout["spec"]["replicas"],
        "v1",
    )
    return world


@pytest.fixture(params=["pods", "router"])
def world(request: pytest.FixtureRequest) -> World:
    return deployed(canary(*STEPS) if request.param == "pods" else routed(*STEPS))


def test_the_first_deployment_skips_all_steps(world: World) -> None:
    assert world.status["currentStepIndex"] == 4
    assert "RolloutCompleted" in world.said


def test_it_waits_at_a_pause_until_someone_promotes(world: World) -> None:
    world.push("v2")
    world.settle()
    assert (world.phase, world.status["message"]) == ("Paused", "CanaryPauseStep")
    assert (world.status["currentStepIndex"], world.pods("v2")) == (1, 2)
    world.pass_time(100_000)
    world.settle()
    assert world.phase == "Paused"
    world.promote()
    world.settle()
    assert (world.status["currentStepIndex"], world.pods("v2")) == (3, 6)


def test_a_pause_with_a_duration_ends_by_itself_and_the_pass_says_when(world: World) -> None:
    world.push("v2")
    world.settle()
    world.promote()
    world.settle()
    assert world.last is not None
    assert world.last.again == pytest.approx(60, abs=1)
    world.pass_time(60)
    world.settle()
    world.pass_time(31)
    world.settle()
    assert (world.phase, world.status["stableRS"], world.pods("v2"), world.pods("v1")) == ("Healthy", "v2", 10, 0)


def test_an_abort_goes_back_and_a_retry_begins_again(world: World) -> None:
    world.push("v2")
    world.settle()
    world.patch_status({"abort": True})
    world.settle()
    assert world.phase == "Degraded"
    assert world.status["message"] == "RolloutAborted: Rollout aborted update to revision 2"
    assert (world.pods("v1"), world.weight, world.status["currentStepIndex"]) == (10, 0, 0)
    assert world.status["abortedAt"]
    world.pass_time(31)
    world.settle()
    assert world.pods("v2") == 0
    world.patch_status({"abort": False})
    world.settle()
    assert (world.phase, world.pods("v2"), world.status["currentStepIndex"]) == ("Paused", 2, 1)


def test_promoting_fully_skips_what_is_left(world: World) -> None:
    world.push("v2")
    world.settle()
    world.patch_status({"promoteFull": True})
    world.settle()
    assert (world.phase, world.status["stableRS"], world.pods("v2")) == ("Healthy", "v2", 10)
    assert "promoteFull" not in world.status


def test_going_back_to_the_stable_template_is_immediate(world: World) -> None:
    world.push("v2")
    world.settle()
    world.push("v1")
    world.settle()
    assert (world.phase, world.status["currentStepIndex"], world.pods("v1")) == ("Healthy", 4, 10)
    assert world.sets["web-v1"]["metadata"]["annotations"]["rollout.argoproj.io/revision"] == "3"
    assert world.sets["web-v1"]["metadata"]["annotations"]["rollout.argoproj.io/revision-history"] == "1"


def test_a_third_version_in_the_middle_begins_at_the_first_step(world: World) -> None:
    world.push("v2")
    world.settle()
    world.push("v3")
    world.settle()
    assert (world.status["currentStepIndex"], world.pods("v3"), world.status["stableRS"]) == (1, 2, "v1")
    world.pass_time(31)
    world.settle()
    assert world.pods("v2") == 0


def test_a_paused_rollout_changes_nothing_but_the_number_of_its_pods(world: World) -> None:
    world.spec(paused=True)
    world.push("v2")
    world.settle()
    assert (world.phase, world.status["message"], list(world.sets)) == ("Paused", "manually paused", ["web-v1"])
    world.spec(replicas=6)
    world.settle()
    assert world.pods("v1") == 6
    world.spec(paused=False)
    world.settle()
    assert world.pods("v2") > 0


def test_scaling_in_the_middle_moves_both_sides_and_no_step(world: World) -> None:
    world.push("v2")
    world.settle()
    world.spec(replicas=20)
    world.settle()
    assert (world.pods("v2"), world.status["currentStepIndex"], world.phase) == (4, 1, "Paused")


def test_other_steps_begin_the_update_again(world: World) -> None:
    world.push("v2")
    world.settle()
    world.promote()
    world.settle()
    world.rollout["spec"]["strategy"]["canary"]["steps"] = [{"setWeight": 10}, {"pause": {}}]
    world.settle()
    assert (world.status["currentStepIndex"], world.pods("v2")) == (1, 1)


def test_a_recent_revision_comes_back_without_steps() -> None:
    world = deployed(canary(*STEPS), rollbackWindow={"revisions": 2})
    for version in ("v2", "v3"):
        world.pass_time(10)
        world.push(version)
        world.settle()
        world.patch_status({"promoteFull": True})
        world.settle()
    world.push("v2")
    world.settle()
    assert (world.phase, world.status["stableRS"]) == ("Healthy", "v2")
    world.push("v1")
    world.settle()
    assert world.status["stableRS"] == "v1"


def test_old_replica_sets_without_pods_are_deleted_beyond_the_limit() -> None:
    world = deployed(canary(), revisionHistoryLimit=2)
    for number in range(2, 8):
        world.pass_time(10)
        world.push(f"v{number}")
        world.settle()
    assert sorted(world.sets) == ["web-v5", "web-v6", "web-v7"]


def test_the_progress_deadline_degrades_or_aborts() -> None:
    for aborts in (False, True):
        world = deployed(canary({"setWeight": 20}), progressDeadlineSeconds=60, progressDeadlineAbort=aborts)
        world.broken.add("web-v2")
        world.push("v2")
        world.settle()
        assert world.phase == "Progressing"
        world.pass_time(62)
        world.settle()
        assert world.phase == "Degraded"
        reason = "RolloutAborted" if aborts else "ProgressDeadlineExceeded"
        assert world.status["message"].startswith(f"{reason}: ")
        assert (world.status.get("abort") is True) == aborts


def test_a_broken_stable_version_does_not_hold_up_its_repair() -> None:
    world = deployed(canary({"setWeight": 50}, {"setWeight": 100}))
    world.sets["web-v1"]["status"] |= {"readyReplicas": 0, "availableReplicas": 0}
    world.broken.add("web-v1")
    world.push("v2")
    world.settle()
    assert (world.phase, world.pods("v2")) == ("Healthy", 10)
