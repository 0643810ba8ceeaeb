"""Cron schedules: known times, time zones and their jumps, bounds, errors, agreement with a plain reading."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.engines import cron
from shared.engines.client import Engines
from shared.engines.errors import EngineError

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)  # a Monday


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("* * * * *", ["2026-11-23T12:01", "2026-11-23T12:02"]),
        ("*/15 * * * *", ["2026-11-23T12:15", "2026-11-23T12:30"]),
        ("0 0 * * *", ["2026-11-24T00:00", "2026-11-25T00:00"]),
        ("0 9 * * MON", ["2026-11-30T09:00", "2026-12-07T09:00"]),
        ("0 9 1 * *", ["2026-12-01T09:00", "2027-01-01T09:00"]),
        ("0 0 29 2 *", ["2028-02-29T00:00"]),
        ("0 0 1 1 1", ["2027-01-01T00:00", "2027-01-04T00:00"]),
        ("30 8-10 * * 1-5", ["2026-11-24T08:30", "2026-11-24T09:30"]),
        ("@hourly", ["2026-11-23T13:00", "2026-11-23T14:00"]),
        ("@daily", ["2026-11-24T00:00", "2026-11-25T00:00"]),
        ("@weekly", ["2026-11-29T00:00", "2026-12-06T00:00"]),
        ("@monthly", ["2026-12-01T00:00", "2027-01-01T00:00"]),
        ("@every 1h30m", ["2026-11-23T13:30", "2026-11-23T15:00"]),
        ("0 0 31 2 *", []),
    ],
)
async def test_known_times(engines: Engines, schedule: str, expected: list[str]) -> None:
    assert await cron.upcoming(engines, schedule, START, count=len(expected) or 2) == [at(each) for each in expected]


async def test_a_time_zone_moves_the_clock(engines: Engines) -> None:
    found = await cron.upcoming(engines, "0 9 * * *", START, timezone="America/New_York")
    assert found == [at("2026-11-23T14:00")]
    assert await cron.upcoming(engines, "0 9 * * *", START, timezone="Asia/Kolkata") == [at("2026-11-24T03:30")]


async def test_a_skipped_hour_is_skipped_and_a_repeated_one_comes_again(engines: Engines) -> None:
    spring = await cron.upcoming(engines, "30 2 * * *", at("2026-03-28T12:00"), count=2, timezone="Europe/Berlin")
    assert [each.day for each in spring][-1] in (30, 31)
    autumn = await cron.upcoming(engines, "0 12 * * *", at("2026-10-24T12:00"), count=2, timezone="Europe/Berlin")
    assert autumn == [at("2026-10-25T11:00"), at("2026-10-26T11:00")]


async def test_seconds_only_when_asked(engines: Engines) -> None:
    found = await cron.upcoming(engines, "*/20 * * * * *", START, count=2, seconds=True)
    assert found == [START + timedelta(seconds=20), START + timedelta(seconds=40)]
    with pytest.raises(EngineError, match="no cron schedule"):
        await cron.upcoming(engines, "*/20 * * * * *", START)


async def test_times_end_with_until(engines: Engines) -> None:
    found = await cron.upcoming(engines, "@hourly", START, count=100, until=START + timedelta(hours=3))
    assert found == [START + timedelta(hours=hour) for hour in (1, 2, 3)]


BAD = ["", "x", "* * * *", "60 * * * *", "* * 0 * *", "@never", "@every x", "* * * 13 *", "5-1 * * * *"]


@pytest.mark.parametrize("schedule", BAD)
async def test_a_bad_schedule_is_named(engines: Engines, schedule: str) -> None:
    with pytest.raises(EngineError, match="no cron schedule") as caught:
        await cron.upcoming(engines, schedule, START)
    assert caught.value.reason == "ScheduleInvalid"


@pytest.mark.parametrize("timezone", ["Nowhere/Town", "Local", "../../etc/passwd", "/etc/localtime"])
async def test_a_bad_time_zone_is_named(engines: Engines, timezone: str) -> None:
    with pytest.raises(EngineError, match="no time zone") as caught:
        await cron.upcoming(engines, "@daily", START, timezone=timezone)
    assert caught.value.reason == "TimezoneInvalid"


FIELDS = st.tuples(
    st.sets(st.integers(0, 59), min_size=1, max_size=4),
    st.sets(st.integers(0, 23), min_size=1, max_size=4),
    st.sets(st.integers(1, 12), min_size=1, max_size=6),
)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 (zone given)


@settings(max_examples=120, deadline=None)
@given(fields=FIELDS, after=MOMENTS)
async def test_every_time_fits_the_fields_and_none_between_is_left_out(
    engines: Engines, fields: tuple[set[int], set[int], set[int]], after: datetime
) -> None:
    minutes, hours, months = fields
    schedule = " ".join([_field(minutes), _field(hours), "*", _field(months), "*"])
    found = await cron.upcoming(engines, schedule, after, count=20)
    assert len(found) == 20
    assert all(before < later for before, later in pairwise([after, *found]))
    assert all(each.minute in minutes and each.hour in hours and each.month in months for each in found)
    assert all(
        _fitting(day, fields) == [each for each in found if each.date() == day.date()]
        for day in _whole_days(after, found)
    )


def _whole_days(after: datetime, found: list[datetime]) -> list[datetime]:
    return [each for each in found if after.date() < each.date() < found[-1].date()]


def _field(values: set[int]) -> str:
    return ",".join(map(str, sorted(values)))


def _fitting(day: datetime, fields: tuple[set[int], set[int], set[int]]) -> list[datetime]:
    minutes, hours, _ = fields
    return [day.replace(hour=hour, minute=minute, second=0) for hour in sorted(hours) for minute in sorted(minutes)]
