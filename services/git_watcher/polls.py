"""When to look at which repository without being told: one task, one clock, a bounded number of looks at once."""

import asyncio
import random

from services.git_watcher import measures, pauses
from services.git_watcher.repositories import Repositories
from services.git_watcher.repository import Look, Repository
from shared.agenda import Agenda
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
        self._agenda = Agenda()
        self._slots = asyncio.Semaphore(AT_ONCE)

    def sooner(self, name: str, seconds: float = 0.0) -> None:
        self._agenda.sooner(name, seconds)

    def watch(self, name: str) -> None:
        """Polls a repository from now on, first at once if it was never looked at."""
        if name not in self._agenda:
            self.sooner(name)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            while True:
                name = await self._agenda.next()
                tasks.create_task(self._poll(name))

    async def _poll(self, name: str) -> None:
        repository = self._repositories.named(name)
        if not self._repositories.in_use(repository):
            self._agenda.drop(name)
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
