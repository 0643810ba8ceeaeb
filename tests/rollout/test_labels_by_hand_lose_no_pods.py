"""The label with a ReplicaSet's hash is anybody's to edit: whoever takes it away or writes another there neither takes
the ReplicaSet from its Rollout nor makes it pass for another version's. On the real API server.
"""

from functools import partial

from services.rollout_manager.labels import HASH
from tests.rollout.managed import Managed
from tests.rollout.rollouts import Obj, canary, rollout

HALF = canary({"setWeight": 50}, {"pause": {}})


async def half_way(managed: Managed) -> tuple[str, str]:
    """The hashes of the stable version and of the canary, one pod each."""
    await managed.apply(rollout(HALF, replicas=2))
    await managed.until_phase("Healthy")
    await managed.push("v2")
    status = (await managed.until_phase("Paused", currentStepIndex=1, HPAReplicas=2))["status"]
    assert await managed.counts() == {"v1": 1, "v2": 1}
    return status["stableRS"], status["currentPodHash"]


async def label(managed: Managed, hash_: str, value: str | None) -> None:
    await managed.patch({"metadata": {"labels": {HASH: value}}}, kind="ReplicaSet", name=f"web-{hash_}")


async def until_labelled(managed: Managed, *hashes: str) -> None:
    for hash_ in hashes:
        await managed.until(partial(labelled, hash_), kind="ReplicaSet", name=f"web-{hash_}")


def labelled(hash_: str, one: Obj) -> bool:
    return bool(one["metadata"]["labels"][HASH] == hash_)


async def pods(managed: Managed) -> set[str]:
    found = await managed.list("Pod")
    return {pod["metadata"]["uid"] for pod in found if not pod["metadata"].get("deletionTimestamp")}


async def test_a_label_that_somebody_changed_or_took_away_is_put_back(managed: Managed) -> None:
    stable, new = await half_way(managed)
    before = await pods(managed)
    await label(managed, new, stable)
    await label(managed, stable, None)
    await until_labelled(managed, stable, new)
    assert (await pods(managed), await managed.counts()) == (before, {"v1": 1, "v2": 1})
    await managed.status({"pauseConditions": None})
    done = await managed.until_phase("Healthy", stableRS=new)
    assert "collisionCount" not in done["status"]
    assert await managed.counts() == {"v1": 0, "v2": 2}


async def test_a_label_that_went_while_nobody_looked_is_put_back(unmanaged: Managed) -> None:
    async with unmanaged.run():
        stable, new = await half_way(unmanaged)
    before = await pods(unmanaged)
    for hash_ in (stable, new):
        await label(unmanaged, hash_, None)
    async with unmanaged.run():
        await until_labelled(unmanaged, stable, new)
        found = await unmanaged.until_phase("Paused", currentStepIndex=1, stableRS=stable, currentPodHash=new)
    assert "collisionCount" not in found["status"]
    assert (await pods(unmanaged), await unmanaged.counts()) == (before, {"v1": 1, "v2": 1})


async def test_a_replica_set_that_is_deleted_is_not_looked_for_again(managed: Managed) -> None:
    stable, new = await half_way(managed)
    await managed.delete("ReplicaSet", f"web-{new}")
    await managed.until(lambda one: one["status"]["availableReplicas"] == 1, kind="ReplicaSet", name=f"web-{new}")
    await managed.delete("ReplicaSet", f"web-{stable}")
    done = await managed.until_phase("Healthy", stableRS=new)
    assert (await managed.counts(), "collisionCount" in done["status"]) == ({"v2": 2}, False)
