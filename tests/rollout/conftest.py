"""A namespace of the real cluster, with or without a rollout manager at work in it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from shared.kube import Discovery, connect
from tests.parts.cluster import ClusterUnderTest
from tests.rollout.managed import Managed


@pytest_asyncio.fixture
async def unmanaged(cluster: ClusterUnderTest, namespace: str, tmp_path: Path) -> AsyncIterator[Managed]:
    async with connect(cluster.kubeconfig) as connected:
        yield Managed(cluster.kubeconfig, namespace, tmp_path, connected, Discovery(connected))


@pytest_asyncio.fixture
async def managed(unmanaged: Managed) -> AsyncIterator[Managed]:
    async with unmanaged.run():
        yield unmanaged
