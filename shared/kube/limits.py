"""A token bucket: how often something may happen, with a burst that may happen at once.

In: a rate, a burst and a clock. Out: seconds to wait, or a yes or no. Never: a task or a lock of its own.
"""

import asyncio
from collections.abc import Callable
from time import monotonic


class Bucket:
    """`rate` tokens a second up to `burst`; fair in the order of asking, since `reserve` takes its token at once."""

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = monotonic) -> None:
        self.rate = rate
        self.burst = burst
        self._clock = clock
        self._tokens = burst
        self._seen = clock()

    def _fill(self) -> None:
        now = self._clock()
        self._tokens = min(self.burst, self._tokens + (now - self._seen) * self.rate)
        self._seen = now

    def reserve(self) -> float:
        """Take a token, maybe one that does not exist yet: gives the seconds until it does."""
        self._fill()
        self._tokens -= 1
        return max(0.0, -self._tokens / self.rate)

    def try_take(self) -> bool:
        """Take a token if there is one now."""
        self._fill()
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    @property
    def full(self) -> bool:
        """Whether nothing was taken lately, so a new bucket would be the same."""
        self._fill()
        return self._tokens >= self.burst

    async def take(self) -> None:
        """Wait for a token."""
        seconds = self.reserve()
        if seconds > 0:
            await asyncio.sleep(seconds)
