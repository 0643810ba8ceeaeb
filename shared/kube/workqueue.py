"""Work by key: one worker at a time for each key, many keys at once, failures again later and later.

In: keys. Out: calls of a handler. The handler reads the newest state itself, so a key that is added five times is
one call; added during its call it is called once more. A handler that raises is called again after a growing,
jittered pause, and `on_error` is told; one that returns forgets the failures, and may return the seconds after
which to be called again. Keys of one `lane` wait for each other when they are many, those of other lanes don't.
Never: the state that the keys stand for.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from shared.kube.backlog import Backlog
from shared.telemetry import get_logger

K = TypeVar("K", bound=Hashable)
Handler = Callable[[K], Awaitable[float | None]]
OnError = Callable[[K, Exception, float], None]
MOST_DOUBLINGS = 30
log = get_logger()


def _report(key: object, error: Exception, pause: float) -> None:
    log.warning("will be tried again", key=str(key), error=str(error), pause_seconds=round(pause, 3), exc_info=error)


class WorkQueue(Generic[K]):
    """`base` is the first pause after a failure, doubled up to `cap`, each times 0.5 to 1 by chance."""

    def __init__(
        self,
        *,
        base: float = 0.2,
        cap: float = 180.0,
        on_error: OnError[K] | None = None,
        jitter: Callable[[], float] = random.random,
        lane: Callable[[K], Hashable] | None = None,
    ) -> None:
        self._backlog: Backlog[K] = Backlog(lane)
        self._failures: dict[K, int] = {}
        self._base = base
        self._cap = cap
        self._jitter = jitter
        self._on_error = on_error or _report
        self._rung = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        """How many keys are ready and not taken yet."""
        return len(self._backlog)

    @property
    def busy(self) -> int:
        """How many keys are being worked on."""
        return self._backlog.taken

    @property
    def later(self) -> int:
        """How many keys wait for their time."""
        return self._backlog.later

    @property
    def idle(self) -> bool:
        return self._backlog.idle

    def add(self, key: K) -> None:
        """Work on it as soon as a worker is free."""
        self._backlog.add(key)
        self._rung.set()

    def add_after(self, key: K, seconds: float) -> None:
        """Work on it in some seconds; of several such times the earliest counts."""
        if seconds <= 0:
            self.add(key)
            return
        self._backlog.add_at(key, asyncio.get_running_loop().time() + seconds)
        self._set_timer()

    def add_rate_limited(self, key: K) -> float:
        """Count a failure and work on it after the pause that follows from the count; gives the pause."""
        count = self._failures.get(key, 0)
        self._failures[key] = count + 1
        pause = min(self._cap, self._base * (1 << min(count, MOST_DOUBLINGS))) * (0.5 + self._jitter() / 2)
        self.add_after(key, pause)
        return pause

    def forget(self, key: K) -> None:
        """Forget its failures."""
        self._failures.pop(key, None)

    def failures(self, key: K) -> int:
        return self._failures.get(key, 0)

    async def run(self, handler: Handler[K], workers: int) -> None:
        """Work until cancelled, on at most `workers` keys of a lane at a time."""
        self._backlog.most = workers
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._rung.clear()
                while (key := self._backlog.take()) is not None:
                    tasks.create_task(self._work(handler, key))
                await self._rung.wait()

    async def _work(self, handler: Handler[K], key: K) -> None:
        try:
            again = await handler(key)
        except Exception as error:  # noqa: BLE001  # the one place that retries and reports
            self._on_error(key, error, self.add_rate_limited(key))
        else:
            self.forget(key)
            if again is not None:
                self.add_after(key, again)
        finally:
            self._backlog.done(key)
            self._rung.set()

    def _set_timer(self) -> None:
        due = self._backlog.next_due()
        if self._timer is not None:
            if due is not None and self._timer.when() <= due and not self._timer.cancelled():
                return
            self._timer.cancel()
            self._timer = None
        if due is not None:
            self._timer = asyncio.get_running_loop().call_at(due, self._ring)

    def _ring(self) -> None:
        self._timer = None
        self._backlog.promote(asyncio.get_running_loop().time())
        self._set_timer()
        self._rung.set()
