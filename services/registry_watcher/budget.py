"""How many looks webhooks may cause at one repository: a burst, then one a second. A flood costs no more."""

import time

BURST = 20.0
EACH_SECOND = 1.0


class Budget:
    """A bucket of tokens; `take` says whether there was one."""

    def __init__(self) -> None:
        self._left = BURST
        self._at = time.monotonic()

    def take(self) -> bool:
        at = time.monotonic()
        self._left = min(BURST, self._left + (at - self._at) * EACH_SECOND)
        self._at = at
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True
