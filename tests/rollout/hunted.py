"""A rollout manager as a process of its own, `tiphys run rollout_manager`, which a test may kill whenever it likes."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.parts.faultproxy import FaultProxy

MOST_LIVES = 80


@dataclass(frozen=True)
class Hunted:
    """Every life is one process for one namespace and one instance id, without a bus. Lives end by SIGKILL."""

    proxy: FaultProxy
    namespace: str
    instance: str
    data: Path
    nursery: Process

    @property
    def writes(self) -> str:
        """Whatever the manager writes into its namespace but Events, which it may lose."""
        return rf"^(POST|PUT|PATCH|DELETE) \S+/namespaces/{self.namespace}/(?!events)"

    async def spawn(self) -> int:
        command = ["run", "rollout_manager", "--nats", "none"]
        where = ["--kubeconfig", str(self.proxy.kubeconfig), "--data", str(self.data)]
        scope = ["--instance-id", self.instance, "--namespace-scope", self.namespace]
        assert self.nursery.stdin is not None
        assert self.nursery.stdout is not None
        self.nursery.stdin.write(json.dumps([*command, *where, *scope]).encode() + b"\n")
        return int(await self.nursery.stdout.readline())

    @asynccontextmanager
    async def alive(self) -> AsyncIterator[int]:
        """One life; gives its process id."""
        pid = await self.spawn()
        try:
            yield pid
            os.kill(pid, 0)  # it is still there
        finally:
            kill(pid)

    async def killed_after_each_write_until(self, seen: Awaitable[object]) -> int:
        """Live again and again, one write a life; gives the number of lives that it took."""
        there = asyncio.ensure_future(seen)
        for lives in range(MOST_LIVES):
            rule = self.proxy.swallow(self.writes)
            async with self.alive():
                written = asyncio.create_task(rule.done.wait())
                await asyncio.wait({there, written}, return_when=asyncio.FIRST_COMPLETED)
                written.cancel()
            rule.cancel()
            if there.done():
                there.result()
                return lives
        raise AssertionError(f"{MOST_LIVES} lives were not enough")


def kill(pid: int) -> None:
    """End a life, if it has not ended."""
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


@asynccontextmanager
async def nursery(folder: Path, lease_seconds: int = 0) -> AsyncIterator[Process]:
    """Without a lease by default: one that a dead process holds would have to run out each time."""
    name = "TIPHYS_ROLLOUT_MANAGER_LEADER_ELECTION"
    own = {
        **os.environ,
        name: str(bool(lease_seconds)),
        "TIPHYS_ROLLOUT_MANAGER_LEASE_SECONDS": str(lease_seconds or 15),
    }
    command = [sys.executable, "-m", "tests.rollout.nursery", str(folder / "manager.log")]
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, env=own)
    try:
        yield process
    finally:
        process.kill()
        await process.communicate()
