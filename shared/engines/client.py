"""The pool: who calls next gets the next free worker; who takes too long is killed and replaced.

In: an operation's name, its arguments, a deadline, the caller's files. Out: the result, or an `EngineFailure`.
Workers are started when first needed, the first one at once. The deadline is for the work; waiting for a free worker
is not counted, so bound the whole with `asyncio.timeout` where that matters. Cancelling a call kills its worker.
"""

import asyncio
import math
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from shared.engines import measures
from shared.engines.errors import EngineCrashed, EngineFailure, EnginesClosed, EngineTimeout
from shared.engines.files import FileAccess, InMemory
from shared.engines.process import Worker

DEADLINE_SECONDS = 10.0
MAX_CALLS = 20_000
WARM_UP: Mapping[str, Any] = {"folder": ".", "edits": {}, "options": []}
WARM_UP_FILES = InMemory(
    {
        "kustomization.yaml": b"namePrefix: a-\nresources: [it.yaml]\n",
        "it.yaml": b"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: it}\n",
    }
)


class Engines:
    """`async with Engines(binary) as engines: await engines.call("ping", {})`."""

    def __init__(
        self,
        binary: Path,
        *,
        size: int = 2,
        memory_mb: int = 1024,
        max_output_mb: int = 64,
        deadline: float = DEADLINE_SECONDS,
    ) -> None:
        self._binary = binary
        self._arguments = (f"--memory-mb={memory_mb}", f"--max-output-mb={max_output_mb}")
        self._max_reply = (max_output_mb + 1) * 2**20
        self._deadline = deadline
        self._size = size
        self._turns = asyncio.Semaphore(size)
        self._idle: list[Worker] = []
        self._all: set[Worker] = set()
        self._threads: ThreadPoolExecutor | None = None
        self._warming: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._threads = ThreadPoolExecutor(self._size, thread_name_prefix="engines")
        self._warming = asyncio.create_task(self._warm())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        threads, self._threads = self._threads, None
        for worker in self._all:
            worker.kill()
        if self._warming is not None:
            await asyncio.wait([self._warming])
            self._warming.exception()
        if threads is not None:
            await asyncio.to_thread(threads.shutdown)
        for worker in self._all:
            worker.close()
        self._all.clear()
        self._idle.clear()

    async def call(self, op: str, args: Any, *, deadline: float | None = None, files: FileAccess | None = None) -> Any:
        """Perform one operation on the next free worker; whoever has waited longest goes first."""
        seconds = self._deadline if deadline is None else deadline
        asked = time.monotonic()
        async with self._turns:
            measures.waits.observe(time.monotonic() - asked)
            with _measured(op):
                return await self._perform(op, args, seconds, files)

    @property
    def deadline(self) -> float:
        """How long a call may take, in seconds, where the caller says nothing."""
        return self._deadline

    @property
    def binary(self) -> Path:
        """The worker's program; its name holds the digest of its sources."""
        return self._binary

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes there are now, for measuring."""
        return tuple(worker.pid for worker in self._all)

    async def versions(self) -> dict[str, str]:
        """The linked libraries and their versions: results may differ between them."""
        found: dict[str, str] = await self.call("versions", None)
        return found

    async def _warm(self) -> None:
        """The first build with Kustomize reads its schema of Kubernetes: nobody should wait for that."""
        try:
            await self.call("kustomize.build", WARM_UP, files=WARM_UP_FILES)
        except EngineFailure:
            return  # closed meanwhile; a binary that can't work says so at the first real call

    async def _perform(self, op: str, args: Any, seconds: float, files: FileAccess | None) -> Any:
        worker = self._take()
        expired = False

        def expire() -> None:
            nonlocal expired
            expired = True
            worker.kill()

        timer = asyncio.get_running_loop().call_later(seconds, expire)
        try:
            return await self._on_thread(worker, op, args, seconds, files)
        except EngineCrashed as error:
            if expired:
                raise EngineTimeout(op, seconds) from error
            raise
        finally:
            timer.cancel()
            self._give_back(worker, broken=expired)

    async def _on_thread(self, worker: Worker, op: str, args: Any, seconds: float, files: FileAccess | None) -> Any:
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._executor(), worker.call, op, args, math.ceil(seconds) * 2 + 1, files)
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            worker.kill()
            await asyncio.wait([work])
            work.exception()
            raise

    def _take(self) -> Worker:
        self._executor()  # refuses when closed
        while self._idle:
            worker = self._idle.pop()
            if worker.alive:
                return worker
            self._discard(worker)
        worker = Worker(self._binary, self._arguments, self._max_reply)
        self._all.add(worker)
        return worker

    def _give_back(self, worker: Worker, *, broken: bool) -> None:
        if broken or self._threads is None or worker.used >= MAX_CALLS or not worker.alive:
            self._discard(worker)
        else:
            self._idle.append(worker)

    def _discard(self, worker: Worker) -> None:
        worker.close()
        self._all.discard(worker)

    def _executor(self) -> ThreadPoolExecutor:
        if self._threads is None:
            raise EnginesClosed("the engines are closed: enter `async with Engines(...)` first")
        return self._threads


@contextmanager
def _measured(op: str) -> Iterator[None]:
    begun, error = time.monotonic(), None
    try:
        yield
    except BaseException as raised:
        error = raised
        raise
    finally:
        measures.calls.labels(op, measures.outcome_of(error)).observe(time.monotonic() - begun)
