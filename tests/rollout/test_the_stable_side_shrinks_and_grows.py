"""`dynamicStableScale` behind nginx on the real API server: the stable side gives up the pods that its traffic needs no
more, and an abort brings them back before the traffic.
"""

from tests.rollout.managed import Managed
from tests.rollout.rollouts import Obj, ingress, rollout, routed, service

WEIGHT = "nginx.ingress.kubernetes.io/canary-weight"
STEPS: tuple[Obj, ...] = ({"setWeight": 50}, {"pause": {}}, {"setWeight": 75}, {"pause": {}})


def weight_of(made: Obj) -> int:
    return int(made["metadata"]["annotations"][WEIGHT])


async def until_told(managed: Managed, hash_: str, count: int) -> None:
    """Wait until a ReplicaSet is told to have so many pods."""
    await managed.until(lambda one: one["spec"]["replicas"] == count, kind="ReplicaSet", name=f"web-{hash_}")


async def at_pause(managed: Managed, index: int, *, stable: int, new: int) -> Obj:
    status: Obj = (await managed.until_phase("Paused", currentStepIndex=index))["status"]
    await until_told(managed, status["stableRS"], stable)
    await until_told(managed, status["currentPodHash"], new)
    return status


async def test_an_abort_in_the_middle_and_then_to_the_end(managed: Managed) -> None:
    for name in ("stable", "canary"):
        await managed.apply(service(name, managed.namespace))
    await managed.apply(ingress(managed.namespace))
    await managed.apply(rollout(routed(*STEPS, dynamicStableScale=True), replicas=4))
    await managed.until_phase("Healthy")
    await managed.push("v2")
    await at_pause(managed, 1, stable=2, new=2)
    assert weight_of(await managed.get("Ingress", "web-web-canary")) == 50
    await managed.status({"pauseConditions": None})
    status = await at_pause(managed, 3, stable=1, new=3)
    assert weight_of(await managed.get("Ingress", "web-web-canary")) == 75

    async with managed.each("Ingress", "web-web-canary", weight_of) as weights:
        await managed.status({"abort": True})
        await until_told(managed, status["stableRS"], 4)
        await until_told(managed, status["currentPodHash"], 0)
        await managed.until_phase("Degraded", updatedReplicas=0)
        await managed.until(lambda one: weight_of(one) == 0, kind="Ingress", name="web-web-canary")
    assert [*weights] == sorted(weights, reverse=True)

    await managed.status({"abort": False})
    await at_pause(managed, 1, stable=2, new=2)
    await managed.status({"promoteFull": True})
    await managed.until_phase("Healthy", stableRS=status["currentPodHash"])
    await until_told(managed, status["stableRS"], 0)
    assert await managed.counts() == {"v1": 0, "v2": 4}
