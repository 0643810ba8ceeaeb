"""One measured cluster, bus and stack: brought up, watched, torn down. The cluster and the bus outlive the stack's
restarts.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from services.stack import cluster as embedded
from services.stack import detach, down, state
from services.stack.bench import layout, usage
from services.stack.bench.forge import Forge
from services.stack.cluster.layout import NodeKind
from services.stack.install import ensure, install
from services.stack.notify import Report
from services.stack.observe import Observed, Watching, observing
from services.stack.options import Options, free_port
from shared.bus import server
from shared.kube import Cluster, Discovery, connect

Obj = dict[str, Any]
ARGO = "argocd"


@dataclass
class Field:
    options: Options
    cluster: Cluster
    discovery: Discovery
    observed: Observed
    report: Report
    nats_pid: int
    http: aiohttp.ClientSession
    forge: Forge = field(init=False)

    async def start(self) -> None:
        """The stack in a process of its own."""
        await asyncio.to_thread(detach.start, self.options, lambda _line: None)
        found = state.running(self.options.data)
        assert found
        assert found.git_url
        bare = self.options.data / "git" / "bench.git"
        head = self.forge.head if hasattr(self, "forge") else "0" * 40
        self.forge = Forge(bare, f"{found.git_url}/bench.git", f"{found.url}/api/webhook", self.http, head)

    async def stop(self) -> None:
        await asyncio.to_thread(down.down, self.options.data, self.report)

    def usage(self) -> dict[str, usage.Usage]:
        """The stack's process, its helpers (engines, git) and the bus."""
        found = state.running(self.options.data)
        assert found
        root = found.process.pid
        helpers = [pid for pid in usage.tree(root) if pid != root]
        return {
            "services": usage.of([root]),
            "engines and git": usage.of(helpers),
            "nats-server": usage.of([self.nats_pid]),
        }


@asynccontextmanager
async def opened(folder: Path, report: Report, node: NodeKind = "none") -> AsyncIterator[Field]:
    async with AsyncExitStack() as parts:
        running = await parts.enter_async_context(embedded.running(folder / "cluster", node=node, report=report))
        bus = await parts.enter_async_context(server.running(folder / "nats", max_payload=8 * 1024 * 1024))
        assert bus.process
        cluster = await parts.enter_async_context(connect(running.kubeconfig, None))
        await install(cluster, ARGO, empty_settings=True)
        discovery = Discovery(cluster)
        await ensure(
            cluster, discovery, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": layout.NAMESPACE}}
        )
        observed = await parts.enter_async_context(observing(cluster, *_watched()))
        http = await parts.enter_async_context(aiohttp.ClientSession())
        options = Options(
            data=folder / "stack", port=free_port(), kubeconfig=running.kubeconfig, nats=bus.url, git=True
        )
        field = Field(options, cluster, discovery, observed, report, bus.process.pid, http)
        try:
            yield field
        finally:
            await field.stop()


def _watched() -> tuple[Watching, ...]:
    selector = next(f"{key}={value}" for key, value in layout.LABEL.items())
    return (
        Watching("argoproj.io", "Application", ARGO),
        Watching("", "ConfigMap", layout.NAMESPACE, selector),
        Watching("apps", "Deployment", layout.NAMESPACE, selector),
        Watching("batch", "Job", None, selector),
    )
