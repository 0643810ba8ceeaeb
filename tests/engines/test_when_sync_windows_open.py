"""From schedules to times: the engines worker's cron, once for as long as it is known. The rules: tests/kinds."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.engines.client import Engines
from shared.engines.openings import Openings
from shared.kinds.appproject import SyncWindow
from shared.kinds.windows import Span, Timed

NOW = datetime(2026, 10, 24, 12, 30, tzinfo=UTC)


def window(**fields: Any) -> SyncWindow:
    return SyncWindow.parse(
        {"kind": "deny", "schedule": "0 12 * * *", "duration": "1h", "applications": ["*"], **fields}
    )


def around(found: Timed, at: datetime) -> Span:
    return next(span for span in found.spans if span.closes > at)


@pytest.fixture
def asked() -> list[None]:
    """One item for each time that the engines were asked for."""
    return []


@pytest.fixture
def openings(engines: Engines, asked: list[None]) -> Openings:
    async def get() -> Engines:
        asked.append(None)
        return engines

    counted: Callable[[], Awaitable[Engines]] = get
    return Openings(counted)


async def test_a_window_that_is_open_began_in_the_past(openings: Openings) -> None:
    found = await openings.of(window(), NOW)
    assert around(found, NOW) == Span(NOW.replace(minute=0), NOW.replace(hour=13, minute=0))
    assert found.is_open(NOW)
    assert not found.is_open(NOW + timedelta(minutes=30))


async def test_a_time_zone_keeps_its_hours_when_the_clocks_change(openings: Openings) -> None:
    found = await openings.of(window(timeZone="Europe/Berlin"), NOW)
    assert [span.opens.hour for span in found.spans if abs(span.opens - NOW) < timedelta(days=3)][-3:] == [11, 11, 11]
    assert around(found, NOW - timedelta(hours=3)).opens == datetime(2026, 10, 24, 10, tzinfo=UTC)


async def test_what_opens_before_it_has_closed_is_always_open(openings: Openings) -> None:
    found = await openings.of(window(schedule="*/10 * * * *", duration="15m"), NOW)
    assert len(found.spans) == 1
    assert found.is_open(NOW)


async def test_many_applications_ask_once_until_the_known_times_run_out(openings: Openings, asked: list[None]) -> None:
    every_minute = window(schedule="* * * * *", duration="30s")
    first = await openings.of(every_minute, NOW)
    assert (await openings.of(every_minute.model_copy(update={"kind": "allow"}), NOW)).spans is first.spans
    later = first.spans[-1].opens
    assert len(asked) == 1
    assert (await openings.of(every_minute, later)).is_open(later)
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"schedule": "at noon"}, "cron schedule"),
        ({"timeZone": "Mars/Olympus"}, "time zone"),
        ({"schedule": "* * * * *", "duration": "9000h"}, "too often"),
        ({"duration": "soon"}, "duration"),
    ],
)
async def test_a_window_that_can_not_be_read_says_why(openings: Openings, fields: dict[str, str], words: str) -> None:
    found = await openings.of(window(**fields), NOW)
    assert words in found.problem
    assert not found.spans
