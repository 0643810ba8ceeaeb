"""Blue-green on a simulated cluster: preview, promotion by hand and by time, the small preview, going back, abort."""

import pytest

from tests.rollout.rollouts import Obj, blue_green, canary
from tests.rollout.world import World


def deployed(strategy: Obj, **spec: object) -> World:
    world = World.of(strategy, replicas=4, **spec)
    world.settle()
    assert (world.phase, world.services["active"].hash) == ("Healthy", "v1")
    assert world.status["blueGreen"] == {"activeSelector": "v1", "previewSelector": "v1"}
    return world


def test_the_switch_comes_when_all_new_pods_are_there_and_the_old_ones_stay_for_a_while() -> None:
    world = deployed(blue_green())
    world.push("v2")
    world.step()
    world.become_available("web-v2", 3)
    world.step()
    assert (world.services["preview"].hash, world.services["active"].hash) == ("v2", "v1")
    assert world.status["message"] == "updated replicas are still becoming available"
    world.settle()
    assert (world.services["active"].hash, world.status["stableRS"], world.pods("v1")) == ("v2", "v2", 4)
    assert world.status["selector"] == "app=web,rollouts-pod-template-hash=v2"
    world.pass_time(31)
    world.settle()
    assert (world.phase, world.pods("v1")) == ("Healthy", 0)


def test_without_auto_promotion_somebody_must_promote() -> None:
    world = deployed(blue_green(autoPromotionEnabled=False))
    world.push("v2")
    world.settle()
    assert (world.phase, world.status["message"]) == ("Paused", "BlueGreenPause")
    world.pass_time(10_000)
    world.settle()
    assert world.services["active"].hash == "v1"
    world.promote()
    world.settle()
    assert (world.phase, world.services["active"].hash) == ("Healthy", "v2")


def test_where_a_person_has_to_promote_no_time_does() -> None:
    world = deployed(blue_green(autoPromotionEnabled=False, autoPromotionSeconds=20))
    world.push("v2")
    world.settle()
    world.pass_time(10_000)
    world.settle()
    assert (world.phase, world.services["active"].hash) == ("Paused", "v1")
    world.promote()
    world.settle()
    assert world.services["active"].hash == "v2"


def test_auto_promotion_waits_its_seconds() -> None:
    world = deployed(blue_green(autoPromotionSeconds=20))
    world.push("v2")
    world.settle()
    assert world.phase == "Paused"
    assert world.last is not None
    assert world.last.again == pytest.approx(20, abs=1)
    world.pass_time(20)
    world.settle()
    assert world.services["active"].hash == "v2"


def test_a_small_preview_grows_only_after_the_promotion() -> None:
    world = deployed(blue_green(autoPromotionEnabled=False, previewReplicaCount=1))
    world.push("v2")
    world.settle()
    assert (world.pods("v2"), world.phase) == (1, "Paused")
    world.promote()
    world.step()
    assert world.status["blueGreen"]["scaleUpPreviewCheckPoint"] is True
    assert (world.pods("v2"), world.services["active"].hash) == (4, "v1")
    world.settle()
    assert (world.services["active"].hash, world.phase) == ("v2", "Healthy")
    assert "scaleUpPreviewCheckPoint" not in world.status["blueGreen"]


def test_going_back_while_the_old_pods_live_is_one_pass() -> None:
    world = deployed(blue_green(autoPromotionEnabled=False))
    world.push("v2")
    world.settle()
    world.promote()
    world.settle()
    world.push("v1")
    world.step()
    assert (world.services["active"].hash, world.status["stableRS"]) == ("v1", "v1")
    world.settle()
    assert world.phase == "Healthy"


def test_an_abort_before_the_switch_takes_the_preview_away_after_its_delay() -> None:
    world = deployed(blue_green(autoPromotionEnabled=False, abortScaleDownDelaySeconds=60))
    world.push("v2")
    world.settle()
    world.patch_status({"abort": True})
    world.settle()
    assert (world.phase, world.services["active"].hash, world.pods("v2")) == ("Degraded", "v1", 4)
    world.pass_time(61)
    world.settle()
    assert world.pods("v2") == 0
    world.patch_status({"abort": False})
    world.settle()
    assert (world.phase, world.pods("v2")) == ("Paused", 4)


def test_a_revision_limit_ends_the_delay_of_older_ones() -> None:
    world = deployed(blue_green(scaleDownDelaySeconds=600, scaleDownDelayRevisionLimit=1))
    for version in ("v2", "v3"):
        world.pass_time(5)
        world.push(version)
        world.settle()
    assert (world.pods("v2"), world.pods("v1")) == (4, 0)


def test_the_strategy_of_a_live_rollout_can_be_changed() -> None:
    world = deployed(blue_green())
    world.spec(strategy=canary({"setWeight": 50}, {"pause": {}}))
    world.settle()
    assert (world.phase, world.pods("v1"), world.status["blueGreen"]) == ("Healthy", 4, {})
    world.push("v2")
    world.settle()
    assert (world.phase, world.pods("v2")) == ("Paused", 2)
    world.promote()
    world.settle()
    world.spec(strategy=blue_green())
    world.settle()
    assert (world.phase, world.services["active"].hash, world.pods("v2")) == ("Healthy", "v2", 4)
