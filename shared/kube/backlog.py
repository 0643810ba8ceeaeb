"""Which key is worked on next: the pure half of the work queue, with time as a parameter.

In: keys, now or later; what a worker has taken and finished. Out: the next key. A key is worked on by one worker at
a time; added while it waits it stays once, added while it is worked on it comes again afterwards. Never: awaits,
tasks, a clock.
"""

import heapq
from collections import deque
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Backlog(Generic[K]):
    """Keys ready, keys due later, keys taken."""

    def __init__(self) -> None:
        self._ready: deque[K] = deque()
        self._waiting: set[K] = set()
        self._taken: set[K] = set()
        self._again: set[K] = set()
        self._due: dict[K, float] = {}
        self._heap: list[tuple[float, int, K]] = []
        self._count = 0

    def __len__(self) -> int:
        """How many keys are ready."""
        return len(self._ready)

    @property
    def later(self) -> int:
        return len(self._due)

    @property
    def taken(self) -> int:
        return len(self._taken)

    @property
    def idle(self) -> bool:
        """Whether nothing is ready, taken or due."""
        return not (self._ready or self._taken or self._due)

    def add(self, key: K) -> None:
        if key in self._taken:
            self._again.add(key)
        elif key not in self._waiting:
            self._waiting.add(key)
            self._ready.append(key)

    def add_at(self, key: K, when: float) -> None:
        """Add it at a time; of several times the earliest counts."""
        known = self._due.get(key)
        if known is None or when < known:
            self._due[key] = when
            self._count += 1
            heapq.heappush(self._heap, (when, self._count, key))

    def promote(self, now: float) -> None:
        """Make ready what is due."""
        while self._heap and (self._heap[0][0] <= now or self._stale()):
            when, _, key = heapq.heappop(self._heap)
            if self._due.get(key) == when:
                del self._due[key]
                self.add(key)

    def _stale(self) -> bool:
        when, _, key = self._heap[0]
        return self._due.get(key) != when

    def next_due(self) -> float | None:
        while self._heap and self._stale():
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def take(self) -> K | None:
        """Give a ready key to a worker."""
        if not self._ready:
            return None
        key = self._ready.popleft()
        self._waiting.discard(key)
        self._taken.add(key)
        return key

    def done(self, key: K) -> None:
        """The worker is through with it."""
        self._taken.discard(key)
        if key in self._again:
            self._again.discard(key)
            self.add(key)
