"""Events that wait to be published: a bus that is away delays the telling, never the doing."""

import asyncio
from collections import deque

from shared.bus.bus import Bus
from shared.bus.errors import BusError, TooLarge
from shared.events import Event
from shared.telemetry import get_logger

log = get_logger()
MOST = 10_000
BATCH = 64
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0  # seconds


class Outbox:
    """One a process; `put` never waits, `send` is a task of the process's own."""

    def __init__(self) -> None:
        self._waiting: deque[Event] = deque(maxlen=MOST)
        self._filled = asyncio.Event()

    def put(self, event: Event) -> None:
        """Queue an event; the oldest of more than 10,000 is lost, and the log says so."""
        if len(self._waiting) == MOST:
            log.warning("the outbox is full, the oldest event is lost", subject=self._waiting[0].subject())
        self._waiting.append(event)
        self._filled.set()

    async def send(self, bus: Bus) -> None:
        """Publish what is put in, several at a time: each event says when it happened. Runs until it is cancelled."""
        while True:
            await self._filled.wait()
            self._filled.clear()
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
                await asyncio.gather(*(_publish(bus, event) for event in batch))


async def _publish(bus: Bus, event: Event) -> None:
    pause = FIRST_PAUSE
    while True:
        try:
            await bus.publish(event)
        except TooLarge as error:
            log.error("an event is lost, it does not fit", subject=event.subject(), error=str(error))  # noqa: TRY400
            return
        except BusError as error:
            log.warning("an event waits for the bus", subject=event.subject(), error=str(error))
            await asyncio.sleep(pause)
            pause = min(LONGEST_PAUSE, pause * 2)
        else:
            return
