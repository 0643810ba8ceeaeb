"""How many pods the canary and the stable ReplicaSet should have, and how far one may go now. Pure arithmetic.

`split` and `routed` are the goal; `basic` is one move towards it for Rollouts without traffic routing: never more pods
than replicas + surge because of a scale-up, never fewer available ones than replicas - unavailable because of a
scale-down. Pods that are not available cost nothing to take away: a broken ReplicaSet holds nothing up.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from services.rollout_manager.observed import ReplicaSet


@dataclass(frozen=True)
class Bounds:
    """Counts, not percentages."""

    surge: int
    unavailable: int


def bounds(replicas: int, surge: int | str | None, unavailable: int | str | None) -> Bounds:
    """25 % each by default; surge rounds up, unavailable down; both zero: one may be unavailable."""
    found = Bounds(
        share("25%" if surge is None else surge, replicas, up=True),
        share("25%" if unavailable is None else unavailable, replicas, up=False),
    )
    return Bounds(0, 1) if found == Bounds(0, 0) else found


def share(value: int | str, replicas: int, *, up: bool) -> int:
    """A count or a percentage of replicas. Raises ValueError."""
    if isinstance(value, int):
        return value
    text = value.strip()
    percent = int(text.removesuffix("%"))
    exact = Fraction(percent * replicas, 100)
    return math.ceil(exact) if up else math.floor(exact)


def portion(replicas: int, weight: int, most: int) -> int:
    """The pods that carry a weight, rounded up."""
    return -(-replicas * weight // most) if most > 0 else 0


def split(replicas: int, weight: int, most: int, surge: int) -> tuple[int, int]:
    """Canary and stable for a weight that pods alone make: the nearest pair of `replicas`, or of one more when a surge
    is allowed. Between the ends neither side is without a pod, but for the one pod that can't be split.
    """
    if replicas == 0:
        return 0, 0
    ends = weight in {0, most} or (replicas == 1 and surge == 0)
    exact = Fraction(replicas * weight, most)
    up, down = math.ceil(exact), math.floor(exact)
    totals = (replicas, replicas + 1) if surge > 0 else (replicas,)
    every = ((total, count) for total in totals for count in (up, down))
    options = [(total, count) for total, count in every if _allowed((count, total), weight, most, ends=ends)]
    wanted = Fraction(weight, most)
    total, canary = min(options, key=lambda one: (abs(Fraction(one[1], one[0]) - wanted), one[0], -one[1]))
    return canary, total - canary


def _allowed(option: tuple[int, int], weight: int, most: int, *, ends: bool) -> bool:
    count, total = option
    if weight in {0, most}:
        return (count == total) == (weight == most) and count in {0, total}
    return ends or 0 < count < total


@dataclass(frozen=True)
class Goal:
    """Where the two should end up; `stable` is None when there is no stable ReplicaSet beside the new one."""

    new: int
    stable: int | None


@dataclass(frozen=True)
class Sides:
    """The two ReplicaSets with what they should have."""

    goal: Goal
    new: ReplicaSet | None
    stable: ReplicaSet | None


def basic(replicas: int, limits: Bounds, sides: Sides, others: Sequence[ReplicaSet]) -> dict[str, int]:
    """The counts to set now, by name. A ReplicaSet that does not exist yet is not among them: see `first`."""
    goal, new, stable = sides.goal, sides.new, sides.stable
    counts = {one.name: one.desired for one in (*others, *filter(None, (new, stable)))}
    room = replicas + limits.surge - sum(counts.values())
    for one, wanted in ((stable, goal.stable), (new, goal.new)):
        if one is not None and wanted is not None and wanted > counts[one.name] and room > 0:
            added = min(wanted - counts[one.name], room)
            counts[one.name] += added
            room -= added
    sets = {one.name: one for one in (*others, *filter(None, (new, stable)))}
    spare = sum(min(one.available, one.desired) for one in sets.values()) - (replicas - limits.unavailable)
    for one, wanted in (*((other, 0) for other in others), (new, goal.new), (stable, goal.stable)):
        if one is not None and wanted is not None and wanted < one.desired:
            counts[one.name], spare = _down(one, wanted, spare)
    may_be_none = replicas <= limits.unavailable or any(counts.values())
    return counts if may_be_none else counts | _keep_one(sets.values())


def _keep_one(sets: Iterable[ReplicaSet]) -> dict[str, int]:
    """Where nothing is available and there is no room for more, one pod stays until others take its place."""
    most = max(sets, key=lambda one: one.desired, default=None)
    return {most.name: 1} if most is not None and most.desired else {}


def _down(one: ReplicaSet, wanted: int, spare: int) -> tuple[int, int]:
    """Take away what is not available first, then as many as can be spared."""
    available = min(one.available, one.desired)
    lowest = max(wanted, available - max(spare, 0))
    return lowest, spare - max(0, available - lowest)


def first(replicas: int, limits: Bounds, goal: Goal, others: Sequence[ReplicaSet]) -> int:
    """With how many pods a new ReplicaSet begins."""
    room = replicas + limits.surge - sum(one.desired for one in others)
    return max(0, min(goal.new, room))
