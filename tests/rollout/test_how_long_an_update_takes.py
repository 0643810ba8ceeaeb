"""`status.duration`: when an update began and ended, how, and how long people were waited for."""

from typing import Any

from shared.clock import rfc3339
from tests.rollout.rollouts import Obj, blue_green, canary
from tests.rollout.world import World


def begun(**fields: Any) -> World:
    """A minute into an update that waits for a person."""
    world = World.of(canary({"setWeight": 50}, {"pause": {}}, {"setWeight": 80}, {"pause": {"duration": 60}}), **fields)
    world.settle()
    world.push("v2")
    world.pass_time(60)
    world.settle()
    return world


def duration(world: World) -> Obj:
    found: Obj = world.status["duration"]
    return found


def test_time_that_people_take_is_counted_and_time_that_pauses_take_is_not() -> None:
    world = begun()
    start = world.now
    assert duration(world) == {"rolloutStartedAt": rfc3339(start), "manualPauseStartedAt": rfc3339(start)}
    world.pass_time(100)
    world.promote()
    world.settle()
    assert duration(world) == {"rolloutStartedAt": rfc3339(start), "totalManualPauseDurationSeconds": 100}
    world.pass_time(60)
    world.settle()
    done = {"totalManualPauseDurationSeconds": 100, "finishedAt": rfc3339(world.now), "completionStatus": "Promoted"}
    assert duration(world) == {"rolloutStartedAt": rfc3339(start), **done}
    world.pass_time(60)
    world.settle()
    assert duration(world)["finishedAt"] == done["finishedAt"]


def test_each_end_has_its_name() -> None:
    full, aborted, back = begun(), begun(), begun()
    full.patch_status({"promoteFull": True})
    aborted.patch_status({"abort": True})
    back.push("v1")
    for world, name in ((full, "FastPromoted"), (aborted, "Aborted"), (back, "RolledBack")):
        world.pass_time(5)
        world.settle()
        assert (duration(world)["completionStatus"], duration(world)["finishedAt"]) == (name, rfc3339(world.now))
        assert "manualPauseStartedAt" not in duration(world)
    aborted.pass_time(5)
    aborted.patch_status({"abort": False, "currentStepIndex": 0})
    aborted.settle()
    assert duration(aborted)["rolloutStartedAt"] == rfc3339(aborted.now)
    assert "completionStatus" not in duration(aborted)


def test_the_way_back_within_the_window_is_a_fast_one() -> None:
    world = begun(rollbackWindow={"revisions": 3})
    world.patch_status({"promoteFull": True})
    world.settle()
    world.pass_time(5)
    world.push("v1")
    world.settle()
    assert (world.phase, duration(world)["completionStatus"]) == ("Healthy", "FastRolledBack")


def test_blue_green_counts_as_well() -> None:
    world = World.of(blue_green(autoPromotionEnabled=False))
    world.settle()
    world.push("v2")
    world.settle()
    world.pass_time(7)
    world.promote()
    world.settle()
    assert duration(world)["totalManualPauseDurationSeconds"] == 7
    assert duration(world)["completionStatus"] == "Promoted"
    world.push("v1")
    world.settle()
    assert duration(world)["completionStatus"] == "FastRolledBack"


def test_hostile_durations_and_definitions_without_the_field_hurt_nobody() -> None:
    several: tuple[Any, ...] = (1, "x", [], {"rolloutStartedAt": 1, "finishedAt": {}, "manualPauseStartedAt": "soon"})
    for hostile in several:
        world = begun()
        world.status["duration"] = hostile
        world.promote()
        world.settle()
        assert world.phase == "Paused"
    world = begun()
    del world.status["duration"]
    world.settle()
    assert "duration" not in world.status
