"""A status that differs in counts alone is kept back for a moment, never for longer; all else is written at once.

And no pass is made to hear of counts that we wrote ourselves, for nothing follows from them.
"""

import copy

import pytest

from services.rollout_manager.decide import decide
from services.rollout_manager.keys import Obj, RolloutKey
from services.rollout_manager.settling import SETTLE, Settling, only_counts
from shared.merge import merge_patch_between
from tests.rollout.rollouts import blue_green, canary
from tests.rollout.world import World

KEY, OTHER = RolloutKey("ns", "web"), RolloutKey("ns", "other")


def progressing(at: str, reason: str = "ReplicaSetUpdated") -> Obj:
    return {"type": "Progressing", "status": "True", "reason": reason, "lastUpdateTime": at}


BEFORE: Obj = {"phase": "Progressing", "readyReplicas": 1, "conditions": [progressing("2026-01-01T00:00:00Z")]}


def test_what_only_counts_is_counts_and_when_it_was_said() -> None:
    later = [progressing("2026-01-01T00:00:09Z")]
    assert only_counts(BEFORE, {"readyReplicas": 2, "message": "more replicas need to be updated"})
    assert only_counts(BEFORE, {"readyReplicas": 2, "conditions": later})
    assert not only_counts(BEFORE, {"readyReplicas": 2, "phase": "Healthy"})
    assert not only_counts(BEFORE, {"readyReplicas": 2, "currentStepIndex": 1})
    assert not only_counts(BEFORE, {"conditions": [progressing("2026-01-01T00:00:09Z", "NewReplicaSetAvailable")]})
    assert not only_counts(BEFORE, {"conditions": [*later, {"type": "Healthy", "status": "True"}]})


def test_counts_that_go_on_changing_are_written_when_their_time_is_over() -> None:
    settling = Settling()
    first = settling.wait(KEY, BEFORE, {"readyReplicas": 2}, 100.0)
    assert first == pytest.approx(SETTLE)
    assert 0 < settling.wait(KEY, BEFORE, {"readyReplicas": 3}, 100.0 + SETTLE / 2) < SETTLE
    assert settling.wait(OTHER, BEFORE, {"readyReplicas": 2}, 100.0 + SETTLE) == pytest.approx(SETTLE)
    assert settling.wait(KEY, BEFORE, {"readyReplicas": 4}, 100.0 + SETTLE) == 0
    assert settling.wait(KEY, BEFORE, {"readyReplicas": 5}, 100.0 + SETTLE) == pytest.approx(SETTLE)


def test_a_step_takes_the_counts_with_it() -> None:
    settling = Settling()
    settling.wait(KEY, BEFORE, {"readyReplicas": 2}, 100.0)
    assert settling.wait(KEY, BEFORE, {"readyReplicas": 3, "currentStepIndex": 2}, 100.1) == 0
    assert settling.wait(KEY, BEFORE, {"readyReplicas": 2}, 100.3) == pytest.approx(SETTLE)


def test_counts_that_went_back_are_no_change() -> None:
    settling = Settling()
    settling.wait(KEY, BEFORE, {"readyReplicas": 2}, 100.0)
    assert settling.wait(KEY, BEFORE, {}, 100.1) == 0
    assert settling.wait(KEY, BEFORE, {"readyReplicas": 2}, 105.0) == pytest.approx(SETTLE)


@pytest.mark.parametrize(
    "strategy", [canary({"setWeight": 40}, {"setWeight": 80}), blue_green()], ids=["canary", "green"]
)
def test_nothing_follows_from_counts_alone(strategy: Obj) -> None:
    world, seen = World.of(strategy), 0
    for image in ("v1", "v2"):
        world.push(image)
        for _ in range(60):
            before = copy.deepcopy(world.status)
            decision = world.step()
            if only_counts(before, merge_patch_between(before, world.status)) and not decision.changes:
                follows = decide(world.observed())
                assert not merge_patch_between(world.status, follows.status)
                assert not any((follows.changes, follows.services, follows.create, follows.says))
                assert follows.again is None or decision.again is not None
                seen += world.status != before
            world.pass_time(1)
            for name in world.sets:
                world.become_available(name, 1)
        assert world.status["stableRS"] == image
    assert seen > 5


def test_a_version_that_we_wrote_is_known_until_another_comes() -> None:
    settling = Settling()
    settling.wrote(KEY, "7")
    assert [settling.is_own(KEY, "7"), settling.is_own(KEY, "8"), settling.is_own(OTHER, "7")] == [True, False, False]
    settling.gone(KEY)
    assert not settling.is_own(KEY, "7")
