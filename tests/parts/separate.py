"""The stack as separate processes, each of which a test may kill and start again: services, bus, cluster, git host."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from services.stack import cluster as embedded
from services.stack import install
from services.stack.cluster import Cluster as Embedded
from services.stack.gitserver import GitServer, Webhook
from services.stack.options import free_port
from shared.bus.server import Server, running
from shared.kube import Cluster, Discovery, connect

SERVICES = ("gateway", "git_watcher", "renderer", "reconciler")


@dataclass
class Parts:
    """`kill` ends a part with SIGKILL; `start` brings it back on the same port and folder."""

    data: Path
    bus: Server
    control_plane: Embedded
    cluster: Cluster
    discovery: Discovery
    git: GitServer
    gateway_port: int
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    async def kill(self, part: str) -> None:
        if part == "nats-server":
            await self.bus.kill()
        elif part == "kube-apiserver":
            await self.control_plane.kill(part)
        else:
            process = self.processes.pop(part)
            os.killpg(process.pid, signal.SIGKILL)
            await asyncio.to_thread(process.wait)

    async def start(self, part: str) -> None:
        if part == "nats-server":
            await self.bus.start()
        elif part == "kube-apiserver":
            await self.control_plane.start(part)
        else:
            self.processes[part] = self._spawn(part)

    def _spawn(self, service: str) -> subprocess.Popen[bytes]:
        listen = f"127.0.0.1:{self.gateway_port}" if service == "gateway" else "127.0.0.1:0"
        command = [sys.executable, "-m", "services.cli", "run", service, "--listen", listen]
        where = ["--kubeconfig", str(self.control_plane.kubeconfig), "--nats", self.bus.url, "--data", str(self.data)]
        log = (self.data / f"{service}.log").open("ab")
        with log:
            return subprocess.Popen([*command, *where], stdout=log, stderr=log, start_new_session=True)

    def logs(self) -> str:
        return "\n".join(f"--- {one}\n{(self.data / f'{one}.log').read_text()[-2000:]}" for one in SERVICES)


@asynccontextmanager
async def separate(folder: Path) -> AsyncIterator[Parts]:
    """Everything up, in its own processes; nothing of it is left afterwards."""
    async with AsyncExitStack() as stack:
        bus = await stack.enter_async_context(running(folder / "nats"))
        control_plane = await stack.enter_async_context(embedded.running(folder / "cluster", report=lambda _line: None))
        cluster = await stack.enter_async_context(connect(control_plane.kubeconfig))
        port = free_port()
        webhook = Webhook(f"http://127.0.0.1:{port}/api/webhook")
        git = await stack.enter_async_context(GitServer(folder / "git", webhook=webhook))
        await install.install(cluster, "argocd", empty_settings=True)
        parts = Parts(folder, bus, control_plane, cluster, Discovery(cluster), git, port)
        stack.push_async_callback(_end, parts)
        for service in SERVICES:
            await parts.start(service)
        yield parts


async def _end(parts: Parts) -> None:
    for service in list(parts.processes):
        await parts.kill(service)
