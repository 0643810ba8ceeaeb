"""Two rollout managers, of which the Lease's holder is killed with SIGKILL in the middle of a canary, right behind a
write of whose success it never hears: the other one takes the Lease over, goes on, and writes nothing a second time.
And one that is stopped in the middle of a pass, and goes on when another has long finished its work: it writes nothing.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil

from services.rollout_manager.labels import INSTANCE_ID
from tests.parts.cluster import ClusterUnderTest
from tests.parts.faultproxy import FaultProxy, faulty
from tests.rollout.hunted import Hunted, kill, nursery
from tests.rollout.managed import Managed, image_of
from tests.rollout.rollouts import canary, rollout

LEASE = "argo-rollouts-controller-lock-led"
LEASE_SECONDS = 10


async def until_held(managed: Managed, pid: int) -> None:
    await managed.until(lambda one: one["spec"]["holderIdentity"].endswith(f"_{pid}"), kind="Lease", name=LEASE)


@asynccontextmanager
async def two_managers(
    unmanaged: Managed, cluster: ClusterUnderTest, folder: Path
) -> AsyncIterator[tuple[Hunted, Hunted, FaultProxy]]:
    """A Rollout, and two that have not begun yet, behind one proxy."""
    wanted = rollout(canary({"setWeight": 50}, {"pause": {}}), replicas=2)
    wanted["metadata"]["labels"] = {INSTANCE_ID: "led"}
    await unmanaged.apply(wanted)
    async with faulty(cluster.kubeconfig) as proxy, nursery(folder, LEASE_SECONDS) as born:
        leader, standby = (
            Hunted(proxy, unmanaged.namespace, "led", folder / name, born) for name in ("leader", "standby")
        )
        yield leader, standby, proxy


async def test_it_goes_on_where_the_leader_died(unmanaged: Managed, cluster: ClusterUnderTest, tmp_path: Path) -> None:
    async with two_managers(unmanaged, cluster, tmp_path) as (leader, standby, proxy):
        first = await leader.spawn()
        try:
            await until_held(unmanaged, first)
            stable = (await unmanaged.until_phase("Healthy"))["status"]["stableRS"]
            async with standby.alive() as second:
                rule = proxy.swallow(rf"^PATCH \S+/replicasets/web-{stable}", times=1)
                await unmanaged.push("v2")
                await rule.done.wait()
                kill(first)
                await unmanaged.until_phase("Paused", currentStepIndex=1)
                await until_held(unmanaged, second)
                assert await unmanaged.counts() == {"v1": 1, "v2": 1}
                await unmanaged.status({"pauseConditions": None})
                await unmanaged.until_phase("Healthy")
        finally:
            kill(first)
    sets = {image_of(one): one for one in await unmanaged.list("ReplicaSet")}
    assert {image: one["spec"]["replicas"] for image, one in sets.items()} == {"v1": 0, "v2": 2}
    # a generation is a change of the spec: two, one, none; and one, two
    assert {image: one["metadata"]["generation"] for image, one in sets.items()} == {"v1": 3, "v2": 2}
    assert proxy.count("create", "replicasets") == 2


@asynccontextmanager
async def stopped(pid: int) -> AsyncIterator[None]:
    """Stand still, as on a machine that swaps or is suspended."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def until_ended(process: psutil.Process) -> None:
    """A service on its own ends with its lease."""
    _, alive = await asyncio.to_thread(psutil.wait_procs, [process], 60)
    assert not alive


async def generations(managed: Managed) -> dict[str, int]:
    return {image_of(one): one["metadata"]["generation"] for one in await managed.list("ReplicaSet")}


async def test_one_that_stood_still_writes_nothing_of_what_it_had_decided(
    unmanaged: Managed, cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    async with two_managers(unmanaged, cluster, tmp_path) as (leader, standby, proxy):
        first = await leader.spawn()
        process = psutil.Process(first)
        try:
            await until_held(unmanaged, first)
            await unmanaged.until_phase("Healthy")
            await unmanaged.push("v2")
            await unmanaged.until_phase("Paused", currentStepIndex=1)
            rule = proxy.keep(r"^PATCH \S+/rollouts/web/status", times=1)
            await unmanaged.status({"pauseConditions": None})
            await rule.done.wait()  # it is written that the canary goes on; that v2 gets two replicas follows
            async with standby.alive() as second:
                async with stopped(first):
                    rule.released.set()
                    await until_held(unmanaged, second)
                    await unmanaged.until_phase("Healthy")
                    await unmanaged.push("v1")
                    await unmanaged.until_phase("Paused", currentStepIndex=1)
                    before = await generations(unmanaged)
                await until_ended(process)
                assert await generations(unmanaged) == before
        finally:
            kill(first)
    assert await unmanaged.counts() == {"v1": 1, "v2": 1}
