"""Rollouts on the embedded cluster, whose kubelet is simulated: pods become Ready. Everything else is real."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any

from services.rollout_manager.labels import HASH, MANAGED_BY
from shared.clock import now, rfc3339
from tests.rollout.managed import Managed
from tests.rollout.rollouts import Obj, blue_green, canary, ingress, rollout, routed, service

PAUSES: tuple[Obj, ...] = ({"setWeight": 20}, {"pause": {}}, {"setWeight": 60}, {"pause": {"duration": 1}})


async def deploy(managed: Managed, strategy: Obj, replicas: int = 5, **spec: Any) -> Obj:
    await managed.apply(rollout(strategy, replicas=replicas, **spec))
    return await managed.until_phase("Healthy")


async def test_a_canary_pauses_is_promoted_aborted_and_goes_back(managed: Managed) -> None:
    first = await deploy(managed, canary(*PAUSES))
    stable = first["status"]["stableRS"]
    assert first["metadata"]["annotations"]["rollout.argoproj.io/revision"] == "1"
    [one] = await managed.list("ReplicaSet")
    assert (one["metadata"]["name"], one["metadata"]["labels"][HASH]) == (f"web-{stable}", stable)
    await managed.push("v2")
    await managed.until_phase("Paused", message="CanaryPauseStep", currentStepIndex=1)
    assert await managed.counts() == {"v1": 4, "v2": 1}
    await managed.status({"pauseConditions": None})
    done = await managed.until_phase("Healthy")
    assert done["status"]["stableRS"] != stable
    await managed.push("v3")
    await managed.until_phase("Paused", currentStepIndex=1)
    await managed.status({"abort": True})
    await managed.until(lambda obj: obj["status"]["phase"] == "Degraded" and obj["status"]["updatedReplicas"] == 0)
    assert await managed.counts() == {"v1": 0, "v2": 5, "v3": 0}
    await managed.push("v2")
    await managed.until_phase("Healthy", currentStepIndex=4)


async def test_blue_green_switches_a_service_once(managed: Managed) -> None:
    for name in ("active", "preview"):
        await managed.apply(service(name, managed.namespace))
    first = await deploy(managed, blue_green(autoPromotionEnabled=False), 2)
    hash_ = first["status"]["stableRS"]
    active = await managed.get("Service", "active")
    assert active["spec"]["selector"] == {"app": "web", HASH: hash_}
    assert active["metadata"]["annotations"][MANAGED_BY] == "web"
    await managed.push("v2")
    paused = await managed.until_phase("Paused", message="BlueGreenPause")
    assert (await managed.get("Service", "preview"))["spec"]["selector"][HASH] == paused["status"]["currentPodHash"]
    assert (await managed.get("Service", "active"))["spec"]["selector"][HASH] == hash_
    await managed.status({"pauseConditions": None})
    done = await managed.until_phase("Healthy")
    assert (await managed.get("Service", "active"))["spec"]["selector"][HASH] == done["status"]["stableRS"] != hash_
    await managed.until(
        lambda obj: obj["metadata"]["annotations"]["scale-down-deadline"], kind="ReplicaSet", name=f"web-{hash_}"
    )


async def test_a_service_belongs_to_one_rollout_and_is_let_go_with_it(managed: Managed) -> None:
    await managed.apply(service("stable", managed.namespace))
    await deploy(managed, canary(stableService="stable"), 1)
    thief = rollout(canary(stableService="stable"), name="thief", replicas=1)
    thief["spec"]["template"]["metadata"]["labels"]["app"] = "web"
    thief["spec"]["selector"]["matchLabels"]["app"] = "web"
    await managed.apply(thief)
    await managed.until(lambda obj: "is managed by another Rollout" in obj["status"]["message"], name="thief")
    assert await managed.counts() == {"v1": 1}
    async with managed.each("Service", "stable", lambda obj: obj["spec"]["selector"]) as selectors:
        await managed.delete("Rollout", "web")
        await managed.until(
            lambda obj: obj["metadata"]["annotations"][MANAGED_BY] == "thief", kind="Service", name="stable"
        )
    assert {"app": "web"} in selectors


async def test_nginx_carries_the_weight_and_loses_it_at_an_abort(managed: Managed) -> None:
    for name in ("stable", "canary"):
        await managed.apply(service(name, managed.namespace))
    await managed.apply(rollout(routed({"setWeight": 30}, {"pause": {}}), replicas=3))
    await managed.until(lambda obj: "ingress `web` not found" in obj["status"]["message"])
    await managed.apply(ingress(managed.namespace))
    await managed.until_phase("Healthy")
    await managed.push("v2")
    await managed.until_phase("Paused", currentStepIndex=1)
    slices = await managed.list("EndpointSlice")
    led = [one for one in slices if one["metadata"]["labels"]["kubernetes.io/service-name"] == "canary"]
    assert all("web-" in end["targetRef"]["name"] for one in led for end in one["endpoints"])
    weight = "nginx.ingress.kubernetes.io/canary-weight"
    made = await managed.get("Ingress", "web-web-canary")
    assert made["metadata"]["annotations"][weight] == "30"
    assert made["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]["name"] == "canary"
    assert made["metadata"]["ownerReferences"][0]["kind"] == "Rollout"
    await managed.patch({"metadata": {"annotations": {weight: "99"}}}, kind="Ingress", name="web-web-canary")
    await managed.until(
        lambda obj: obj["metadata"]["annotations"][weight] == "30", kind="Ingress", name="web-web-canary"
    )
    await managed.status({"abort": True})
    await managed.until_phase("Degraded")
    assert (await managed.get("Ingress", "web-web-canary"))["metadata"]["annotations"][weight] == "0"


async def live(unmanaged: Managed, seconds: float) -> None:
    """A manager's life, which is over when everything is done or after so long."""
    async with unmanaged.run():
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await unmanaged.until_phase("Healthy")


