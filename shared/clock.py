"""The one place that reads the wall clock.

Everything else takes a time as a parameter or asks here, so that a date in a status field, an event or a log line
always has the same shape: UTC, RFC 3339. Durations are measured with `time.monotonic()` where they are needed.
"""

import time
from datetime import UTC, datetime


def now() -> datetime:
    return datetime.now(UTC)


def epoch_ms() -> int:
    return time.time_ns() // 1_000_000


def rfc3339(moment: datetime) -> str:
    """Seconds and `Z`: what Kubernetes' `metav1.Time` writes."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def rfc3339_ms(moment: datetime) -> str:
    """Milliseconds and `Z`: what our events carry."""
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def parse_rfc3339(text: str) -> datetime:
    """Raises ValueError when the text is no date or names no zone."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} names no time zone; write it as 2006-01-02T15:04:05Z")
    return moment.astimezone(UTC)
