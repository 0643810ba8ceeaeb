"""Semantic versions: order, constraints, what is no version, agreement with a plain reading of the specification."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.engines import semver
from shared.engines.client import Engines
from shared.engines.errors import EngineError

TAGS = ["latest", "1.0.0", "1.1.0-rc1", "1.1.0", "v1.2.0", "1.2.5", "1.10.0", "2.0.0", "2.1.0-beta.2", "0.2.9", "0.3.0"]


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        ("*", "2.0.0"),
        ("1.x", "1.10.0"),
        ("1.2", "1.2.5"),
        ("1.2.0", "v1.2.0"),
        ("~1.2.0", "1.2.5"),
        ("^1.1", "1.10.0"),
        ("^0.2", "0.2.9"),
        (">=1.1.0-0 <1.1.1", "1.1.0"),
        (">2.0.0-0", "2.1.0-beta.2"),
        ("1.0 - 1.2", "1.2.5"),
        ("1.0.0 || 0.x", "1.0.0"),
        ("!=2.0.0, >=1", "1.10.0"),
        ("=1.0.0", "1.0.0"),
        (">3", None),
    ],
)
async def test_the_best_version(engines: Engines, constraint: str, expected: str | None) -> None:
    assert await semver.best(engines, constraint, TAGS) == expected


async def test_prereleases_only_when_asked(engines: Engines) -> None:
    assert await semver.best(engines, "^2", TAGS) == "2.0.0"
    assert await semver.best(engines, "^2", TAGS, prereleases=True) == "2.1.0-beta.2"
    assert await semver.best(engines, "~1.1.0-0", ["1.1.0-rc1"]) == "1.1.0-rc1"


async def test_equal_versions_are_ordered_by_their_text(engines: Engines) -> None:
    assert await semver.ordered(engines, ["v2.0.0", "2.0", "v2.0", "2.0.0"]) == ["2.0", "2.0.0", "v2.0", "v2.0.0"]
    assert await semver.best(engines, "*", ["v2.0.0", "v2.0"]) == "v2.0.0"


async def test_strictly_only_full_versions_count(engines: Engines) -> None:
    assert await semver.ordered(engines, ["1.2", "v1.2.3", "1.2.3", "01.2.3"], strict=True) == ["1.2.3"]


async def test_parts(engines: Engines) -> None:
    found = await semver.parse(engines, ["v1.2.3-rc.1+build", "4", "x"])
    assert found == [semver.Version(1, 2, 3, "rc.1", "build"), semver.Version(4, 0, 0, "", ""), None]


@pytest.mark.parametrize("constraint", ["", "latest", ">>1", "1.2.3.4", "^", "a.b", "1.2 -"])
async def test_a_bad_constraint_is_named(engines: Engines, constraint: str) -> None:
    with pytest.raises(EngineError, match="no version constraint") as caught:
        await semver.best(engines, constraint, TAGS)
    assert caught.value.reason == "ConstraintInvalid"


Numbers = tuple[int, int, int]
Parsed = tuple[Numbers, list[str]]
NUMBERS = st.tuples(*[st.integers(0, 30)] * 3)
IDENTIFIERS = st.lists(st.integers(0, 20).map(str) | st.sampled_from(["a", "b", "rc", "x-y"]), max_size=3)


def text(version: Parsed) -> str:
    numbers, identifiers = version
    return ".".join(map(str, numbers)) + ("-" + ".".join(identifiers) if identifiers else "")


def rank(version: Parsed) -> tuple[object, ...]:
    numbers, identifiers = version
    parts = [(0, int(each), "") if each.isdigit() else (1, 0, each) for each in identifiers]
    return (numbers, not identifiers, parts)


VERSIONS = st.lists(st.tuples(NUMBERS, IDENTIFIERS), min_size=1, max_size=40, unique_by=text)


@settings(max_examples=120, deadline=None)
@given(versions=VERSIONS)
async def test_order_is_that_of_the_specification(engines: Engines, versions: list[Parsed]) -> None:
    expected = [text(each) for each in sorted(versions, key=rank)]
    assert await semver.ordered(engines, [text(each) for each in versions]) == expected


@settings(max_examples=80, deadline=None)
@given(versions=st.lists(NUMBERS, min_size=1, max_size=40), low=NUMBERS, high=NUMBERS)
async def test_ranges_are_comparisons(engines: Engines, versions: list[Numbers], low: Numbers, high: Numbers) -> None:
    dotted = [".".join(map(str, each)) for each in versions]
    first, last = ".".join(map(str, low)), ".".join(map(str, high))
    assert await semver.satisfied(engines, f">={first} <{last}", dotted) == [low <= each < high for each in versions]
    if low != (0, 0, 0):  # `~0.0.0` means everything
        expected = [low <= each < (low[0], low[1] + 1, 0) for each in versions]
        assert await semver.satisfied(engines, f"~{first}", dotted) == expected


@settings(max_examples=60, deadline=None)
@given(versions=st.lists(NUMBERS, min_size=1, max_size=40))
async def test_the_best_is_the_last_that_matches(engines: Engines, versions: list[Numbers]) -> None:
    dotted = [".".join(map(str, each)) for each in versions]
    found = await semver.matching(engines, ">=1", dotted)
    assert await semver.best(engines, ">=1", dotted) == (found[-1] if found else None)
    numbers = [tuple(map(int, each.split("."))) for each in found]
    assert all(before <= after for before, after in pairwise(numbers))
