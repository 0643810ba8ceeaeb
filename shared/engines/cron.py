"""The times of a cron schedule, as robfig/cron reads it: five fields, `@hourly`, `@every 1h30m`, with a time zone.

Reasons: ScheduleInvalid, TimezoneInvalid.
"""

from datetime import UTC, datetime

from shared.engines.client import Engines


async def upcoming(
    engines: Engines,
    schedule: str,
    after: datetime,
    *,
    count: int = 1,
    until: datetime | None = None,
    timezone: str = "",
    seconds: bool = False,
) -> list[datetime]:
    """The next times after a moment (UTC); fewer than `count` when `until` or five years pass without one.

    `seconds`: a sixth field in front is allowed.
    """
    args = {
        "schedule": schedule,
        "timezone": timezone,
        "after": int(after.timestamp()),
        "until": int(until.timestamp()) if until else 0,
        "count": count,
        "seconds": seconds,
    }
    return [datetime.fromtimestamp(each, UTC) for each in await engines.call("cron.next", args)]
