"""From canary to blue-green and back while people use it, on the real API server: Services follow, those that are named
no more are let go, and no pod that serves is lost.
"""

from services.rollout_manager.labels import HASH, MANAGED_BY
from tests.rollout.managed import Managed, image_of
from tests.rollout.rollouts import Obj, blue_green, canary, rollout, service

STEPS = canary({"setWeight": 50}, {"pause": {}}, stableService="stable", canaryService="canary")
GREEN = blue_green(autoPromotionEnabled=False)


async def change(managed: Managed, strategy: Obj, image: str) -> None:
    await managed.apply(rollout(strategy, replicas=2, image=image))


async def pods(managed: Managed, image: str) -> set[str]:
    found = await managed.list("Pod")
    live = (one for one in found if not one["metadata"].get("deletionTimestamp"))
    return {one["metadata"]["uid"] for one in live if one["spec"]["containers"][0]["image"] == image}


async def leads_to(managed: Managed, name: str) -> tuple[str, str]:
    """Whose a Service is, and to which version it leads."""
    found = await managed.get("Service", name)
    return (found["metadata"].get("annotations") or {}).get(MANAGED_BY, ""), found["spec"]["selector"].get(HASH, "")


async def until_led(managed: Managed, name: str, hash_: str) -> None:
    await managed.until(lambda one: one["spec"]["selector"].get(HASH, "") == hash_, kind="Service", name=name)


async def test_at_rest(managed: Managed) -> None:
    for name in ("stable", "canary", "active", "preview"):
        await managed.apply(service(name, managed.namespace))
    await change(managed, STEPS, "v1")
    first = (await managed.until_phase("Healthy"))["status"]["stableRS"]
    serving = await pods(managed, "v1")
    await change(managed, GREEN, "v1")
    found = await managed.until_phase("Healthy", stableRS=first)
    assert found["status"]["blueGreen"] == {"activeSelector": first, "previewSelector": first}
    assert await leads_to(managed, "active") == await leads_to(managed, "preview") == ("web", first)
    assert await leads_to(managed, "stable") == await leads_to(managed, "canary") == ("", "")
    assert await pods(managed, "v1") == serving

    await managed.push("v2")
    await managed.until_phase("Paused", message="BlueGreenPause")
    await managed.status({"pauseConditions": None})
    second = (await managed.until_phase("Healthy"))["status"]["stableRS"]
    assert (await leads_to(managed, "active"), second == first) == (("web", second), False)
    serving = await pods(managed, "v2")
    await change(managed, STEPS, "v2")
    await until_led(managed, "stable", second)
    await until_led(managed, "active", "")
    await managed.until_phase("Healthy", stableRS=second)
    assert await pods(managed, "v2") == serving


async def test_in_the_middle_of_an_update(managed: Managed) -> None:
    for name in ("stable", "canary", "active", "preview"):
        await managed.apply(service(name, managed.namespace))
    await change(managed, STEPS, "v1")
    first = (await managed.until_phase("Healthy"))["status"]["stableRS"]
    await managed.push("v2")
    second = (await managed.until_phase("Paused", currentStepIndex=1, HPAReplicas=2))["status"]["currentPodHash"]
    await managed.until(lambda one: one["status"]["replicas"] == 2)  # the stable version's second pod is gone
    one_of_each = await pods(managed, "v1"), await pods(managed, "v2")
    assert [len(some) for some in one_of_each] == [1, 1]

    await change(managed, GREEN, "v2")
    await managed.until_phase("Paused", message="BlueGreenPause", stableRS=first, readyReplicas=4)
    assert (await leads_to(managed, "active"), await leads_to(managed, "preview")) == (("web", first), ("web", second))
    now = await pods(managed, "v1"), await pods(managed, "v2")
    assert [len(some) for some in now] == [2, 2]
    assert all(before <= after for before, after in zip(one_of_each, now, strict=True))

    await change(managed, STEPS, "v2")
    paused = await managed.until_phase("Paused", message="CanaryPauseStep", stableRS=first)
    assert paused["status"]["blueGreen"] == {}
    await managed.status({"pauseConditions": None})
    await managed.until_phase("Healthy", stableRS=second)
    assert await leads_to(managed, "stable") == await leads_to(managed, "canary") == ("web", second)
    assert {image_of(one): one["status"]["replicas"] for one in await managed.list("ReplicaSet")} == {"v1": 0, "v2": 2}
