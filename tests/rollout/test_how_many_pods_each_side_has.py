"""The arithmetic of canaries: tables of what the split of pods, one move towards it, and a router's canary come to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.rollout_manager.observed import ReplicaSet
from services.rollout_manager.replicas import Bounds, Goal, Sides, basic, bounds, first, portion, split

# replicas, weight, surge -> canary, stable
SPLITS = [
    (10, 10, 1, 1, 9),
    (10, 30, 0, 3, 7),
    (10, 0, 1, 0, 10),
    (10, 100, 1, 10, 0),
    (10, 1, 0, 1, 9),
    (10, 99, 0, 9, 1),
    (10, 5, 1, 1, 10),
    (10, 95, 1, 10, 1),
    (3, 50, 0, 2, 1),
    (3, 50, 1, 2, 2),
    (1, 5, 1, 1, 1),
    (1, 95, 1, 1, 1),
    (1, 5, 0, 0, 1),
    (1, 50, 0, 1, 0),
    (1, 95, 0, 1, 0),
    (2, 1, 0, 1, 1),
    (2, 99, 0, 1, 1),
    (5, 20, 2, 1, 4),
    (5, 25, 0, 1, 4),
    (5, 70, 1, 4, 2),
    (0, 50, 1, 0, 0),
    (2**31 - 1, 99, 0, 2126008811, 21474836),
]


@pytest.mark.parametrize(("replicas", "weight", "surge", "canary", "stable"), SPLITS)
def test_pods_are_split_as_near_to_the_weight_as_they_can(
    replicas: int, weight: int, surge: int, canary: int, stable: int
) -> None:
    assert split(replicas, weight, 100, surge) == (canary, stable)


@given(st.integers(2, 500), st.integers(0, 100), st.integers(0, 3))
def test_neither_side_is_without_a_pod_between_the_ends(replicas: int, weight: int, surge: int) -> None:
    canary, stable = split(replicas, weight, 100, surge)
    assert replicas <= canary + stable <= replicas + min(surge, 1)
    assert (canary == 0) == (weight == 0)
    assert (stable == 0) == (weight == 100)


BOUNDS = [
    (10, None, None, 3, 2),
    (10, "25%", "25%", 3, 2),
    (10, "25", 1, 3, 1),
    (10, 0, 0, 0, 1),
    (1, "0%", "0%", 0, 1),
    (1, None, None, 1, 0),
    (3, "50%", "50%", 2, 1),
]


@pytest.mark.parametrize(("replicas", "surge", "unavailable", "most", "fewest"), BOUNDS)
def test_surge_rounds_up_and_unavailable_down(
    replicas: int, surge: int | str | None, unavailable: int | str | None, most: int, fewest: int
) -> None:
    assert bounds(replicas, surge, unavailable) == Bounds(most, fewest)


def one(name: str, desired: int, available: int | None = None) -> ReplicaSet:
    return ReplicaSet(name, name, desired=desired, available=desired if available is None else available)


# replicas, surge, unavailable, goal (new, stable), new, stable, old -> new, stable, old
MOVES = [
    ("more canary while there is room", 10, 1, 1, (1, 9), (0, 0), (10, 10), None, (1, 9, None)),
    (
        "the stable side goes only as far as availability allows",
        10,
        3,
        0,
        (3, 7),
        (0, 0),
        (10, 10),
        None,
        (3, 10, None),
    ),
    ("no surge: the stable side makes room first", 10, 0, 5, (3, 7), (0, 0), (10, 10), None, (0, 7, None)),
    ("the stable side grows before the canary", 10, 1, 0, (5, 6), (4, 4), (5, 5), None, (5, 6, None)),
    ("an abort waits for the stable side", 10, 1, 1, (0, 10), (5, 5), (5, 5), None, (4, 6, None)),
    ("old pods go before any other", 10, 1, 1, (1, 9), (1, 1), (9, 9), (2, 2), (1, 9, 0)),
    ("old pods go within the bound", 10, 0, 1, (1, 9), (1, 0), (6, 6), (4, 4), (1, 6, 3)),
    ("broken old pods cost nothing", 10, 0, 0, (10, 0), (5, 5), (0, 0), (4, 0), (6, 0, 0)),
    ("broken stable pods cost nothing", 10, 2, 0, (10, 0), (2, 2), (10, 0), None, (2, 0, None)),
    ("one pod is replaced with a surge", 1, 1, 0, (1, 0), (1, 0), (1, 1), None, (1, 1, None)),
    ("one pod is replaced without a surge", 1, 0, 1, (1, 0), (0, 0), (1, 1), None, (0, 0, None)),
    ("one broken pod stays until others take its place", 7, 0, 1, (7, 0), (0, 0), (7, 0), None, (0, 1, None)),
    ("fewer replicas: both sides shrink", 4, 1, 1, (2, 2), (5, 5), (5, 5), None, (2, 2, None)),
]


@pytest.mark.parametrize(("why", "replicas", "surge", "unavailable", "goal", "new", "stable", "old", "expected"), MOVES)
def test_one_move_keeps_the_bounds(  # noqa: PLR0917
    why: str,
    replicas: int,
    surge: int,
    unavailable: int,
    goal: tuple[int, int],
    new: tuple[int, int],
    stable: tuple[int, int],
    old: tuple[int, int] | None,
    expected: tuple[int, int, int | None],
) -> None:
    sides = Sides(Goal(*goal), one("new", *new), one("stable", *stable))
    others = [one("old", *old)] if old else []
    counts = basic(replicas, Bounds(surge, unavailable), sides, others)
    assert (counts["new"], counts["stable"], counts.get("old")) == expected, why


@given(
    st.integers(1, 50),
    st.integers(0, 5),
    st.integers(0, 5),
    st.integers(0, 100),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=2, max_size=4),
)
def test_no_move_breaks_a_bound(
    replicas: int, surge: int, unavailable: int, weight: int, sizes: list[tuple[int, int]]
) -> None:
    limits = bounds(replicas, surge, unavailable)
    sets = [one(f"rs{number}", max(size), min(size)) for number, size in enumerate(sizes)]
    sides = Sides(Goal(*split(replicas, weight, 100, limits.surge)), sets[0], sets[1])
    counts = basic(replicas, limits, sides, sets[2:])
    before, after = sum(each.desired for each in sets), sum(counts.values())
    assert after <= max(before, replicas + limits.surge)
    available = sum(each.available for each in sets)
    left = sum(min(each.available, counts[each.name]) for each in sets)
    assert left >= min(available, replicas - limits.unavailable)


def test_a_routers_canary_rounds_up_and_a_new_replica_set_begins_with_what_fits() -> None:
    assert [portion(10, weight, 100) for weight in (0, 1, 10, 11, 99, 100)] == [0, 1, 1, 2, 10, 10]
    assert portion(5, 1, 1000) == 1
    assert first(10, Bounds(1, 1), Goal(3, 7), [one("stable", 10)]) == 1
    assert first(10, Bounds(0, 1), Goal(3, 7), [one("stable", 10)]) == 0
