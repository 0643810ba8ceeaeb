"""What the verdicts of analyses and experiments mean for a Rollout that waits for them, and what is ended with it."""

import pytest

from services.rollout_manager.analysis import Phase
from services.rollout_manager.keys import Ref
from tests.rollout.rollouts import Obj, blue_green, canary
from tests.rollout.world import World

ANALYSIS: Obj = {"templates": [{"templateName": "works"}]}
METRIC: Obj = {"name": "up", "count": 1, "provider": {"web": {"url": "http://metrics.example.org"}}}
TEMPLATE: Obj = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "AnalysisTemplate",
    "metadata": {"name": "works", "namespace": "test"},
    "spec": {"metrics": [METRIC]},
}


def deployed(strategy: Obj, **spec: object) -> World:
    world = World.of(strategy, **spec)
    world.templates[Ref("argoproj.io", "AnalysisTemplate", "test", "works")] = TEMPLATE
    world.settle()
    assert (world.phase, world.runs) == ("Healthy", {})
    return world


def at_analysis_step() -> World:
    """At the second step, an analysis that goes on."""
    world = deployed(canary({"setWeight": 20}, {"analysis": ANALYSIS}, {"setWeight": 60}, {"pause": {}}))
    world.push("v2")
    world.settle()
    assert list(world.runs) == ["web-v2-2-1"]
    assert (world.status["currentStepIndex"], world.phase) == (1, "Progressing")
    return world


def test_a_step_waits_for_its_analysis_and_goes_on_with_its_success() -> None:
    world = at_analysis_step()
    world.pass_time(10_000)
    world.settle()
    assert world.phase == "Progressing"  # no deadline runs meanwhile
    world.judged("Step", Phase.SUCCESSFUL)
    world.settle()
    assert (world.status["currentStepIndex"], world.phase) == (3, "Paused")
    assert "currentStepAnalysisRunStatus" not in world.status["canary"]


@pytest.mark.parametrize("phase", [Phase.FAILED, Phase.ERROR])
def test_a_failed_analysis_aborts_with_its_words_and_a_retry_asks_again(phase: Phase) -> None:
    world = at_analysis_step()
    world.judged("Step", phase, "too many errors")
    world.settle()
    assert world.phase == "Degraded"
    expected = "Rollout aborted update to revision 2: Step-based analysis phase error/failed: too many errors"
    assert world.status["message"] == f"RolloutAborted: {expected}"
    assert (world.pods("v1"), world.pods("v2")) == (10, 0)
    assert world.status["canary"]["currentStepAnalysisRunStatus"]["status"] == phase
    world.patch_status({"abort": False, "currentStepIndex": 0})
    world.settle()
    assert list(world.runs) == ["web-v2-2-1", "web-v2-2-1.1"]
    assert (world.status["currentStepIndex"], world.phase) == (1, "Progressing")


def test_an_inconclusive_analysis_pauses_until_someone_decides() -> None:
    world = at_analysis_step()
    world.judged("Step", Phase.INCONCLUSIVE)
    world.settle()
    assert (world.phase, world.status["message"]) == ("Paused", "InconclusiveAnalysisRun")
    world.spec(replicas=20)
    world.settle()
    assert world.pods("v2") == 4
    world.patch_status({"pauseConditions": None, "controllerPause": False, "currentStepIndex": 2})
    world.settle()
    assert (world.status["currentStepIndex"], world.status["message"]) == (3, "CanaryPauseStep")


def test_a_background_analysis_begins_at_its_step_and_aborts_at_any() -> None:
    steps: tuple[Obj, ...] = ({"setWeight": 20}, {"pause": {}}, {"setWeight": 40}, {"pause": {}})
    world = deployed(canary(*steps, analysis={**ANALYSIS, "startingStep": 2}))
    world.push("v2")
    world.settle()
    assert world.runs == {}
    world.promote()
    world.settle()
    assert list(world.runs) == ["web-v2-2"]
    assert (world.phase, world.status["currentStepIndex"]) == ("Paused", 3)
    world.judged("Background", Phase.FAILED)
    world.settle()
    assert (world.phase, world.pods("v1")) == ("Degraded", 10)


def test_a_promotion_ends_what_still_runs() -> None:
    world = deployed(canary({"setWeight": 20}, {"pause": {}}, analysis=ANALYSIS))
    world.push("v2")
    world.settle()
    world.promote()
    world.settle()
    assert (world.phase, world.status["stableRS"], world.runs["web-v2-2"].terminate) == ("Healthy", "v2", True)
    world.judged("Background", Phase.FAILED)
    world.settle()
    assert world.phase == "Healthy"  # a verdict that comes too late


def test_another_version_ends_the_run_of_the_one_before_and_old_runs_are_deleted() -> None:
    world = deployed(canary({"setWeight": 20}, {"analysis": ANALYSIS}), analysis={"successfulRunHistoryLimit": 2})
    for number in range(2, 7):
        world.push(f"v{number}")
        world.pass_time(10)
        world.settle()
        world.judged("Step", Phase.SUCCESSFUL)
        world.settle()
    assert len(world.runs) == 2
    world.push("v8")
    world.settle()
    world.push("v9")
    world.settle()
    assert [run.terminate for name, run in world.runs.items() if "v8" in name] == [True]


def test_blue_green_asks_before_and_after_the_switch() -> None:
    asks = {"prePromotionAnalysis": ANALYSIS, "postPromotionAnalysis": ANALYSIS}
    world = deployed(blue_green(**asks), replicas=2)
    world.push("v2")
    world.settle()
    assert (list(world.runs), world.services["active"].hash) == (["web-v2-2-pre"], "v1")
    world.judged("PrePromotion", Phase.SUCCESSFUL)
    world.settle()
    assert list(world.runs) == ["web-v2-2-pre", "web-v2-2-post"]
    assert (world.services["active"].hash, world.status["stableRS"], world.pods("v1")) == ("v2", "v1", 2)
    assert world.status["message"] == "waiting for analysis to complete"
    world.judged("PostPromotion", Phase.FAILED)
    world.settle()
    assert (world.services["active"].hash, world.phase) == ("v1", "Degraded")


def test_more_pods_do_not_end_the_analysis_that_a_promotion_waits_for() -> None:
    world = deployed(blue_green(prePromotionAnalysis=ANALYSIS), replicas=2)
    world.push("v2")
    world.settle()
    world.spec(replicas=4)
    for _ in range(3):
        world.step()
        assert not world.runs["web-v2-2-pre"].terminate
        world.become_available("web-v2", 1)
    world.settle()
    assert (list(world.runs), world.services["active"].hash) == (["web-v2-2-pre"], "v1")
    world.judged("PrePromotion", Phase.SUCCESSFUL)
    world.settle()
    assert (world.services["active"].hash, world.pods("v2")) == ("v2", 4)


def test_a_template_with_a_fault_is_a_problem_of_the_spec() -> None:
    world = deployed(canary({"setWeight": 20}, {"analysis": ANALYSIS}))
    world.templates[Ref("argoproj.io", "AnalysisTemplate", "test", "works")] = {**TEMPLATE, "spec": {"metrics": []}}
    world.push("v2")
    world.settle()
    assert world.status["message"].startswith("InvalidSpec: ")
    assert world.pods("v1") >= 8
