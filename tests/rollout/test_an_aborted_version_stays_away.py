"""An aborted version does not come back by itself, not even by self-heal after `undo`; git or a person brings it."""

from services.rollout_manager.labels import REVISION
from shared.events import ABORTED, DELIVERY, Aborted, aborted
from tests.parts.delivery import Delivery, complains, config_map, synced
from tests.rollout.rollouts import Obj, canary
from tests.rollout.test_a_push_is_rolled_out_and_traced import manifests
from tests.rollout.world import World


def halfway() -> World:
    world = World.of(canary({"setWeight": 50}, {"pause": {}}))
    world.rollout["metadata"]["annotations"] = {DELIVERY: "git:repo:one"}
    world.settle()
    world.push("v2")
    world.rollout["metadata"]["annotations"][DELIVERY] = "git:repo:two"
    world.settle()
    return world


def annotations(world: World) -> dict[str, str]:
    found: dict[str, str] = world.rollout["metadata"]["annotations"]
    return found


def test_an_abort_is_marked_with_its_delivery_and_going_back_keeps_the_mark() -> None:
    world = halfway()
    assert ABORTED not in annotations(world)
    world.patch_status({"abort": True})
    world.settle()
    assert aborted(annotations(world)) == Aborted("v2", "git:repo:two")
    world.push("v1")
    world.settle()
    assert (world.phase, aborted(annotations(world))) == ("Healthy", Aborted("v2", "git:repo:two"))
    assert ABORTED not in world.sets["web-v2"]["metadata"]["annotations"]
    world.push("v3")
    annotations(world)[DELIVERY] = "git:repo:three"
    world.settle()
    assert ABORTED not in annotations(world)


def test_a_retry_or_the_same_version_again_takes_the_mark_away() -> None:
    for again in ({"abort": False, "currentStepIndex": 0}, {"abort": True}):
        world = halfway()
        world.patch_status({"abort": True})
        world.settle()
        if again["abort"]:
            world.push("v1")
            world.settle()
            world.push("v2")
        else:
            world.patch_status(again)
        world.settle()
        assert (world.phase, ABORTED in annotations(world)) == ("Paused", False)


def test_an_aborted_rollout_is_not_begun_again_by_writing_the_same_spec() -> None:
    world = halfway()
    world.patch_status({"abort": True})
    world.settle()
    revision = annotations(world)[REVISION]
    world.spec(minReadySeconds=0)
    world.settle()
    assert (world.phase, world.pods("v2"), annotations(world)[REVISION]) == ("Degraded", 0, revision)


async def test_self_heal_leaves_what_was_taken_back_and_a_person_brings_it_again(delivery: Delivery) -> None:
    name = f"{delivery.namespace}/web"
    delivery.begin({**manifests("v1"), "app/other.json": config_map("other")})
    await delivery.apply(delivery.application(automated={"selfHeal": True}))
    await delivery.until(synced, seconds=90)
    await delivery.push(manifests("v2"), "Use v2")

    async def until(holds: "object") -> Obj:
        assert callable(holds)
        return await delivery.until_object("argoproj.io", "Rollout", "web", holds, seconds=60)

    await until(lambda obj: obj["status"]["phase"] == "Paused")
    assert (await delivery.stack.tiphys("rollout", "abort", name)).code == 0
    await until(lambda obj: ABORTED in obj["metadata"]["annotations"] and obj["status"]["phase"] == "Degraded")
    assert (await delivery.stack.tiphys("rollout", "undo", name)).code == 0
    await delivery.until(complains("SyncError", "Rollout web is not healed"), seconds=60)
    await delivery.delete("ConfigMap", "other")
    await delivery.until_object("", "ConfigMap", "other", lambda _obj: True)
    back = await until(lambda obj: obj["status"]["phase"] == "Healthy")
    assert back["spec"]["template"]["spec"]["containers"][0]["image"] == "v1"
    assert (await delivery.stack.tiphys("app", "sync", delivery.app)).code == 0
    again = await until(lambda obj: obj["status"]["phase"] == "Paused")
    assert ABORTED not in again["metadata"]["annotations"]
    await delivery.until(
        lambda app: app["status"]["sync"]["status"] == "Synced" and not app["status"].get("conditions")
    )
