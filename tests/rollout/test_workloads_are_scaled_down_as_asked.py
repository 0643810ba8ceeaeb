"""`workloadRef.scaleDown` beside the real Deployment controller: never, once the Rollout is healthy, or pod by pod."""

from tests.rollout.managed import Managed
from tests.rollout.nodes import cores, nodes, placed
from tests.rollout.rollouts import Obj, canary, rollout, service


def deployment(name: str) -> Obj:
    template = rollout({}, name=name)["spec"]["template"]
    spec = {"replicas": 2, "selector": {"matchLabels": {"app": name}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def taking_over(name: str, scale_down: str) -> Obj:
    wanted = rollout(canary(), name=name, replicas=2)
    del wanted["spec"]["template"], wanted["spec"]["selector"]
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name, "scaleDown": scale_down}
    wanted["spec"]["workloadRef"] = reference
    return wanted


async def until_available(managed: Managed, kind: str, name: str, count: int) -> None:
    await managed.until(lambda one: one["status"].get("availableReplicas", 0) == count, kind=kind, name=name)


async def test_never_and_once_it_is_healthy(managed: Managed) -> None:
    ways = {"stays": "never", "goes": "onsuccess"}
    for name in ways:
        await managed.apply(deployment(name))
        await until_available(managed, "Deployment", name, 2)
    for name, way in ways.items():
        await managed.apply(taking_over(name, way))
    for name in ways:
        await managed.until(lambda one: one["status"]["phase"] == "Healthy", name=name)
    await until_available(managed, "Deployment", "goes", 0)
    await managed.patch({"metadata": {"annotations": {"some": "news"}}}, name="stays")  # one more pass, to be sure
    await managed.patch({"spec": {"replicas": 1}}, name="stays")
    await managed.until(lambda one: one["status"]["HPAReplicas"] == 1, name="stays")
    assert (await managed.get("Deployment", "stays"))["spec"]["replicas"] == 2
    assert (await managed.get("Deployment", "goes"))["spec"]["replicas"] == 0


async def test_pod_by_pod(managed: Managed) -> None:
    """The node has room for three pods: the Rollout gets its second one when the Deployment has given one up."""
    old = placed(managed, deployment("web"))
    old["spec"]["template"]["spec"]["containers"][0] |= cores(333)
    async with nodes(managed, "small"):
        await managed.apply(old)
        await until_available(managed, "Deployment", "web", 2)
        async with managed.each("Deployment", "web", lambda one: one["spec"]["replicas"]) as told:
            await managed.apply(taking_over("web", "progressively"))
            await managed.until_phase("Healthy", availableReplicas=2)
            await until_available(managed, "Deployment", "web", 0)
        assert [*told] == [2, 1, 0]


async def test_a_service_has_to_lead_to_the_workloads_pods(managed: Managed) -> None:
    await managed.apply(deployment("web"))
    await managed.apply(service("stable", managed.namespace, app="another"))
    wanted = taking_over("web", "never")
    wanted["spec"]["strategy"] = canary(stableService="stable")
    await managed.apply(wanted)
    await managed.until(lambda one: "Service 'stable' has unmatch label 'app'" in one["status"]["message"])
    assert await managed.counts() == {"v1": 2}  # the Deployment's own
    await managed.patch({"spec": {"selector": {"app": "web"}}}, kind="Service", name="stable")
    await managed.until_phase("Healthy")
