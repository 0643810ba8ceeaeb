"""What lets a canary go on sooner: enough of its pods, a recent revision. On the real API server and scheduler."""

import asyncio

from shared.clock import now, parse_rfc3339
from tests.rollout.managed import Managed
from tests.rollout.nodes import cores, nodes, placed, unschedulable
from tests.rollout.rollouts import Obj, canary, rollout

HALF: tuple[Obj, ...] = ({"setWeight": 50}, {"pause": {}})


async def test_most_of_the_pods_are_enough_where_that_is_asked_for(managed: Managed) -> None:
    """The one node has a place for one of the canary's two pods."""
    async with nodes(managed, "small"):
        wanted = placed(managed, rollout(canary(*HALF, maxSurge=2), replicas=3))
        wanted["spec"]["template"]["spec"]["containers"][0] |= cores(100)
        await managed.apply(wanted)
        await managed.until_phase("Healthy")
        container = {"name": "c", "image": "v2", **cores(600)}
        await managed.patch({"spec": {"template": {"spec": {"containers": [container]}}}})
        counts = {"replicas": 4, "updatedReplicas": 2, "availableReplicas": 3}
        found = await managed.until(lambda one: counts.items() <= one["status"].items())
        names = [pod["metadata"]["name"] for pod in await managed.list("Pod") if not pod["status"].get("podIP")]
        assert len(names) == 1
        await managed.until(lambda pod: unschedulable(pod, "Insufficient cpu"), kind="Pod", name=names[0])
        assert (found["status"]["currentStepIndex"], await managed.counts()) == (0, {"v1": 2, "v2": 2})
        threshold = {"replicaProgressThreshold": {"type": "Percent", "value": 50}}
        await managed.patch({"spec": {"strategy": {"canary": threshold}}})
        await managed.until_phase("Paused", currentStepIndex=1, availableReplicas=3)


async def deployed(managed: Managed, image: str) -> str:
    """Bring a version out without its steps; gives its hash once it is older than what is made next."""
    await managed.push(image)
    await managed.until_phase("Paused", currentStepIndex=1)
    await managed.status({"promoteFull": True})
    return await ended(managed)


async def ended(managed: Managed) -> str:
    hash_ = str((await managed.until_phase("Healthy"))["status"]["stableRS"])
    made = parse_rfc3339((await managed.get("ReplicaSet", f"web-{hash_}"))["metadata"]["creationTimestamp"])
    await asyncio.sleep(max(0.0, 1 - (now() - made).total_seconds()))  # creation times are whole seconds
    return hash_


async def test_a_recent_revision_comes_back_at_once_and_an_older_one_step_by_step(managed: Managed) -> None:
    await managed.apply(rollout(canary(*HALF), replicas=2, rollbackWindow={"revisions": 1}))
    first = await ended(managed)
    second = await deployed(managed, "v2")
    await managed.push("v1")
    await managed.until_phase("Healthy", stableRS=first)
    third = await deployed(managed, "v3")
    await managed.push("v1")
    await managed.until_phase("Paused", currentStepIndex=1, stableRS=third)
    await managed.push("v2")
    await managed.until_phase("Healthy", stableRS=second)
    assert await managed.counts() == {"v1": 0, "v2": 2, "v3": 0}
