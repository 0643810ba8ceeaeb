"""Figures: percentiles and spreads of what was measured. Pure."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """Seconds: the median, the 95th percentile, the extremes, and how many were measured."""

    p50: float
    p95: float
    least: float
    most: float
    count: int

    def __str__(self) -> str:
        extremes = f"{seconds(self.least)} to {seconds(self.most)}"
        return f"p50 {seconds(self.p50)}, p95 {seconds(self.p95)} ({extremes}, n={self.count})"


def spread(values: Sequence[float]) -> Spread:
    ordered = sorted(values)
    return Spread(statistics.median(ordered), rank(ordered, 0.95), ordered[0], ordered[-1], len(ordered))


def rank(ordered: Sequence[float], share: float) -> float:
    """The nearest-rank percentile of sorted values."""
    return ordered[max(0, math.ceil(round(share * len(ordered), 9)) - 1)]


def seconds(value: float) -> str:
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s"
