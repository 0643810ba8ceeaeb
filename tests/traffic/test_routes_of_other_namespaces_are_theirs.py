"""A Rollout that names a route of another namespace: it is refused unless the route invites, or the operator shares."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from services.rollout_manager.keys import Obj, Ref
from services.rollout_manager.traffic.invitations import ROLLOUTS_FROM, uninvited
from services.rollout_manager.traffic.routers import configured
from shared.kube import verbs
from tests.parts.cluster import ClusterUnderTest
from tests.rollout.conftest import unmanaged
from tests.rollout.managed import Managed
from tests.rollout.rollouts import canary, service
from tests.rollout.rollouts import rollout as written
from tests.traffic.objects import rollout

__all__ = ["unmanaged"]
ISTIO = "networking.istio.io"
GATEWAY = "argoproj-labs/gatewayAPI"
NAMED: tuple[Obj, ...] = (
    {"istio": {"virtualService": {"name": "vs.platform"}}},
    {"istio": {"virtualServices": [{"name": "vs"}, {"name": "vs.platform.svc.cluster.local"}]}},
    {"istio": {"virtualService": {"name": "vs"}, "destinationRule": {"name": "dr.platform"}}},
    {"plugins": {GATEWAY: {"httpRoute": "route", "namespace": "platform"}}},
)


def named(routing: Obj) -> dict[Ref, Obj | None]:
    """What the routers would read; what is elsewhere is there."""
    given = rollout(routing)
    canary_ = given.spec.strategy.canary
    assert canary_ is not None
    assert canary_.traffic_routing is not None
    refs = (ref for router in configured(canary_.traffic_routing) for ref in router.reads(given))
    return {ref: {"metadata": {"name": ref.name}} for ref in refs}


@pytest.mark.parametrize("routing", NAMED, ids=str)
def test_a_route_of_another_namespace_has_to_invite(routing: Obj) -> None:
    given, found = rollout(routing), named(routing)
    problems = uninvited(given, found, ())
    assert len(problems) == 1
    assert "platform/" in problems[0]
    assert "invites no Rollouts of test" in problems[0]
    assert uninvited(given, dict.fromkeys(found), ()) == problems  # whether it exists is not told
    assert uninvited(given, found, ("plat*",)) == []
    for invitation, good in (("test", True), ("a, te?t", True), ("*", True), ("a,testing", False), ("", False)):
        own = {ref: {"metadata": {"annotations": {ROLLOUTS_FROM: invitation}}} for ref in found}
        assert (uninvited(given, own, ()) == []) is good, invitation


def test_what_an_app_mesh_service_refers_to_counts_as_well() -> None:
    given = rollout({"appMesh": {"virtualService": {"name": "vs"}, "virtualNodeGroup": {}}})
    found: dict[Ref, Obj | None] = {Ref("appmesh.k8s.aws", "VirtualRouter", "platform", "vr"): {}}
    assert len(uninvited(given, found, ())) == 1


def definition() -> Obj:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"plural": "virtualservices", "singular": "virtualservice", "kind": "VirtualService"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"virtualservices.{ISTIO}"},
        "spec": {"group": ISTIO, "scope": "Namespaced", "names": names, "versions": [version]},
    }


@pytest_asyncio.fixture
async def platform(cluster: ClusterUnderTest) -> AsyncIterator[str]:
    """Another team's namespace, on a cluster that has Istio's kind."""
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(definition()))
    await cluster.until("--for=jsonpath={.status.conditions}", f"crd/virtualservices.{ISTIO}")
    await cluster.until("--for=condition=Established", f"crd/virtualservices.{ISTIO}")
    await cluster.until_works("get", f"virtualservices.{ISTIO}")  # served and found a moment after that
    name = f"platform-{secrets.token_hex(3)}"
    cluster.kubectl("create", "namespace", name)
    yield name
    cluster.kubectl("delete", "namespace", name, "--wait=false")
    await asyncio.to_thread(cluster.kubectl, "delete", f"crd/virtualservices.{ISTIO}")


async def test_nothing_is_written_into_another_namespace_before_it_invites(
    platform: str, unmanaged: Managed, cluster: ClusterUnderTest
) -> None:
    to = [{"destination": {"host": name}, "weight": weight} for name, weight in (("stable", 100), ("canary", 0))]
    virtual = {"apiVersion": f"{ISTIO}/v1", "kind": "VirtualService", "spec": {"http": [{"route": to}]}}
    virtual["metadata"] = {"name": "vs", "namespace": platform}
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(virtual))
    routing = {"istio": {"virtualService": {"name": f"vs.{platform}"}}}
    strategy = canary(
        {"setWeight": 50}, {"pause": {}}, canaryService="canary", stableService="stable", trafficRouting=routing
    )
    resource = await unmanaged.discovery.resource(ISTIO, "VirtualService")

    async def live() -> Obj:
        return await verbs.get(unmanaged.cluster, resource, platform, "vs")

    before = await live()
    async with unmanaged.run():
        for name in ("canary", "stable"):
            await unmanaged.apply(service(name, unmanaged.namespace))
        await unmanaged.apply(written(strategy, replicas=2))
        refused = await unmanaged.until_phase("Degraded")
        assert f"VirtualService {platform}/vs is in another namespace" in refused["status"]["message"]
        assert (await live(), await unmanaged.counts()) == (before, {})
        invitation = {"metadata": {"annotations": {ROLLOUTS_FROM: unmanaged.namespace}}}
        await verbs.patch(unmanaged.cluster, resource, platform, "vs", invitation)
        await unmanaged.push("v0")  # a manager of one namespace hears nothing of another
        await unmanaged.until_phase("Healthy")
        await unmanaged.push("v2")
        await unmanaged.until_phase("Paused", currentStepIndex=1)
        assert [one["weight"] for one in (await live())["spec"]["http"][0]["route"]] == [50, 50]
