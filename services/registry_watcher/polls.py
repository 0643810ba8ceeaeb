"""When to look at which repository without being told: one task, one clock, a bounded number at once."""

import asyncio
import random
import time

from services.registry_watcher import pauses
from services.registry_watcher.image import Image
from services.registry_watcher.images import Images
from shared.agenda import Agenda
from shared.bus import BusError
from shared.oci.errors import OciFailure
from shared.telemetry import get_logger

log = get_logger()
UNTOLD_SECONDS = 5.0
EARLY = 0.8  # a poll this close to its time is the poll, and a list that somebody else wanted since then is its list


class Polls:
    """`sooner` moves a repository's next poll forward; `run` goes on until cancelled."""

    def __init__(self, images: Images) -> None:
        self._images = images
        self._agenda = Agenda()
        self._slots = asyncio.Semaphore(images.settings.poll_concurrency)

    def sooner(self, name: str, seconds: float = 0.0) -> None:
        self._agenda.sooner(name, seconds)

    def watch(self, image: Image) -> None:
        """Polls a repository from now on: first at once if it was never listed."""
        if image.name not in self._agenda:
            chance = random.random()  # noqa: S311 - jitter
            known = image.known.tags is not None
            self.sooner(image.name, pauses.first_poll(self._images.settings.poll_seconds, chance, known=known))

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            while True:
                name = await self._agenda.next()
                tasks.create_task(self._poll(name))

    async def _poll(self, name: str) -> None:
        image = self._images.named(name)
        if not self._images.wants(image.repository):
            self._agenda.drop(name)
            await self._images.forget(image)
            return
        async with self._slots:
            pause = await self._look(image)
        if image.known.pending:
            pause = min(pause, max(UNTOLD_SECONDS, image.holds.left()))
        self.sooner(name, pause)

    async def _look(self, image: Image) -> float:
        """Gives how long to wait for the next time."""
        interval = self._images.interval(image)
        due = image.listed_at + interval - time.monotonic()
        chance = random.random()  # noqa: S311 - jitter
        full = due <= interval * (1 - EARLY)
        try:
            await image.poll(full=full, since=time.monotonic() - interval * (1 - EARLY))
        except OciFailure:
            return pauses.until_next_poll(interval, chance, image.holds.left() or UNTOLD_SECONDS)
        except BusError as error:
            log.warning("what a poll found is not announced yet", image=image.name, why=str(error))
            return UNTOLD_SECONDS
        return pauses.until_next_poll(interval, chance) if full else max(due, 0.0)
