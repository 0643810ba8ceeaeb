"""How long passes took, how many failed, and what was told, for each object that exists."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import accumulate
from time import monotonic
from typing import TypeVar

from services.rollout_manager.measures.lines import Lines, who
from services.rollout_manager.objects import Watch
from shared.kube import EventType, Key, LiveObject
from shared.telemetry.metrics import sample

K = TypeVar("K", bound=tuple[str, str])
BOUNDS = (0.01, 0.15, 0.25, 0.5, 1.0)


@dataclass(slots=True)
class Took:
    """`counts` by the smallest bound that holds the time; the last one: above all."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    total: float = 0.0
    errors: int = 0
    told: Counter[tuple[str, str]] = field(default_factory=Counter)
    lines: Lines | None = None

    def add(self, seconds: float) -> None:
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.total += seconds

    def render(self, key: Key, name: str) -> Lines:
        """The samples, by the families of `of_passes`."""
        own, histogram = who(key), f"{name}_reconcile"
        counts = zip((*map(str, BOUNDS), "+Inf"), accumulate(self.counts), strict=True)
        buckets = (sample(f"{histogram}_bucket", {**own, "le": bound}, count) for bound, count in counts)
        sums = (sample(f"{histogram}_sum", own, self.total), sample(f"{histogram}_count", own, sum(self.counts)))
        told = (
            sample("rollout_events_total", {**own, "type": type_, "reason": reason}, count)
            for (type_, reason), count in self.told.items()
        )
        events = ("".join(told),) if name == "rollout" else ()
        return "".join((*buckets, *sums)), sample(f"{histogram}_error", own, self.errors), *events


class Passes:
    """Those of one kind; forgotten with their object."""

    def __init__(self, watch: Watch, name: str) -> None:
        self.watch = watch
        self.name = name
        self.known: dict[Key, Took] = {}
        watch.listeners.append(self._hear)

    def rendered(self) -> list[Lines]:
        """The lines of each object; made again where something was counted since."""
        for key, took in self.known.items():
            took.lines = took.lines or took.render(key, self.name)
        return [took.lines for took in self.known.values() if took.lines]

    def timed(self, handler: Callable[[K], Awaitable[float | None]]) -> Callable[[K], Awaitable[float | None]]:
        """The handler, with its passes counted."""

        async def run(key: K) -> float | None:
            began = monotonic()
            try:
                return await handler(key)
            except Exception:
                self._count_error(Key(*key))
                raise
            finally:
                if took := self._of(Key(*key)):
                    took.add(monotonic() - began)

        return run

    def tell(self, key: Key, type_: str, reason: str) -> None:
        """Count an Event."""
        if took := self._of(key):
            took.told[type_, reason] += 1

    def _count_error(self, key: Key) -> None:
        if took := self._of(key):
            took.errors += 1

    def _of(self, key: Key) -> Took | None:
        """Its counts, to be counted up."""
        if key not in self.watch.store:
            return None
        took = self.known.setdefault(key, Took())
        took.lines = None
        return took

    def _hear(self, type_: EventType, key: Key, _obj: LiveObject, _old: LiveObject | None) -> None:
        if type_ is EventType.DELETED:
            self.known.pop(key, None)
