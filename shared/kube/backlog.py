"""Which key is worked on next: the pure half of the work queue, with time as a parameter.

In: keys, now or later; what a worker has taken and finished. Out: the next key. A key is worked on by one worker at
a time; added while it waits it stays once, added while it is worked on it comes again afterwards. Keys stand in
lanes, which take turns; at most `most` keys of a lane are worked on at a time, so a lane that is stuck holds up no
other. Never: awaits, tasks, a clock.
"""

import heapq
from collections import Counter, deque
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Backlog(Generic[K]):
    """Keys ready, keys due later, keys taken. `most` None: no limit."""

    def __init__(self, lane: Callable[[K], Hashable] | None = None, most: int | None = None) -> None:
        self.most = most
        self._lane = lane or _only_lane
        self._ready: dict[Hashable, deque[K]] = {}
        self._turns: deque[Hashable] = deque()
        self._listed: set[Hashable] = set()
        self._busy: Counter[Hashable] = Counter()
        self._waiting: set[K] = set()
        self._taken: dict[K, Hashable] = {}
        self._again: set[K] = set()
        self._due: dict[K, float] = {}
        self._heap: list[tuple[float, int, K]] = []
        self._count = 0

    def __len__(self) -> int:
        """How many keys are ready."""
        return len(self._waiting)

    @property
    def later(self) -> int:
        return len(self._due)

    @property
    def taken(self) -> int:
        return len(self._taken)

    @property
    def idle(self) -> bool:
        """Whether nothing is ready, taken or due."""
        return not (self._waiting or self._taken or self._due)

    def add(self, key: K) -> None:
        if key in self._taken:
            self._again.add(key)
        elif key not in self._waiting:
            self._waiting.add(key)
            lane = self._lane(key)
            self._ready.setdefault(lane, deque()).append(key)
            self._list(lane)

    def _list(self, lane: Hashable) -> None:
        """Give a lane a turn, if it has keys and room."""
        free = self.most is None or self._busy[lane] < self.most
        if free and lane in self._ready and lane not in self._listed:
            self._listed.add(lane)
            self._turns.append(lane)

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
        """Give a ready key to a worker; None when no lane has both a key and room."""
        if not self._turns:
            return None
        lane = self._turns.popleft()
        self._listed.discard(lane)
        keys = self._ready[lane]
        key = keys.popleft()
        if not keys:
            del self._ready[lane]
        self._waiting.discard(key)
        self._taken[key] = lane
        self._busy[lane] += 1
        self._list(lane)
        return key

    def done(self, key: K) -> None:
        """The worker is through with it."""
        lane = self._taken.pop(key)
        self._busy[lane] -= 1
        if not self._busy[lane]:
            del self._busy[lane]
        self._list(lane)
        if key in self._again:
            self._again.discard(key)
            self.add(key)


def _only_lane(_key: object) -> None:
    return None
