"""Steps of a canary, field by field: pauses, scales, routes that come and go, analyses, experiments."""

from typing import Any

import pytest

from services.rollout_manager.analysis import Phase
from services.rollout_manager.decide import decide
from services.rollout_manager.experiments import SeenExperiment
from services.rollout_manager.keys import Ref
from services.rollout_manager.labels import HASH, INSTANCE_ID
from services.rollout_manager.steps import duration
from shared.kinds.strategy import Pause
from tests.rollout.rollouts import Obj, canary, ingress
from tests.rollout.test_verdicts_move_a_rollout import ANALYSIS, at_analysis_step, deployed
from tests.rollout.world import STABLE_INGRESS, World

VIRTUAL = Ref("networking.istio.io", "VirtualService", "test", "web")
ROUTE: Obj = {"route": [{"destination": {"host": name}} for name in ("stable", "canary")]}


@pytest.mark.parametrize(
    ("written", "seconds"),
    [(None, None), (30, 30), ("30", 30), ("30s", 30), ("5m", 300), ("1h", 3600), ("1h30m", 5400)],
)
def test_a_pause_is_as_long_as_it_is_written(written: Any, seconds: float | None) -> None:
    assert duration(Pause(duration=written)) == seconds


def behind(routing: Obj, objects: dict[Ref, Obj], *steps: Obj, **fields: Any) -> World:
    strategy = canary(*steps, canaryService="canary", stableService="stable", trafficRouting=routing, **fields)
    world = World.of(strategy)
    world.objects |= objects
    for one in world.objects.values():
        one["metadata"]["resourceVersion"] = "1"
    world.settle()
    assert world.phase == "Healthy"
    return world


def nginx(*steps: Obj, **fields: Any) -> World:
    return behind({"nginx": {"stableIngress": "web"}}, {STABLE_INGRESS: ingress("test")}, *steps, **fields)


@pytest.mark.parametrize(
    ("scale", "pods"),
    [
        ({"replicas": 3}, 3),
        ({"replicas": 0}, 0),
        ({"weight": 25}, 3),
        ({"weight": 100}, 10),
        ({"matchTrafficWeight": True}, 0),
    ],
)
def test_a_canary_is_as_large_as_its_scale_says_until_its_weight_does_again(scale: Obj, pods: int) -> None:
    world = nginx(
        {"setCanaryScale": scale}, {"pause": {}}, {"setCanaryScale": {"matchTrafficWeight": True}}, {"pause": {}}
    )
    world.push("v2")
    world.settle()
    assert (world.pods("v2"), world.pods("v1"), world.weight) == (pods, 10, 0)
    world.promote()
    world.settle()
    assert world.pods("v2") == 0


def test_the_least_pods_of_a_side_are_never_more_than_the_rollout_has() -> None:
    world = nginx({"setWeight": 1}, {"pause": {}}, minPodsPerReplicaSet=50)
    world.push("v2")
    world.settle()
    assert world.pods("v2") == 10


HEADER: Obj = {"setHeaderRoute": {"name": "x", "match": [{"headerName": "who", "headerValue": {"exact": "me"}}]}}
MIRROR: Obj = {"setMirrorRoute": {"name": "y", "percentage": 30, "match": [{"method": {"exact": "GET"}}]}}


def routes(world: World) -> list[str]:
    return [one["name"] for one in world.objects[VIRTUAL]["spec"]["http"] if "name" in one]


def mesh(*steps: Obj) -> World:
    virtual = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": "web", "namespace": "test"},
        "spec": {"http": [ROUTE]},
    }
    routing = {"istio": {"virtualService": {"name": "web"}}, "managedRoutes": [{"name": "x"}, {"name": "y"}]}
    return behind(routing, {VIRTUAL: virtual}, *steps)


def test_routes_hold_from_their_step_until_one_without_a_match() -> None:
    over: tuple[Obj, ...] = ({"setHeaderRoute": {"name": "x"}}, {"setMirrorRoute": {"name": "y"}})
    world = mesh({"setWeight": 20}, MIRROR, {"pause": {}}, HEADER, {"pause": {}}, *over, {"pause": {}})
    world.push("v2")
    world.settle()
    assert routes(world) == ["y"]
    world.promote()
    world.settle()
    assert routes(world) == ["x", "y"]  # in the order of managedRoutes
    world.promote()
    world.settle()
    assert (routes(world), world.phase) == ([], "Paused")


@pytest.mark.parametrize("end", [{"promoteFull": True}, {"abort": True}, {"pauseConditions": None}])
def test_no_managed_route_outlives_the_update(end: Obj) -> None:
    world = mesh({"setWeight": 20}, HEADER, MIRROR, {"pause": {}})
    world.push("v2")
    world.settle()
    assert routes(world) == ["x", "y"]
    world.patch_status(end)
    world.settle()
    assert (routes(world), world.phase) == ([], "Degraded" if "abort" in end else "Healthy")


