"""The stack as separate processes, each of which a test may kill and start again: services, bus, cluster, git host."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.stack import cluster as embedded
from services.stack import install
from services.stack.cluster import Cluster as Embedded
from services.stack.gitserver import GitServer, Webhook
from services.stack.options import StackError, probe
from shared.bus.server import Server, running
from shared.kube import Cluster, Discovery, connect

SERVICES = ("gateway", "git_watcher", "renderer", "reconciler")


@dataclass
class Parts:
    """`kill` ends a part with SIGKILL; `start` brings it back on the same port and folder.

    A second replica of a service is called `reconciler-2`. `kubeconfigs`: other ways to the cluster for some parts.
    """

    data: Path
    bus: Server
    control_plane: Embedded
    cluster: Cluster
    discovery: Discovery
    git: GitServer
    gateway_port: int
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    kubeconfigs: dict[str, Path] = field(default_factory=dict)

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

    def freeze(self, part: str) -> None:
        """Stop it in the middle of whatever it does, as a machine that swaps does; `thaw` lets it go on."""
        os.killpg(self.processes[part].pid, signal.SIGSTOP)

    def thaw(self, part: str) -> None:
        os.killpg(self.processes[part].pid, signal.SIGCONT)

    def _spawn(self, part: str) -> subprocess.Popen[bytes]:
        service = part.partition("-")[0]
        listen = f"127.0.0.1:{self.gateway_port}" if service == "gateway" else "127.0.0.1:0"
        command = [sys.executable, "-m", "services.cli", "run", service, "--listen", listen]
        kubeconfig = self.kubeconfigs.get(part, self.control_plane.kubeconfig)
        where = ["--kubeconfig", str(kubeconfig), "--nats", self.bus.url, "--data", str(self.data)]
        log = (self.data / f"{part}.log").open("ab")
        with log:
            return subprocess.Popen([*command, *where], stdout=log, stderr=log, start_new_session=True)

    def logs(self) -> str:
        files = sorted(self.data.glob("*.log"))
        return "\n".join(f"--- {file.stem}\n{file.read_text()[-2000:]}" for file in files)


def reserved_port() -> int:
    """A port that the system gives to nobody by itself, free again whenever its service is killed."""
    for _ in range(100):
        with suppress(StackError):
            return probe("127.0.0.1", random.randint(20_000, 29_999))
    raise AssertionError("no port is free")


@asynccontextmanager
async def separate(
    folder: Path, services: tuple[str, ...] = SERVICES, middlewares: Sequence[Any] = ()
) -> AsyncIterator[Parts]:
    """Everything up, in its own processes; nothing of it is left afterwards. `middlewares`: of the git host."""
    async with AsyncExitStack() as stack:
        bus = await stack.enter_async_context(running(folder / "nats"))
        control_plane = await stack.enter_async_context(embedded.running(folder / "cluster", report=lambda _line: None))
        cluster = await stack.enter_async_context(connect(control_plane.kubeconfig))
        port = reserved_port()
        webhook = Webhook(f"http://127.0.0.1:{port}/api/webhook")
        git = await stack.enter_async_context(GitServer(folder / "git", webhook=webhook, middlewares=middlewares))
        await install.install(cluster, "argocd", empty_settings=True)
        parts = Parts(folder, bus, control_plane, cluster, Discovery(cluster), git, port)
        stack.push_async_callback(_end, parts)
        for service in services:
            await parts.start(service)
        yield parts


async def _end(parts: Parts) -> None:
    for service in list(parts.processes):
        await parts.kill(service)
