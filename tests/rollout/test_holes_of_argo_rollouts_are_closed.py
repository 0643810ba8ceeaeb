"""What Argo Rollouts lets pass or stumbles over (spec 6.2, items 1, 2, 6, 7, 17, 18) is refused in words, or does no
harm. docs/conformance.md has a row for each item; the other items' tests are named there.
"""

import copy
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.rollout_manager.decide import decide
from services.rollout_manager.keys import Obj
from services.rollout_manager.replicas import portion, split
from services.rollout_manager.validate import problems
from shared.kinds.rollout import Rollout
from shared.kinds.wire import InvalidObject
from tests.rollout.rollouts import blue_green, canary, ingress, rollout, routed
from tests.rollout.world import STABLE_INGRESS, World

MESH: Obj = {"istio": {"virtualService": {"name": "web"}}, "managedRoutes": [{"name": "x"}]}
KINDS: Obj = {
    "setWeight": 50,
    "pause": {},
    "setCanaryScale": {"replicas": 1},
    "analysis": {"templates": [{"templateName": "t"}]},
    "experiment": {"templates": [{"name": "a", "specRef": "canary"}]},
    "setHeaderRoute": {"name": "x"},
    "setMirrorRoute": {"name": "x"},
    "plugin": {"name": "p"},
}


def said(strategy: Obj, **spec: Any) -> str:
    """All that is wrong, whether the shape or the sense is."""
    try:
        return "; ".join(problems(Rollout.parse(rollout(strategy, **spec))))
    except InvalidObject as error:
        return "; ".join(error.problems)


def meshed(*steps: Obj) -> Obj:
    return canary(*steps, canaryService="canary", stableService="stable", trafficRouting=MESH)


@pytest.mark.parametrize("pair", list(combinations(KINDS, 2)), ids="+".join)
def test_a_step_is_of_one_kind(pair: tuple[str, str]) -> None:
    """Item 1."""
    assert "steps[0]: Step must have one of" in said(meshed({name: KINDS[name] for name in pair}))


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (
            {"setMirrorRoute": {"name": "x", "match": [{"headers": {"who": {"exact": "a", "prefix": "b"}}}]}},
            "headers.who",
        ),
        (
            {"setMirrorRoute": {"name": "x", "match": [{"headers": {"who": {}}}]}},
            "headers.who: StringMatch value missed",
        ),
        ({"setMirrorRoute": {"name": "x", "match": [{"path": {}}]}}, "match[0].path: StringMatch value missed"),
        ({"setMirrorRoute": {"name": "x", "percentage": -1}}, "setMirrorRoute.percentage"),
        ({"setCanaryScale": {}}, "exactly one of replicas, weight and matchTrafficWeight"),
        ({"setCanaryScale": {"replicas": 1, "weight": 1, "matchTrafficWeight": True}}, "exactly one of replicas"),
        ({"setCanaryScale": {"weight": 101}}, "setCanaryScale.weight"),
        ({"pause": {"duration": "596524h"}}, "pause.duration"),
        ({"pause": {"duration": "99999999999"}}, "pause.duration"),
        ({"pause": None}, "Step must have one of"),
        ({}, "Step must have one of"),
        ("pause", "steps"),
    ],
)
def test_what_a_step_holds_has_to_make_sense(step: Any, words: str) -> None:
    """Items 2 and 18."""
    assert words in said(meshed(step))


def test_an_empty_pause_is_one_and_fields_that_nobody_knows_are_no_error() -> None:
    """Item 18."""
    assert said(canary({"pause": {}, "note": "for people"}, surprise=1), novelty=True) == ""


STATUS: list[Obj] = [
    {"currentStepIndex": -1},
    {"currentStepIndex": 2**40},
    {"canary": {"stepPluginStatuses": [{"index": 99, "name": "p"}], "weights": {"canary": {"weight": -50}}}},
    {"canary": {"weights": {"canary": {"weight": 2**40}, "stable": {"weight": -(2**40)}}}},
    {"abort": True, "currentStepIndex": 7, "canary": {"stepPluginStatuses": [{"index": 7}]}},
    {"stableRS": "nowhere", "pauseConditions": [{"reason": 5, "startTime": "yesterday"}]},
]