def test_a_run_is_labelled_for_whom_it_is_made() -> None:
    world = deployed(canary({"setWeight": 20}, {"analysis": ANALYSIS}))
    world.rollout["metadata"]["labels"] = {INSTANCE_ID: "blue"}
    world.push("v2")
    made: list[Obj] = []
    for _ in range(5):
        made += world.step().start_runs
        for name in world.sets:
            world.become_available(name)
    [run] = made
    assert run["metadata"]["labels"] == {
        "app": "web",
        HASH: "v2",
        "rollout-type": "Step",
        "step-index": "1",
        INSTANCE_ID: "blue",
    }
    assert run["metadata"]["annotations"] == {"rollout.argoproj.io/revision": "2"}


@pytest.mark.parametrize("how", [{"promoteFull": True}, {"abort": True}])
def test_what_is_asked_ends_with_the_update(how: Obj) -> None:
    world = at_analysis_step()
    world.patch_status(how)
    world.settle()
    assert (world.runs["web-v2-2-1"].terminate, len(world.runs)) == (True, 1)


def test_no_analysis_begins_on_the_way_back_within_the_window() -> None:
    world = deployed(canary({"analysis": ANALYSIS}, analysis=ANALYSIS), rollbackWindow={"revisions": 2})
    world.pass_time(5)
    world.push("v2")
    world.patch_status({"promoteFull": True})
    world.settle()
    world.patch_status({"promoteFull": True})
    world.settle()
    before = len(world.runs)
    world.pass_time(5)
    world.push("v1")
    world.settle()
    assert (world.phase, world.status["stableRS"], len(world.runs)) == ("Healthy", "v1", before)


STEP: Obj = {"experiment": {"templates": [{"name": "a", "specRef": "canary"}], "duration": "1m"}}


def at_experiment() -> World:
    world = deployed(canary({"setWeight": 20}, STEP, {"pause": {}}))
    world.push("v2")
    world.settle()
    assert (world.status["canary"]["currentExperiment"], world.status["currentStepIndex"]) == ("web-v2-2-1", 1)
    return world


def seen(phase: Phase, message: str = "") -> SeenExperiment:
    return SeenExperiment("web-v2-2-1", "u", "v2", "1", phase, message)


def test_a_step_waits_for_its_experiment() -> None:
    world = at_experiment()
    world.experiments = (seen(Phase.RUNNING),)
    world.settle()
    assert world.status["currentStepIndex"] == 1
    world.experiments = (seen(Phase.SUCCESSFUL),)
    world.settle()
    assert (world.status["currentStepIndex"], world.phase) == (2, "Paused")
    assert "currentExperiment" not in world.status["canary"]


@pytest.mark.parametrize("phase", [Phase.FAILED, Phase.ERROR])
def test_a_bad_experiment_aborts_in_its_words_and_a_retry_makes_another(phase: Phase) -> None:
    world = at_experiment()
    world.experiments = (seen(phase, "too slow"),)
    world.settle()
    assert world.phase == "Degraded"
    assert world.status["message"].endswith(": too slow")
    world.patch_status({"abort": False, "currentStepIndex": 0})
    made: list[str] = []
    for _ in range(4):
        decision = decide(world.observed())
        made += [one["metadata"]["name"] for one in decision.start_experiments]
        world.carry_out(decision)
        for name in world.sets:
            world.become_available(name)
    assert set(made) == {"web-v2-2-1-1"}


def test_an_inconclusive_experiment_pauses_until_someone_decides() -> None:
    world = at_experiment()
    world.experiments = (seen(Phase.INCONCLUSIVE),)
    world.settle()
    assert (world.phase, world.status["message"]) == ("Paused", "InconclusiveExperiment")
    world.patch_status({"pauseConditions": None, "controllerPause": False, "currentStepIndex": 2})
    world.settle()
    assert (world.status["currentStepIndex"], world.status["message"]) == (2, "CanaryPauseStep")


def test_a_step_that_is_skipped_says_nothing_of_the_next() -> None:
    world = deployed(canary({"analysis": ANALYSIS}, {"analysis": ANALYSIS}, STEP, STEP))
    world.push("v2")
    world.settle()
    for number in (0, 1):
        assert (world.status["currentStepIndex"], list(world.runs)[-1]) == (number, f"web-v2-2-{number}")
        world.patch_status({"pauseConditions": None, "controllerPause": False, "currentStepIndex": number + 1})
        world.settle()
    assert world.status["currentStepIndex"] == 2
    world.experiments = (SeenExperiment("web-v2-2-2", "u", "v2", "2", Phase.SUCCESSFUL),)
    world.status["canary"]["currentExperiment"] = "web-v2-2-2"
    world.patch_status({"currentStepIndex": 3})
    world.step()
    assert (world.status["currentStepIndex"], world.status["canary"]["currentExperiment"]) == (3, "web-v2-2-3")


def test_an_experiment_ends_with_the_update() -> None:
    world = at_experiment()
    world.experiments = (seen(Phase.RUNNING),)
    world.patch_status({"promoteFull": True})
    stopped: list[str] = []
    for _ in range(4):
        decision = world.step()
        stopped += decision.stop_experiments
        for name in world.sets:
            world.become_available(name)
    assert set(stopped) == {"web-v2-2-1"}
