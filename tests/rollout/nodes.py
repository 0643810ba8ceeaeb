"""Nodes that only one test's pods may use, on the cluster that all tests share; the scheduler is real."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.kube import verbs
from tests.rollout.managed import Managed
from tests.rollout.rollouts import Obj

LABEL = "tiphys.dev/test"


@asynccontextmanager
async def nodes(managed: Managed, *names: str) -> AsyncIterator[list[str]]:
    """They are simulated, have 1,000 cores each, and go at the end. Gives their whole names."""
    resource = await managed.discovery.resource("", "Node")
    made = [f"{managed.namespace}-{name}" for name in names]
    for name in made:
        taint = {"key": LABEL, "value": managed.namespace, "effect": "NoSchedule"}
        metadata = {"name": name, "labels": {LABEL: managed.namespace, "kubernetes.io/hostname": name}}
        node = {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "spec": {"taints": [taint]}}
        await verbs.create(managed.cluster, resource, node)
    try:
        yield made
    finally:
        for name in made:
            await verbs.delete(managed.cluster, resource, None, name)


def here(managed: Managed) -> Obj:
    """What a pod says to go to the test's own nodes."""
    return {"nodeSelector": {LABEL: managed.namespace}, "tolerations": [{"key": LABEL, "operator": "Exists"}]}


def placed(managed: Managed, obj: Obj, **pod: object) -> Obj:
    """A Rollout or Deployment whose pods go to the test's own nodes."""
    obj["spec"]["template"]["spec"] |= {**here(managed), **pod}
    return obj


def cores(count: int) -> Obj:
    """What a container asks for."""
    return {"resources": {"requests": {"cpu": str(count)}}}


async def cordon(managed: Managed, name: str) -> None:
    """No pod comes to a test's only node any more; a pod that is refused shows that the scheduler knows it."""
    await _schedulable(managed, name, able=False)
    spec = {"containers": [{"name": "c", "image": "probe"}], **here(managed)}
    await managed.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "probe"}, "spec": spec})
    await managed.until(lambda pod: unschedulable(pod, "unschedulable"), kind="Pod", name="probe")
    await managed.delete("Pod", "probe")


async def uncordon(managed: Managed, name: str) -> None:
    await _schedulable(managed, name, able=True)


async def _schedulable(managed: Managed, name: str, *, able: bool) -> None:
    resource = await managed.discovery.resource("", "Node")
    await verbs.patch(managed.cluster, resource, None, name, {"spec": {"unschedulable": not able}})


def unschedulable(pod: Obj, words: str) -> bool:
    """The scheduler has looked and says why not."""
    found = [one for one in pod.get("status", {}).get("conditions", ()) if one["type"] == "PodScheduled"]
    return any(one["status"] == "False" and words in one.get("message", "") for one in found)