async def test_a_manager_that_dies_at_any_step_changes_nothing_of_the_outcome(unmanaged: Managed) -> None:
    async with unmanaged.run():
        await deploy(unmanaged, canary(*PAUSES), 5)
        await unmanaged.push("v2")
    for seconds in (0.05, 0.1, 0.2, 0.4):
        await live(unmanaged, seconds)
    async with unmanaged.run():
        await unmanaged.until_phase("Paused", currentStepIndex=1)
    await unmanaged.status({"pauseConditions": None})
    for seconds in (0.05, 0.3):
        await live(unmanaged, seconds)
    async with unmanaged.run():
        await unmanaged.until_phase("Healthy")
    assert await unmanaged.counts() == {"v1": 0, "v2": 5}


async def test_a_workload_is_taken_over_and_scaled_down(managed: Managed) -> None:
    template = rollout({})["spec"]["template"]
    spec = {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "old"}, "spec": spec}
    await managed.apply(deployment)
    wanted = rollout(canary({"setWeight": 50}), replicas=2)
    del wanted["spec"]["template"], wanted["spec"]["selector"]
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "old", "scaleDown": "onsuccess"}
    wanted["spec"]["workloadRef"] = reference
    await managed.apply(wanted)
    done = await managed.until_phase("Healthy")
    assert done["status"]["workloadObservedGeneration"]
    await managed.until(lambda obj: obj["spec"]["replicas"] == 0, kind="Deployment", name="old")
    change = {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "v2"}]}}}}
    await managed.patch(change, kind="Deployment", name="old")
    await managed.until(
        lambda obj: obj["status"]["updatedReplicas"] == 2 and obj["status"]["stableRS"] != done["status"]["stableRS"]
    )


async def test_pods_are_restarted_when_asked_and_a_broken_version_stays_where_it_is(managed: Managed) -> None:
    await deploy(managed, canary({"setWeight": 50}), 3, progressDeadlineSeconds=2)
    before = {pod["metadata"]["name"] for pod in await managed.list("Pod")}
    at = rfc3339(now() + timedelta(seconds=1))
    await managed.patch({"spec": {"restartAt": at}})
    await managed.until_phase("Healthy", restartedAt=at)
    assert not before & {
        pod["metadata"]["name"] for pod in await managed.list("Pod") if not pod["metadata"].get("deletionTimestamp")
    }
    crash = {"metadata": {"annotations": {"tiphys.dev/simulate": "crash"}}}
    await managed.patch({"spec": {"template": {**crash, "spec": {"containers": [{"name": "c", "image": "v2"}]}}}})
    degraded = await managed.until_phase("Degraded")
    assert degraded["status"]["message"].startswith("ProgressDeadlineExceeded: ReplicaSet")
    assert (await managed.counts())["v1"] >= 2
    await managed.patch({"spec": {"template": {"metadata": {"annotations": None}}}})
    await managed.push("v3")
    await managed.until_phase("Healthy")


async def test_pods_carry_the_metadata_of_their_role(managed: Managed) -> None:
    roles = {"canaryMetadata": {"labels": {"role": "canary"}}, "stableMetadata": {"labels": {"role": "stable"}}}
    await deploy(managed, canary({"setWeight": 50}, {"pause": {}}, **roles), 2)
    await managed.push("v2")
    await managed.until_phase("Paused")
    pods = {image: role for pod in await managed.list("Pod") for image, role in [role_of(pod)]}
    assert pods == {"v1": "stable", "v2": "canary"}
    await managed.status({"promoteFull": True})
    await managed.until_phase("Healthy")
    live = [pod for pod in await managed.list("Pod") if not pod["metadata"].get("deletionTimestamp")]
    assert {role_of(pod) for pod in live} == {("v2", "stable")}


def role_of(pod: Obj) -> tuple[str, str]:
    return pod["spec"]["containers"][0]["image"], pod["metadata"]["labels"].get("role", "")


async def test_the_scale_subresource_scales(managed: Managed) -> None:
    await deploy(managed, canary(), 2)
    await managed.patch({"spec": {"replicas": 4}}, subresource="scale")
    done = await managed.until_phase("Healthy", HPAReplicas=4)
    assert (done["status"]["selector"], done["status"]["availableReplicas"]) == ("app=web", 4)


async def test_only_objects_of_the_instance_are_ours(unmanaged: Managed) -> None:
    unmanaged.instance = "blue"
    async with unmanaged.run():
        mine, theirs = rollout(canary(), replicas=1), rollout(canary(), replicas=1, name="other")
        mine["metadata"]["labels"] = {"argo-rollouts.argoproj.io/controller-instance-id": "blue"}
        await unmanaged.apply(theirs)
        await unmanaged.apply(mine)
        await unmanaged.until_phase("Healthy")
        assert "status" not in await unmanaged.get("Rollout", "other")
