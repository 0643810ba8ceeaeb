"""Kinds to resources: what the server has, what it has since a moment ago, what it can't say."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest

from shared.kube import Cluster, Discovery, DiscoveryIncomplete, NotFound, Unavailable, UnknownKind, verbs, wire
from shared.kube.discovery import snapshot
from tests.kube.tools import watching
from tests.parts.cluster import ClusterUnderTest, established
from tests.parts.faultproxy import FaultProxy


def crd(group: str, *versions: str) -> dict[str, Any]:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"things.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": "Thing", "plural": "things"},
            "versions": [
                {"name": name, "served": True, "storage": name == versions[0], "schema": schema} for name in versions
            ],
        },
    }


@pytest.fixture
async def group(api: Cluster) -> AsyncIterator[str]:
    """A group of our own, whose CustomResourceDefinition goes away afterwards."""
    name = f"g{uuid.uuid4().hex[:8]}.example.com"
    yield name
    definitions = await Discovery(api).resource("apiextensions.k8s.io", "CustomResourceDefinition")
    with suppress(NotFound):  # a test has deleted it
        await verbs.delete(api, definitions, None, f"things.{name}")


async def define(api: Cluster, cluster: ClusterUnderTest, group: str, *versions: str) -> None:
    definitions = await Discovery(api).resource("apiextensions.k8s.io", "CustomResourceDefinition")
    await verbs.create(api, definitions, crd(group, *versions))
    await established(cluster, f"crd/things.{group}")
    async with asyncio.timeout(60):  # the API server lists a kind a moment after it is established
        while not all([await listed(api, group, version) for version in versions]):
            pass


async def listed(api: Cluster, group: str, version: str) -> bool:
    try:
        return bool(await Discovery(api).resource(group, "Thing", version))
    except UnknownKind:
        return False


async def test_built_in_kinds_are_found_with_two_requests(through: Cluster, proxy: FaultProxy) -> None:
    discovery = Discovery(through)
    deployment = await discovery.resource("apps", "Deployment")
    node = await discovery.resource("", "Node")
    assert (deployment.plural, deployment.api_version, deployment.namespaced) == ("deployments", "apps/v1", True)
    assert deployment.watchable
    assert "scale" in deployment.subresources
    assert not node.namespaced
    assert len(proxy.seen) == 2


async def test_a_version_that_is_not_the_preferred_one_can_be_asked_for(
    api: Cluster, cluster: ClusterUnderTest, group: str
) -> None:
    await define(api, cluster, group, "v1", "v1beta1")
    discovery = Discovery(api)
    assert (await discovery.resource(group, "Thing")).version == "v1"
    old = await discovery.resource(group, "Thing", "v1beta1")
    assert (old.version, old.preferred) == ("v1beta1", False)
    with pytest.raises(UnknownKind, match="v2/Thing"):
        await discovery.resource(group, "Thing", "v2")


async def test_a_kind_is_found_as_soon_as_it_is_defined(api: Cluster, cluster: ClusterUnderTest, group: str) -> None:
    discovery = Discovery(api, miss_interval=0)
    with pytest.raises(UnknownKind, match="install its CustomResourceDefinition"):
        await discovery.resource(group, "Thing")
    await define(api, cluster, group, "v1")
    assert (await discovery.resource(group, "Thing")).plural == "things"
    assert f"{group}/v1/Thing" in await discovery.api_versions()


async def test_a_miss_asks_the_server_at_most_once_per_interval(through: Cluster, proxy: FaultProxy) -> None:
    discovery = Discovery(through, miss_interval=60)
    for _ in range(20):
        with pytest.raises(UnknownKind):
            await discovery.resource("no.such", "Thing")
    assert len(proxy.seen) == 2
    discovery.invalidate()
    await discovery.resource("", "Pod")
    assert len(proxy.seen) == 4


async def test_capabilities_are_listed_as_helm_lists_them(api: Cluster) -> None:
    found = await Discovery(api).api_versions()
    assert {"v1", "v1/ConfigMap", "apps/v1", "apps/v1/Deployment"} <= set(found)
    assert list(found) == sorted(found)
    assert (await Discovery(api).version()).startswith("v1.")


async def test_a_server_without_aggregated_discovery_is_read_group_by_group(
    through: Cluster, proxy: FaultProxy, api: Cluster
) -> None:
    proxy.fail("GET /apis?$", 406, times=2)
    plain, aggregated = Discovery(through), Discovery(api)
    for group, kind in (("apps", "Deployment"), ("", "Pod"), ("batch", "CronJob")):
        assert await plain.resource(group, kind) == await aggregated.resource(group, kind)


async def test_a_group_whose_server_is_down_is_not_known_rather_than_without_kinds(
    through: Cluster, proxy: FaultProxy
) -> None:
    proxy.fail("GET /apis?$", 406, times=2)
    proxy.fail("GET /apis/batch/v1", 503)
    discovery = Discovery(through, miss_interval=60)
    assert await discovery.resource("apps", "Deployment")
    with pytest.raises(DiscoveryIncomplete, match="kubectl get apiservices") as failure:
        await discovery.resource("batch", "Job")
    assert failure.value.retriable


async def test_discovery_that_fails_altogether_says_so(through: Cluster, proxy: FaultProxy) -> None:
    proxy.reset("/api")
    with pytest.raises(Unavailable):
        await Discovery(through).resource("", "Pod")


def test_a_stale_group_version_of_aggregated_discovery_is_doubtful() -> None:
    document = b"""{"kind": "APIGroupDiscoveryList", "items": [{"metadata": {"name": "metrics.k8s.io"}, "versions": [
        {"version": "v1beta1", "freshness": "Stale"}]}]}"""
    found = snapshot(wire.DISCOVERY.decode(document).items)
    assert found.group_versions == ("metrics.k8s.io/v1beta1",)
    assert found.doubtful("metrics.k8s.io", None)
    assert found.doubtful("metrics.k8s.io", "v1beta1")
    assert not found.doubtful("metrics.k8s.io", "v1")
    assert not found.doubtful("apps", None)


async def test_objects_are_gone_with_their_kind_though_no_watch_told(  # noqa: PLR0917 - fixtures
    api: Cluster, through: Cluster, proxy: FaultProxy, cluster: ClusterUnderTest, group: str, namespace: str
) -> None:
    """A watch may end before it tells of the last objects of a CustomResourceDefinition that was deleted. But a load
    balancer whose API servers are gone knows nothing: whatever it is asked is not found, or fine and about nothing.
    """
    await define(api, cluster, group, "v1")
    things = await Discovery(api).resource(group, "Thing")
    metadata = {"name": "a", "namespace": namespace, "labels": {"test": "kube"}}
    await verbs.create(api, things, {"apiVersion": f"{group}/v1", "kind": "Thing", "metadata": metadata})
    async with watching(through, namespace, things) as seen:
        await proxy.watched()
        balancers = [proxy.fail("", status=status) for status in (404, 200)]
        proxy.fail("/things", status=404)
        await proxy.cut()
        for known in ("fine", "not found", "there"):
            await proxy.until(proxy.count("watch", "things") + 2, "watch", "things")
            assert seen.names() == {"a"}, f"the group is {known}"
            if balancers:
                balancers.pop().cancel()
        definitions = await Discovery(api).resource("apiextensions.k8s.io", "CustomResourceDefinition")
        await verbs.delete(api, definitions, None, f"things.{group}")
        await seen.until(lambda: len(seen.said) == 2)
    assert [one.type for one in seen.said] == ["ADDED", "DELETED"]