@pytest.mark.parametrize("status", STATUS, ids=str)
@pytest.mark.parametrize(
    "strategy", [canary({"setWeight": 20}, {"pause": {}}), routed({"setWeight": 20}, {"pause": {}})]
)
def test_a_status_of_other_steps_ends_well(strategy: Obj, status: Obj) -> None:
    """Item 6: steps were taken away meanwhile, or somebody wrote it."""
    world = World.of(strategy)
    world.objects[STABLE_INGRESS] = ingress("test")
    world.settle()
    world.push("v2")
    world.settle()
    world.rollout["spec"]["strategy"]["canary"]["steps"] = [{"setWeight": 30}]
    world.patch_status(status)
    decision = decide(world.observed())
    index = decision.status["currentStepIndex"]
    assert index in {0, 1}
    assert sum(one["spec"]["replicas"] for one in world.sets.values()) >= 10
    world.settle()
    world.patch_status({"abort": None})
    world.settle()
    assert (world.phase, world.pods("v2"), world.weight) == ("Healthy", 10, 0)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([0, 1, 3, 1_000_000]),
    st.lists(st.integers(0, 100).map(lambda weight: {"setWeight": weight}), max_size=3),
    st.sampled_from([None, 1, 100, 1000]),
    st.booleans(),
)
def test_numbers_at_their_ends_divide_and_multiply(
    replicas: int, steps: list[Obj], most: int | None, dynamic: bool
) -> None:
    """Item 7."""
    strategy = copy.deepcopy(routed(*steps, dynamicStableScale=dynamic))
    if most is not None:
        strategy["canary"]["trafficRouting"]["maxTrafficWeight"] = most
        strategy["canary"]["steps"] = [{"setWeight": min(one["setWeight"], most)} for one in steps]
    world = World.of(strategy, replicas=replicas)
    world.objects[STABLE_INGRESS] = ingress("test")
    world.settle()
    world.push("v2")
    world.settle()
    world.pass_time(60)
    world.settle()
    assert (world.pods("v2"), world.pods("v1")) == (replicas, 0)


@pytest.mark.parametrize("most", [0, -1])
def test_a_maximal_weight_of_nothing_is_refused(most: int) -> None:
    """Item 7."""
    strategy = copy.deepcopy(routed({"setWeight": 0}))
    strategy["canary"]["trafficRouting"]["maxTrafficWeight"] = most
    assert "maxTrafficWeight: Invalid value" in said(strategy)
    assert "spec.replicas" in said(canary(), replicas=2**31 - 1)
    assert portion(2**31 - 1, 99, 100) == 2126008811
    assert sum(split(2**31 - 1, 99, 100, 1)) in {2**31 - 1, 2**31}


@pytest.mark.parametrize("strategy", [canary({"setWeight": 50}, {"pause": {}}), blue_green(autoPromotionEnabled=False)])
def test_a_restart_asked_for_in_a_far_future_does_nothing_now(strategy: Obj) -> None:
    """Item 17."""
    world = World.of(strategy, restartAt="9999-12-31T23:59:59Z")
    world.settle()
    assert (world.phase, world.last.evict if world.last else None) == ("Healthy", ())


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_replica_set_that_is_deleted_in_the_middle_comes_back_or_is_done_without(version: str) -> None:
    """Item 17."""
    world = World.of(canary({"setWeight": 50}, {"pause": {}}))
    world.settle()
    world.push("v2")
    world.settle()
    del world.sets[f"web-{version}"]
    world.settle()
    assert (world.pods("v1"), world.pods("v2"), world.phase) == {
        "v1": (0, 10, "Healthy"),
        "v2": (5, 5, "Paused"),
    }[version]
