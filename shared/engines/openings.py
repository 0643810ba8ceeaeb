"""When sync windows open: their schedules, computed by the engines worker once and kept until the known times run out.

In: a window. Out: the same with its spans, or with what is wrong with it. However many Applications share a window, it
costs one call in a day or more.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from shared.engines import cron
from shared.engines.client import Engines
from shared.engines.errors import EngineError, EngineFailure
from shared.kinds.appproject import SyncWindow
from shared.kinds.durations import seconds
from shared.kinds.windows import Span, Timed, problem_of, spans

AHEAD, MOST = 1500, 50_000
BEFORE = timedelta(days=1)
AGAIN = timedelta(seconds=10)


class _Known(NamedTuple):
    spans: tuple[Span, ...]
    problem: str
    runs_out: datetime | None


class Openings:
    """One instance a process."""

    def __init__(self, engines: Callable[[], Awaitable[Engines]]) -> None:
        self._engines = engines
        self._known: dict[tuple[str, str, str], _Known] = {}
        self._lock = asyncio.Lock()

    async def of(self, window: SyncWindow, now: datetime) -> Timed:
        """Give a window with its times, from yesterday on."""
        problem = problem_of(window)
        if problem:
            return Timed(window, problem=problem)
        name = (window.schedule, window.time_zone, window.duration)
        async with self._lock:
            known = self._known.get(name)
            if known is None or (known.runs_out is not None and known.runs_out <= now):
                self._known[name] = known = await self._compute(window, now)
        return Timed(window, known.spans, known.problem)

    async def _compute(self, window: SyncWindow, now: datetime) -> _Known:
        length = timedelta(seconds=seconds(window.duration))
        at, zone = window.schedule, window.time_zone
        try:
            engines = await self._engines()
            past = await cron.upcoming(engines, at, now - length - BEFORE, until=now, count=MOST, timezone=zone)
            coming = await cron.upcoming(engines, at, now, count=AHEAD, timezone=zone)
        except EngineError as error:
            return _Known((), error.message, None)
        except EngineFailure as failure:
            return _Known((), str(failure), now + AGAIN)
        if len(past) == MOST:
            return _Known((), "it opens too often for so long a duration", None)
        return _Known(spans([*past, *coming], length), "", coming[-1] if len(coming) == AHEAD else None)
