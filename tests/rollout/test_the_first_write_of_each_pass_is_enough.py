"""A manager that dies after every single write comes where one comes that lives: each pass begins with a write from
which the next one goes on, and nothing is taken back.

Pods come up between two passes. Compared is everything but times, once what was replaced has had its time: with
`dynamicStableScale` it may have more pods until then. Not compared are the condition Progressing, which tells of the
last thing that moved, and runs that no status names: one may have been begun and ended at once. Experiments are not
among the steps: an Experiment is one write, as a run is.
"""

import copy
from dataclasses import replace

import hypothesis.strategies as st
from hypothesis import Phase as Part
from hypothesis import example, given, settings

from services.rollout_manager.analysis import Phase
from services.rollout_manager.keys import Obj
from tests.rollout.rollouts import blue_green, canary, ingress, routed
from tests.rollout.test_no_history_leaves_traffic_without_pods import (
    ANALYSIS,
    COUNTS,
    GREEN,
    STRATEGIES,
    WORKS,
    promotion,
)
from tests.rollout.test_verdicts_move_a_rollout import TEMPLATE
from tests.rollout.world import STABLE_INGRESS, World

MOST = 400
UP: tuple[Obj, ...] = ({"setWeight": 20}, {"pause": {}}, {"setWeight": 60})
TIMES = {"lastUpdateTime", "lastTransitionTime"}


def begun(strategy: Obj, replicas: int) -> World:
    world = World.of(strategy, replicas=replicas)
    world.templates[WORKS] = TEMPLATE
    world.objects[STABLE_INGRESS] = ingress("test")
    world.objects[STABLE_INGRESS]["metadata"]["resourceVersion"] = "1"
    return world


def dying(world: World) -> None:
    """Passes that end with their first write, until nothing is left to write and no pod to come."""
    for _ in range(MOST):
        wrote = world.first_write()
        before = copy.deepcopy(world.sets)
        for name in world.sets:
            world.become_available(name)
        if not wrote and before == world.sets:
            return
    raise AssertionError(f"it goes round and round: {world.status}")


def end(world: World) -> Obj:
    status = copy.deepcopy(world.status)
    for one in status["conditions"]:
        for name in TIMES:
            one.pop(name, None)
    conditions = [one for one in status["conditions"] if one["type"] != "Progressing"]
    status["conditions"] = sorted(conditions, key=lambda one: str(one["type"]))
    sets = {name: (one["spec"]["replicas"], one["metadata"]["annotations"]) for name, one in sorted(world.sets.items())}
    return {
        "status": status,
        "sets": sets,
        "services": world.services,
        "objects": world.objects,
        "annotations": world.rollout["metadata"].get("annotations"),
    }


def judge(world: World, phase: Phase) -> None:
    for name, run in world.runs.items():
        if not run.phase.completed:
            world.runs[name] = replace(run, phase=phase)


TOGETHER: st.SearchStrategy[Obj] = st.builds(lambda one, other: blue_green(**{**one, **other}), GREEN, GREEN)
COMMANDS: st.SearchStrategy[str] = st.sampled_from(
    ["push v2", "push v3", "push v1", "promote", "promote full", "abort", "retry", "succeed", "fail", "wait", "scale"]
)


def do(world: World, command: str) -> None:
    match command.split():
        case ["push", version]:
            world.push(version)
        case ["promote"]:
            world.patch_status(promotion(world))
        case ["promote", "full"]:
            world.patch_status({"promoteFull": True})
        case ["abort"] | ["retry"]:
            world.patch_status({"abort": command == "abort"})
        case ["succeed"] | ["fail"]:
            judge(world, Phase.SUCCESSFUL if command == "succeed" else Phase.FAILED)
        case ["wait"]:
            world.pass_time(120)
        case ["scale"]:
            world.spec(replicas=world.rollout["spec"]["replicas"] % 9 + 1)


@settings(max_examples=60, phases=(Part.explicit, Part.generate), report_multiple_bugs=False)
@given(STRATEGIES | TOGETHER, COUNTS, st.lists(COMMANDS, max_size=8))
@example(canary({"setWeight": 50}, {"pause": {}}, {"setWeight": 75}), 2, ["push v2", "promote"])
@example(canary({"setWeight": 20}, {"setWeight": 40}, {"setWeight": 80}), 5, ["push v2"])
@example(routed(*UP, dynamicStableScale=True), 5, ["push v2", "promote"])
@example(blue_green(autoPromotionEnabled=False, postPromotionAnalysis=ANALYSIS), 3, ["push v2", "promote", "succeed"])
@example(blue_green(autoPromotionEnabled=False), 3, ["push v2", "abort", "retry"])
@example(blue_green(prePromotionAnalysis=ANALYSIS), 3, ["push v2", "fail", "promote full"])
def test_dying_after_each_write_changes_nothing_of_the_end(strategy: Obj, replicas: int, commands: list[str]) -> None:
    calm, hunted = begun(strategy, replicas), begun(strategy, replicas)
    for command in ["begin", *commands, "wait"]:
        for world in (calm, hunted):
            do(world, command)
        calm.settle()
        dying(hunted)
    assert end(hunted) == end(calm)
