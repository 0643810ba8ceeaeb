"""`restartAt` evicts pods: a real PodDisruptionBudget is obeyed, and no more are away at once than `maxUnavailable`."""

from dataclasses import replace
from datetime import timedelta

from shared.clock import now, rfc3339
from tests.parts.faultproxy import faulty
from tests.rollout.managed import Managed
from tests.rollout.nodes import cordon, nodes, placed, uncordon
from tests.rollout.rollouts import Obj, canary, rollout


def budget(least: int) -> Obj:
    spec = {"minAvailable": least, "selector": {"matchLabels": {"app": "web"}}}
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "web"}, "spec": spec}


async def until_allowed(managed: Managed, count: int) -> None:
    def holds(one: Obj) -> bool:
        seen = one["status"]["observedGeneration"] == one["metadata"]["generation"]
        return bool(seen and one["status"]["disruptionsAllowed"] == count)

    await managed.until(holds, kind="PodDisruptionBudget")


async def restart(managed: Managed) -> str:
    """Asks for it in a second, for creation times are whole seconds."""
    at = rfc3339(now() + timedelta(seconds=1))
    await managed.patch({"spec": {"restartAt": at}})
    return at


async def pods(managed: Managed) -> set[str]:
    found = await managed.list("Pod")
    return {pod["metadata"]["uid"] for pod in found if not pod["metadata"].get("deletionTimestamp")}


async def test_a_budget_that_allows_none_holds_it_up_until_it_does(unmanaged: Managed) -> None:
    async with faulty(unmanaged.kubeconfig) as proxy:
        managed = replace(unmanaged, kubeconfig=proxy.kubeconfig)
        async with managed.run():
            await managed.apply(rollout(canary(), replicas=2))
            await managed.until_phase("Healthy")
            await managed.apply(budget(2))
            await until_allowed(managed, 0)
            before = await pods(managed)
            at = await restart(managed)
            await proxy.until(2, "create", "pods/eviction", seconds=60)  # it asks again
            await managed.until_phase("Progressing", message="rollout is restarting")
            assert await pods(managed) == before
            await managed.apply(budget(1))
            await managed.until_phase("Healthy", restartedAt=at)
            assert not before & await pods(managed)


async def test_as_many_at_a_time_as_may_be_missing(managed: Managed) -> None:
    """Pods that were evicted find no place, so that who evicts too many is seen."""
    async with nodes(managed, "only") as [node]:
        await managed.apply(placed(managed, rollout(canary(maxUnavailable=2), replicas=4)))
        found = await managed.until_phase("Healthy")
        before, name = await pods(managed), f"web-{found['status']['stableRS']}"
        await cordon(managed, node)
        async with managed.each("ReplicaSet", name, lambda one: one["status"].get("availableReplicas", 0)) as available:
            at = await restart(managed)
            await managed.until(lambda one: one["status"]["availableReplicas"] == 2, kind="ReplicaSet", name=name)
            assert len(before & await pods(managed)) == 2
            await uncordon(managed, node)
            await managed.until_phase("Healthy", restartedAt=at, availableReplicas=4)
        assert min(available) == 2
        assert not before & await pods(managed)
