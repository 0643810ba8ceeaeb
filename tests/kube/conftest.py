"""A connection to the real API server, and one through the fault proxy."""

from collections.abc import AsyncIterator

import pytest

from shared.kube import Cluster, Resource, connect
from tests.parts.cluster import ClusterUnderTest
from tests.parts.faultproxy import FaultProxy, faulty


@pytest.fixture
async def api(cluster: ClusterUnderTest) -> AsyncIterator[Cluster]:
    async with connect(cluster.kubeconfig) as connected:
        yield connected


@pytest.fixture
async def proxy(cluster: ClusterUnderTest) -> AsyncIterator[FaultProxy]:
    async with faulty(cluster.kubeconfig) as running:
        yield running


@pytest.fixture
async def through(proxy: FaultProxy) -> AsyncIterator[Cluster]:
    """The same API server, behind the proxy."""
    async with connect(proxy.kubeconfig) as connected:
        yield connected


@pytest.fixture
def config_maps() -> Resource:
    return Resource("", "v1", "ConfigMap", "configmaps", namespaced=True)
