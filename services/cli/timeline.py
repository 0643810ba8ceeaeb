"""The way of a change as lines for a terminal: each step with its time since the push, and a bar that shows where
the time went. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass

_BAR = 36


@dataclass(frozen=True)
class Step:
    """One step: when it was done (ms since the epoch), who says so, what happened."""

    at_ms: int
    part: str
    what: str
    detail: str = ""
    took_ms: int | None = None


def ordered(steps: Sequence[Step]) -> list[Step]:
    """By time; steps of the same millisecond keep the order of the stream."""
    return sorted(steps, key=lambda step: step.at_ms)


def lines(steps: Sequence[Step], *, width: int = 120) -> list[str]:
    if not steps:
        return []
    steps = ordered(steps)
    start, end = steps[0].at_ms, steps[-1].at_ms
    part, what = (max(len(getattr(step, field)) for step in steps) for field in ("part", "what"))
    rows, before, digits = [], start, max(7, len(str(end - start)))
    for step in steps:
        drawn = bar(before - start, step.at_ms - start, end - start)
        said = f"{step.part:<{part}}  {step.what:<{what}}  {step.detail}"
        rows.append(f"{step.at_ms - start:>{digits}} ms  {drawn}  {said}".rstrip()[:width])
        before = step.at_ms
    return rows


def bar(begin: int, finish: int, whole: int, *, cells: int = _BAR) -> str:
    """A span of the whole: blanks before it, a line along it, a dot where it ends."""
    if whole <= 0:
        return "●".ljust(cells)
    left, right = (min(cells - 1, round(value * (cells - 1) / whole)) for value in (begin, finish))
    return (" " * left + "━" * (right - left) + "●").ljust(cells)


def total(steps: Sequence[Step]) -> int:
    return max(step.at_ms for step in steps) - min(step.at_ms for step in steps) if steps else 0
