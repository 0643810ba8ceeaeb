"""How often one host may be asked: a steady rate, and silence for as long as the host asks for it.

In: what the host's answers say in their headers. Out: a turn, or `RateLimited` when the wait would be long.
Docker Hub counts manifests that are fetched (not HEADs, not tags); its last few are left to the nodes that pull.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from shared.clock import now
from shared.oci.errors import RateLimited

DEFAULT_PAUSE = 30.0
LONGEST_PAUSE = 3600.0
PATIENCE = 3.0
KEPT_FOR_PULLS = 10
EXHAUSTED_PAUSE = 300.0


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds, from a number or a date; whatever the host writes, it is at least one and at most an hour."""
    given = headers.get("Retry-After", "").strip()
    if not given:
        return DEFAULT_PAUSE
    return min(LONGEST_PAUSE, max(1.0, _seconds(given)))


def _seconds(given: str) -> float:
    if given.isascii() and given.isdigit():
        return float(given[:9])
    try:
        return (parsedate_to_datetime(given) - now()).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return DEFAULT_PAUSE


def pulls_left(headers: Mapping[str, str]) -> int | None:
    """`ratelimit-remaining: 76;w=21600`; None where the host doesn't say."""
    number = headers.get("ratelimit-remaining", "").partition(";")[0].strip()
    return int(number[:9]) if number.isascii() and number.isdigit() else None


@dataclass(slots=True)
class Pace:
    """One host. `rate`: requests a second, of which one second's worth may go at once."""

    rate: float = float("inf")
    _next: float = 0.0
    _silent_until: float = 0.0
    _no_pulls_until: float = 0.0

    async def turn(self, host: str, *, counted: bool = False) -> None:
        """Waits for its turn; `counted`: a request that the host counts as a pull."""
        silent = max(self._silent_until, self._no_pulls_until if counted else 0.0) - time.monotonic()
        if silent > PATIENCE:
            raise RateLimited(f"{host} asked to slow down: it is left alone for another {silent:.0f} s", silent)
        await asyncio.sleep(max(silent, self._slot()))

    def _slot(self) -> float:
        """Seconds until the next free slot, which is taken."""
        at = time.monotonic()
        self._next = max(self._next, at - 1.0) + 1.0 / self.rate
        return max(0.0, self._next - at)

    def told(self, status: int, headers: Mapping[str, str]) -> None:
        """Hear what an answer says of the rate."""
        if status == 429:
            self._silent_until = max(self._silent_until, time.monotonic() + retry_after(headers))
        left = pulls_left(headers)
        if left is not None:
            self._no_pulls_until = time.monotonic() + EXHAUSTED_PAUSE if left < KEPT_FOR_PULLS else 0.0
