"""Parts as processes: started on a leash or free, remembered in `run/<part>`, ended politely and then not.

A process is known by its id and its start time, so a stale file never makes us kill a stranger. What this module
doesn't know: which parts there are, in which order they go, and when they are ready.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from services.stack.cluster.errors import PartFailedError
from services.stack.cluster.layout import Layout, write_private
from services.stack.state import started

POLL_SECONDS = 0.02
_LEASH = Path(__file__).with_name("leash.py")
_TAIL_BYTES = 4000


@dataclass
class Processes:
    """The processes of one cluster; `tied` ones die with this process, the others outlive it."""

    layout: Layout
    tied: bool
    children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(
        self, part: str, program: Path, arguments: Sequence[str], *, extra: Mapping[str, str] | None = None
    ) -> None:
        if self.pid(part) is not None:
            return
        log = str(self.layout.log(part))
        command = [str(program), *arguments]
        environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(self.layout.directory), **(extra or {})}
        if self.tied:
            leash = [sys.executable, "-IS", str(_LEASH), "tied", str(os.getpid()), log]
            self.children[part] = subprocess.Popen([*leash, *command], env=environment)
            self._remember(part, self.children[part].pid)
        else:
            leash = [sys.executable, "-IS", str(_LEASH), "free", log]
            freed = subprocess.run([*leash, *command], env=environment, stdout=subprocess.PIPE, check=True)
            self._remember(part, int(freed.stdout))

    def pid(self, part: str) -> int | None:
        """The running process of a part."""
        if child := self.children.get(part):
            child.poll()
        try:
            pid, since = self._file(part).read_text().split()
        except (OSError, ValueError):
            return None
        return int(pid) if started(int(pid)) == int(since) else None

    def remembered(self) -> tuple[str, ...]:
        """The parts that were started and not stopped, running or crashed."""
        if not self.layout.run.is_dir():
            return ()
        return tuple(sorted(file.name for file in self.layout.run.iterdir() if not file.name.startswith(".")))

    def running(self) -> tuple[str, ...]:
        return tuple(part for part in self.remembered() if self.pid(part) is not None)

    async def stop(self, part: str, *, grace: float = 8.0) -> None:
        self.signal(part, signal.SIGTERM)
        if not await self._gone(part, grace):
            self.signal(part, signal.SIGKILL)
            await self._gone(part, grace)
        self._forget(part)

    async def kill(self, part: str) -> None:
        """What a crash or a power cut does to one part."""
        self.signal(part, signal.SIGKILL)
        await self._gone(part, 10.0)
        self._forget(part)

    def signal(self, part: str, number: signal.Signals) -> None:
        if pid := self.pid(part):
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def failure(self, part: str, problem: str) -> PartFailedError:
        log = self.layout.log(part)
        return PartFailedError(part, problem, log, tail(log))

    async def _gone(self, part: str, seconds: float) -> bool:
        limit = time.monotonic() + seconds
        while self.pid(part) is not None:
            if time.monotonic() > limit:
                return False
            await asyncio.sleep(POLL_SECONDS)
        return True

    def _remember(self, part: str, pid: int) -> None:
        write_private(self._file(part), f"{pid} {started(pid) or 0}")

    def _forget(self, part: str) -> None:
        self._file(part).unlink(missing_ok=True)
        if child := self.children.pop(part, None):
            child.wait()

    def _file(self, part: str) -> Path:
        return self.layout.run / part


def tail(log: Path) -> str:
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            return file.read().decode(errors="replace").strip()
    except OSError:
        return "(no log)"
