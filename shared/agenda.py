"""What is due when, by name: one clock, any number of names, each moved forward or back at any time.

`next` waits for the earliest; who takes a name from it must set it again, or it is due no more.
"""

import asyncio
import heapq
import time
from contextlib import suppress

NEVER = float("inf")


class Agenda:
    """One instance for each kind of work."""

    def __init__(self) -> None:
        self._due: dict[str, float] = {}
        self._heap: list[tuple[float, str]] = []
        self._changed = asyncio.Event()

    def __contains__(self, name: str) -> bool:
        return name in self._due

    def sooner(self, name: str, seconds: float = 0.0) -> None:
        """Due in so many seconds, unless it is due before."""
        due = min(time.monotonic() + seconds, self._due.get(name, NEVER))
        self._due[name] = due
        heapq.heappush(self._heap, (due, name))
        self._changed.set()

    def drop(self, name: str) -> None:
        self._due.pop(name, None)

    async def next(self) -> str:
        """The next name that is due; entries that were moved meanwhile are skipped."""
        while True:
            self._changed.clear()
            while self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]:
                heapq.heappop(self._heap)
            wait = self._heap[0][0] - time.monotonic() if self._heap else None
            if wait is not None and wait <= 0:
                name = heapq.heappop(self._heap)[1]
                self._due[name] = NEVER
                return name
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._changed.wait()
