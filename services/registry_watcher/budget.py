"""How many looks webhooks may cause at one repository: a burst, then one a second. A flood costs no more."""

import time

BURST = 20.0
EACH_SECOND = 1.0


class Spent(Exception):
    """There is nothing left for now."""


class Budget:
    """A bucket of tokens."""

    def __init__(self) -> None:
        self._left = BURST
        self._at = time.monotonic()

    def take(self) -> None:
        """Raises `Spent`."""
        at = time.monotonic()
        self._left = min(BURST, self._left + (at - self._at) * EACH_SECOND)
        self._at = at
        if self._left < 1.0:
            raise Spent
        self._left -= 1.0
