"""`antiAffinity` before the real scheduler: a canary's pods stay off the nodes of the stable ones, also those of a
version that comes back; what a person wrote of affinity stays.
"""

from services.rollout_manager.labels import HASH
from tests.rollout.managed import Managed, image_of
from tests.rollout.nodes import nodes, placed, unschedulable
from tests.rollout.rollouts import Obj, canary, rollout

PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
OWN = {"labelSelector": {"matchLabels": {"app": "other"}}, "topologyKey": "kubernetes.io/hostname"}
SPREAD = {
    "maxSkew": 1,
    "topologyKey": "kubernetes.io/hostname",
    "whenUnsatisfiable": "DoNotSchedule",
    "labelSelector": {"matchLabels": {"app": "web"}},
}


async def places(managed: Managed, image: str) -> set[str]:
    """The nodes on which a version's pods run."""
    found = [pod for pod in await managed.list("Pod") if not pod["metadata"].get("deletionTimestamp")]
    return {pod["spec"]["nodeName"] for pod in found if pod["spec"]["containers"][0]["image"] == image}


def kept_from(replica_set: Obj, rule: str) -> list[Obj]:
    affinity = replica_set["spec"]["template"]["spec"]["affinity"]["podAntiAffinity"]
    return [term.get("podAffinityTerm", term) for term in affinity.get(rule, ())]


def hashes(terms: list[Obj]) -> list[str]:
    rules = [rule for term in terms for rule in term["labelSelector"].get("matchExpressions", ())]
    return [value for rule in rules if rule["key"] == HASH for value in rule["values"]]


async def of_image(managed: Managed, image: str) -> Obj:
    [found] = [one for one in await managed.list("ReplicaSet") if image_of(one) == image]
    return found


async def until_refused(managed: Managed, image: str) -> None:
    """Wait until the scheduler has said of a version's pod that it has no place."""
    [name] = [
        pod["metadata"]["name"] for pod in await managed.list("Pod") if pod["spec"]["containers"][0]["image"] == image
    ]
    await managed.until(lambda pod: unschedulable(pod, "anti-affinity"), kind="Pod", name=name)


async def test_a_canary_and_a_version_that_comes_back(managed: Managed) -> None:
    strategy = canary({"setWeight": 50}, {"pause": {}}, antiAffinity={REQUIRED: {}})
    affinity = {"podAntiAffinity": {REQUIRED: [OWN]}}
    async with nodes(managed, "a", "b") as two:
        wanted = rollout(strategy, replicas=2)
        await managed.apply(placed(managed, wanted, affinity=affinity, topologySpreadConstraints=[SPREAD]))
        first = (await managed.until_phase("Healthy"))["status"]["stableRS"]
        assert await places(managed, "v1") == set(two)

        await managed.push("v2")
        await managed.until(lambda one: one["status"].get("updatedReplicas") == 1)
        await until_refused(managed, "v2")
        async with nodes(managed, "c") as third:
            second = (await managed.until_phase("Paused", currentStepIndex=1))["status"]["currentPodHash"]
            assert await places(managed, "v2") == set(third)
            made = await of_image(managed, "v2")
            assert (kept_from(made, REQUIRED)[0], hashes(kept_from(made, REQUIRED))) == (OWN, [first])
            await managed.status({"pauseConditions": None})
            await managed.until_phase("Healthy", stableRS=second)

            await managed.push("v1")
            await managed.until_phase("Paused", currentStepIndex=1)
            back = await of_image(managed, "v1")
            assert (kept_from(back, REQUIRED)[0], hashes(kept_from(back, REQUIRED))) == (OWN, [second])
            assert not await places(managed, "v1") & await places(managed, "v2")

            rule = {REQUIRED: None, PREFERRED: {"weight": 7}}
            await managed.patch({"spec": {"strategy": {"canary": {"antiAffinity": rule}}}})
            name = back["metadata"]["name"]
            changed = await managed.until(lambda one: kept_from(one, PREFERRED), kind="ReplicaSet", name=name)
            assert (kept_from(changed, REQUIRED), hashes(kept_from(changed, PREFERRED))) == ([OWN], [second])
