"""A real HorizontalPodAutoscaler scales a Rollout by its scale subresource: at rest, amid a canary, and back.

There are no metrics: what is below `minReplicas` or above `maxReplicas` an autoscaler changes without any.
"""

from tests.rollout.managed import Managed
from tests.rollout.rollouts import Obj, canary, rollout


def autoscaler(least: int, most: int) -> Obj:
    target = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "web"}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web"},
        "spec": {"scaleTargetRef": target, "minReplicas": least, "maxReplicas": most},
    }


async def test_at_rest_and_in_the_middle_of_a_canary(managed: Managed) -> None:
    await managed.apply(rollout(canary({"setWeight": 50}, {"pause": {}}), replicas=2))
    await managed.until_phase("Healthy", HPAReplicas=2)
    await managed.apply(autoscaler(4, 8))
    first = (await managed.until_phase("Healthy", HPAReplicas=4))["status"]["stableRS"]

    await managed.push("v2")
    await managed.until_phase("Paused", currentStepIndex=1, HPAReplicas=4)
    assert await managed.counts() == {"v1": 2, "v2": 2}
    await managed.apply(autoscaler(6, 8))
    found = await managed.until_phase("Paused", currentStepIndex=1, HPAReplicas=6, availableReplicas=6)
    assert (await managed.counts(), found["status"]["stableRS"]) == ({"v1": 3, "v2": 3}, first)
    assert found["spec"]["replicas"] == 6

    await managed.status({"pauseConditions": None})
    await managed.until_phase("Healthy", HPAReplicas=6)
    await managed.apply(autoscaler(1, 3))
    await managed.until_phase("Healthy", HPAReplicas=3)
    assert await managed.counts() == {"v1": 0, "v2": 3}
