"""A destination on the real API server, with the tools to write one object into it as a sync does."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.reconciler.desired import Target
from services.reconciler.destination import Destination
from services.reconciler.live import Changes, Live
from services.reconciler.outcome import Outcome
from services.reconciler.write import Writing, apply_one
from shared.health import Health, health
from shared.kinds.customizations import Ignored
from shared.kinds.ignoring import NOTHING
from shared.kinds.refs import ResourceKey
from shared.kinds.tracking import Tracking
from shared.kube import connect
from shared.merge import digest
from tests.parts.cluster import ClusterUnderTest
from tests.parts.faultproxy import FaultProxy, faulty

Obj = dict[str, Any]


@dataclass(frozen=True)
class Desk:
    """One namespace of the cluster."""

    cluster: ClusterUnderTest
    destination: Destination
    namespace: str

    def target(self, obj: Obj, options: str = "", ignored: Ignored = NOTHING) -> Target:
        """An object as it would come from git, with sync options of its own."""
        metadata = {"namespace": self.namespace, **obj["metadata"]}
        if options:
            named = {"argocd.argoproj.io/sync-options": options}
            metadata["annotations"] = {**(metadata.get("annotations") or {}), **named}
        placed = {**obj, "metadata": metadata}
        return Target(ResourceKey.of(placed), placed, digest(placed), ignored=ignored)

    async def write(self, target: Target, options: Iterable[str] = (), **rest: Any) -> Outcome:
        """Write it as a sync with these options does; what lives is known before and after."""
        await self.destination.ensure({target.key.group_kind})
        return await apply_one(Writing(self.destination, options=tuple(options), **rest), target)

    async def seen(self, target: Target) -> None:
        """Wait until the watch has brought what kubectl did."""
        await self.destination.ensure({target.key.group_kind})
        await self.until(target, lambda live: live is not None)

    async def until(self, target: Target, holds: Callable[[Live | None], bool]) -> None:
        """Wait until what is known to live is as `holds` says."""
        changes: Changes = asyncio.Queue()
        async with asyncio.timeout(90):
            with self.destination.live.follow([target.key], changes):
                while not holds(self.destination.live.get(target.key)):
                    await changes.get()

    def get(self, kind: str, name: str) -> Obj:
        """What lives, managed fields and all."""
        words = ("get", kind, name, "-n", self.namespace, "-o", "json", "--show-managed-fields")
        found: Obj = orjson.loads(self.cluster.kubectl(*words))
        return found

    def kubectl_apply(self, obj: Obj) -> None:
        """Apply it from the client, as people do."""
        self.cluster.kubectl("apply", "-n", self.namespace, "-f", "-", stdin=orjson.dumps(obj).decode())


async def assess(live: Live) -> Health | None:
    """Nothing here waits for health."""
    return health(live.load())


@asynccontextmanager
async def opened(cluster: ClusterUnderTest, kubeconfig: Path, namespace: str) -> AsyncIterator[Desk]:
    async with connect(kubeconfig) as connected, asyncio.TaskGroup() as tasks:
        destination = Destination(
            connected,
            tasks,
            server="",
            tracking=Tracking,
            on_change=lambda *_change: None,
            assess=assess,
            concurrency=8,
        )
        yield Desk(cluster, destination, namespace)
        await destination.stop()


@pytest.fixture
async def desk(cluster: ClusterUnderTest, namespace: str) -> AsyncIterator[Desk]:
    async with opened(cluster, cluster.kubeconfig, namespace) as found:
        yield found


@pytest.fixture
async def proxy(cluster: ClusterUnderTest) -> AsyncIterator[FaultProxy]:
    async with faulty(cluster.kubeconfig) as running:
        yield running


@pytest.fixture
async def shaky(cluster: ClusterUnderTest, proxy: FaultProxy, namespace: str) -> AsyncIterator[Desk]:
    """A desk whose API server is behind the proxy."""
    async with opened(cluster, proxy.kubeconfig, namespace) as found:
        yield found
