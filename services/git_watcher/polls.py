"""When to look at which repository without being told: one task, one clock, a bounded number of looks at once."""

import asyncio
import heapq
import random
import time
from contextlib import suppress

from services.git_watcher import measures, pauses
from services.git_watcher.repositories import Repositories
from services.git_watcher.repository import Look, Repository
from shared.bus import BusError
from shared.git.errors import GitFailure
from shared.telemetry import get_logger

log = get_logger()
AT_ONCE = 6
UNTOLD_SECONDS = 5.0


class Polls:
    """`sooner` moves a repository's next poll forward; `run` goes on until cancelled."""

    def __init__(self, repositories: Repositories, interval: float) -> None:
        self.interval = interval
        self._repositories = repositories
        self._due: dict[str, float] = {}
        self._heap: list[tuple[float, str]] = []
        self._changed = asyncio.Event()
        self._slots = asyncio.Semaphore(AT_ONCE)

    def sooner(self, name: str, seconds: float = 0.0) -> None:
        self._set(name, min(time.monotonic() + seconds, self._due.get(name, float("inf"))))

    def watch(self, name: str) -> None:
        """Polls a repository from now on, first at once if it was never looked at."""
        if name not in self._due:
            self.sooner(name)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            while True:
                name = await self._next()
                tasks.create_task(self._poll(name))

    def _set(self, name: str, due: float) -> None:
        self._due[name] = due
        heapq.heappush(self._heap, (due, name))
        self._changed.set()

    async def _next(self) -> str:
        """The next repository that is due; entries that were moved forward meanwhile are skipped."""
        while True:
            self._changed.clear()
            while self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]:
                heapq.heappop(self._heap)
            wait = self._heap[0][0] - time.monotonic() if self._heap else None
            if wait is not None and wait <= 0:
                name = heapq.heappop(self._heap)[1]
                self._due[name] = float("inf")
                return name
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._changed.wait()

    async def _poll(self, name: str) -> None:
        repository = self._repositories.named(name)
        if not self._repositories.in_use(repository):
            del self._due[name]
            await self._repositories.forget(repository)
            return
        async with self._slots:
            told = await self._look(repository)
        pause = pauses.until_next_poll(self.interval, random.random(), repository.held())  # noqa: S311 - jitter
        self.sooner(name, pause if told else min(pause, UNTOLD_SECONDS))

    async def _look(self, repository: Repository) -> bool:
        """False when the bus would not take what was found."""
        try:
            await repository.look(Look("poll"))
            await self._repositories.tidy(repository)
        except GitFailure:
            measures.failed_polls.inc()  # the repository has told it, and when to come back
        except BusError as error:
            log.warning("what a poll found is not announced yet", why=str(error))
            return False
        return True
