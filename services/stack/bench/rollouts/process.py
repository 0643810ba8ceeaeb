"""The measured rollout manager: a process of its own, its readiness, its CPU and memory."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from services.stack.bench.usage import Usage, of, tree
from services.stack.detach import tail
from services.stack.options import StackError, free_port

READY_WITHIN = 60.0


@dataclass(frozen=True)
class Manager:
    process: asyncio.subprocess.Process
    log: Path

    def usage(self) -> Usage:
        return of([self.process.pid])

    def engines(self) -> Usage:
        return of(pid for pid in tree(self.process.pid) if pid != self.process.pid)

    async def gone(self) -> None:
        """Raises when it has ended, which nobody asked for."""
        await self.process.wait()
        raise StackError(f"the rollout manager ended; the end of its log:\n{await asyncio.to_thread(tail, self.log)}")


@asynccontextmanager
async def running(kubeconfig: Path, folder: Path, scope: str) -> AsyncIterator[Manager]:
    """Yields when it is ready."""
    port, log = free_port(), folder / "manager.log"
    settings = {
        "TIPHYS_KUBECONFIG": str(kubeconfig),
        "TIPHYS_NATS_URL": "none",
        "TIPHYS_DATA": str(folder / "data"),
        "TIPHYS_HEALTH_HOST": "127.0.0.1",
        "TIPHYS_HEALTH_PORT": str(port),
        "TIPHYS_ROLLOUT_MANAGER_NAMESPACE_SCOPE": scope,
    }
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "services.rollout_manager",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, **settings},
            cwd=Path(__file__).parents[4],
        )
    manager = Manager(process, log)
    try:
        await _ready(manager, f"http://127.0.0.1:{port}/readyz")
        yield manager
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def _ready(manager: Manager, url: str) -> None:
    async with asyncio.timeout(READY_WITHIN), aiohttp.ClientSession() as client:
        while manager.process.returncode is None:
            with suppress(aiohttp.ClientError):
                async with client.get(url) as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(0.05)
    await manager.gone()
