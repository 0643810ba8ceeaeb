"""Every part of the stack as a process of its own, so that one can be killed: cluster, nats-server, four services.

Each service runs as `tiphys run SERVICE`; the git host lives in the test's process and sends webhooks to the gateway.
"""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.stack import cluster as embedded
from services.stack.gitserver import GitServer, Webhook
from services.stack.install import install
from services.stack.options import free_port
from services.stack.registry import SERVICES
from shared.bus import server
from shared.kube import Cluster, connect

ENVIRONMENT = {"TIPHYS_GIT_WATCHER_POLL_SECONDS": "3", "TIPHYS_BUS_PATIENCE_SECONDS": "60"}


@dataclass
class Service:
    """One `tiphys run`, started again as Kubernetes would when it ends."""

    name: str
    words: tuple[str, ...]
    log: Path
    process: Process | None = None

    async def start(self) -> None:
        with self.log.open("ab") as output:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "services.cli",
                "run",
                self.name,
                *self.words,
                stdin=DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **ENVIRONMENT},
            )

    async def end(self, how: signal.Signals) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(how)
            await self.process.wait()


@dataclass
class Apart:
    """The parts by name, and what a test needs of them."""

    kubernetes: embedded.Cluster
    nats: server.Server
    git: GitServer
    client: Cluster
    services: dict[str, Service] = field(default_factory=dict)

    async def kill(self, part: str) -> None:
        """As SIGKILL does: nothing is said goodbye to."""
        await self._acts(part)[0]()

    async def start(self, part: str) -> None:
        await self._acts(part)[1]()

    def _acts(self, part: str) -> tuple[Callable[[], Awaitable[Any]], Callable[[], Awaitable[Any]]]:
        if part == "nats-server":
            return self.nats.kill, self.nats.start
        if part in self.services:
            service = self.services[part]
            return (lambda: service.end(signal.SIGKILL)), service.start
        return (lambda: self.kubernetes.kill(part)), (lambda: self.kubernetes.start(part))


@asynccontextmanager
async def apart(folder: Path) -> AsyncIterator[Apart]:
    async with AsyncExitStack() as parts:
        kubernetes = await parts.enter_async_context(
            embedded.running(folder / "cluster", node="none", report=lambda _line: None)
        )
        nats = await parts.enter_async_context(server.running(folder / "nats"))
        client = await parts.enter_async_context(connect(kubernetes.kubeconfig))
        await install(client, "argocd", empty_settings=True)
        port = free_port()
        webhook = Webhook(f"http://127.0.0.1:{port}/api/webhook")
        git = await parts.enter_async_context(GitServer(folder / "git", webhook=webhook))
        whole = Apart(kubernetes, nats, git, client)
        for name in SERVICES:
            whole.services[name] = await _started(folder, name, kubernetes.kubeconfig, nats.url, port)
            parts.push_async_callback(whole.services[name].end, signal.SIGTERM)
        yield whole


async def _started(folder: Path, name: str, kubeconfig: Path, nats_url: str, port: int) -> Service:
    """git_watcher and renderer share the folder with the mirrors."""
    listen = f"127.0.0.1:{port}" if name == "gateway" else "127.0.0.1:0"
    words = ("--kubeconfig", str(kubeconfig), "--nats", nats_url, "--data", str(folder / "data"), "--listen", listen)
    service = Service(name, words, folder / f"{name}.log")
    await service.start()
    return service
