"""`tiphys run rollout_manager` on its own, killed with SIGKILL after each single write of a canary: the same end.

Beside it another instance carries the same canary out in peace, for comparison. That the first write of each pass is
enough, with every strategy, shows test_the_first_write_of_each_pass_is_enough.py.
"""

import asyncio
from pathlib import Path

import pytest

from services.rollout_manager.labels import INSTANCE_ID
from tests.parts.cluster import ClusterUnderTest
from tests.parts.faultproxy import faulty
from tests.rollout.hunted import Hunted, nursery
from tests.rollout.managed import Managed, image_of
from tests.rollout.rollouts import Obj, canary, rollout

pytestmark = pytest.mark.timeout(400)
STEPS: tuple[Obj, ...] = ({"setWeight": 50}, {"pause": {}}, {"setWeight": 75})
PATIENCE = 180
TIMES = {"lastUpdateTime", "lastTransitionTime"}


def labelled(instance: str) -> Obj:
    wanted = rollout(canary(*STEPS), replicas=2)
    wanted["metadata"]["labels"] = {INSTANCE_ID: instance}
    return wanted


async def end(managed: Managed) -> Obj:
    """Everything that is the Rollout's, but for times."""
    found = await managed.get("Rollout", "web")
    status = found["status"]
    status["conditions"] = [
        {name: value for name, value in one.items() if name not in TIMES}
        for one in sorted(status["conditions"], key=lambda one: str(one["type"]))
    ]
    status["duration"] = status["duration"]["completionStatus"]
    sets = {
        one["metadata"]["name"]: (image_of(one), one["spec"]["replicas"], one["metadata"]["annotations"])
        for one in await managed.list("ReplicaSet")
    }
    return {"status": status, "sets": sets, "annotations": found["metadata"]["annotations"]}


async def in_peace(managed: Managed) -> Obj:
    async with managed.run():
        await managed.apply(labelled(managed.instance))
        await managed.until_phase("Healthy")
        await managed.push("v2")
        await managed.until_phase("Paused", currentStepIndex=1)
        await managed.status({"pauseConditions": None})
        await managed.until_phase("Healthy")
    return await end(managed)


async def hunted_down(managed: Managed, hunted: Hunted) -> Obj:
    await managed.apply(labelled(hunted.instance))
    async with hunted.alive():
        await managed.until_phase("Healthy", seconds=PATIENCE)
    await managed.push("v2")
    waits = managed.until_phase("Paused", seconds=PATIENCE, currentStepIndex=1)
    lives = await hunted.killed_after_each_write_until(waits)
    assert await managed.counts() == {"v1": 1, "v2": 1}
    await managed.status({"pauseConditions": None})
    lives += await hunted.killed_after_each_write_until(managed.until_phase("Healthy", seconds=PATIENCE))
    assert lives >= 6
    return await end(managed)


async def test_the_end_is_as_if_nobody_had_died(unmanaged: Managed, cluster: ClusterUnderTest, tmp_path: Path) -> None:
    other = f"{unmanaged.namespace}-peace"
    cluster.kubectl("create", "namespace", other)
    try:
        calm = Managed(cluster.kubeconfig, other, tmp_path, unmanaged.cluster, unmanaged.discovery, instance="calm")
        async with faulty(cluster.kubeconfig) as proxy, nursery(tmp_path) as born:
            hunted = Hunted(proxy, unmanaged.namespace, "hunted", tmp_path, born)
            peace, hunt = await asyncio.gather(in_peace(calm), hunted_down(unmanaged, hunted))
        assert peace == hunt
    finally:
        cluster.kubectl("delete", "namespace", other, "--wait=false")
