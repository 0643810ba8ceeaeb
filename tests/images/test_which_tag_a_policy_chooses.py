"""Every strategy, with the examples that were read from Argo CD Image Updater's code, and what it refuses or drops."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from services.image_updater.answers import ask, is_older
from services.image_updater.choosing import Choice, aged, choose, next_due
from services.image_updater.policy import CALVER, Policy, Strategy
from shared.engines.client import Engines
from shared.events import Tag

NOW = datetime(2026, 6, 1, tzinfo=UTC)


async def chosen(engines: Engines, policy: Policy, tags: str, created: Mapping[str, datetime] | None = None) -> Choice:
    listed = [Tag(name=name, created=(created or {}).get(name)) for name in tags.split()]
    return choose(policy, listed, await ask(engines, policy, [tag.name for tag in listed]), NOW)


SEMVER = [
    ("1.20.0 1.20.5 1.21.0", "1.20", "1.20.5"),
    ("1.20.0 1.20.5 1.21.0", "1.20.0", "1.20.0"),
    ("1.0.0 1.1.0-rc1", "", "1.0.0"),
    ("1.0.0 1.1.0-rc1", ">=1.0.0-0", "1.1.0-rc1"),
    ("v2.0 v2.0.0", "", "v2.0.0"),
    ("latest main abc", "", ""),
    ("1.9 1.10", "", "1.10"),
    ("1.2.0 1.4.0 1.5.0", "1.2 - 1.4.5", "1.4.0"),
    ("1.2.0 1.4.0 1.5.0", "1.2-1.4.5", "1.2.0"),
    ("0.2.9 0.3.0", "^0.2", "0.2.9"),
    ("0.0.3 0.0.4", "^0.0.3", "0.0.3"),
    ("1.4.0", "", "1.4.0"),
    ("1.0.0 1.5.0 2.0.0 3.0.0", ">=1 <2 || >=3", "3.0.0"),
    ("1.0.0 1.5.0 2.0.0", "~1", "1.5.0"),
    ("1.0.0 1.5.0 2.0.0", "1.x", "1.5.0"),
    ("01.02.03 1.2.2", "", "01.02.03"),
]


@pytest.mark.parametrize(("tags", "constraint", "expected"), SEMVER)
async def test_semver(engines: Engines, tags: str, constraint: str, expected: str) -> None:
    choice = await chosen(engines, Policy(constraint=constraint), tags)
    assert (choice.winner, choice.problem) == (expected, "")


async def test_a_constraint_that_is_none_is_an_error(engines: Engines) -> None:
    choice = await chosen(engines, Policy(constraint="latest"), "1.0.0 latest")
    assert choice.winner == ""
    assert "ConstraintInvalid" in choice.problem


async def test_a_bomb_of_a_constraint_is_an_error(engines: Engines) -> None:
    choice = await chosen(engines, Policy(constraint=" || ".join(["1.x"] * 5000)), "1.0.0")
    assert "at most 1000" in choice.problem


OTHERS = [
    (Policy(Strategy.ALPHABETICAL), "1.9 1.10", "1.9"),
    (Policy(Strategy.ALPHABETICAL, constraint="ignored"), "b a", "b"),
    (Policy(Strategy.DIGEST, constraint="stable"), "latest stable", "stable"),
    (Policy(Strategy.DIGEST, constraint="stable"), "latest", ""),
    (Policy(Strategy.CALVER, pattern=CALVER), "2024.9.1 2024.10.1 latest 2023.12.31", "2024.10.1"),
    (Policy(Strategy.CALVER, pattern=CALVER), "2024.10.1 2024.10.1-2 2024.10.1-10", "2024.10.1-10"),
    (Policy(Strategy.CALVER, pattern=CALVER), "24.04 24.10 22.04", "24.10"),
    (Policy(Strategy.NUMERICAL, pattern=r"^main-.-(?P<n>\d+)$", extract="$n"), "main-a-9 main-b-10 x-9", "main-b-10"),
    (Policy(Strategy.NUMERICAL, pattern=r"^(\d+)-(\d+)$", extract="$2.$1"), "1-2 2-1 0-2", "1-2"),
    (Policy(Strategy.NUMERICAL, pattern=r"\d+$"), "b8 b11 b9", "b11"),
    (Policy(allow="regexp:^1\\."), "1.0.0 2.0.0", "1.0.0"),
    (Policy(allow="any"), "1.0.0 2.0.0", "2.0.0"),
    (Policy(allow="regexp:("), "1.0.0 2.0.0", ""),
    (Policy(allow="regexp:(a+)+$"), "a1 " + "a" * 100 + "!", ""),
    (Policy(allow="2.0.0"), "1.0.0 2.0.0", ""),
    (Policy(ignore=("2.*",)), "1.0.0 2.0.0", "1.0.0"),
    (Policy(ignore=("[",)), "1.0.0 2.0.0", "2.0.0"),
    (Policy(Strategy.ALPHABETICAL, ignore=("*-{rc,beta}", "latest")), "a latest b-{rc,beta} a-rc", "a-rc"),
]  # fmt: skip


@pytest.mark.parametrize(("policy", "tags", "expected"), OTHERS)
async def test_other_strategies_and_rules(engines: Engines, policy: Policy, tags: str, expected: str) -> None:
    choice = await chosen(engines, policy, tags)
    assert choice.winner == expected
    assert set(choice.ranked) | set(choice.dropped) == set(tags.split())


async def test_the_newest_build_wins_and_equal_times_go_by_name(engines: Engines) -> None:
    created = {"a": NOW - timedelta(days=2), "b": NOW - timedelta(days=2), "c": NOW - timedelta(days=3)}
    choice = await chosen(engines, Policy(Strategy.NEWEST_BUILD, constraint="ignored"), "a b c unknown", created)
    assert choice.ranked == ("b", "a", "c")
    assert "unknown" in choice.dropped["unknown"]


async def test_a_date_in_the_future_wins_nothing(engines: Engines) -> None:
    created = {"evil": datetime(9999, 1, 1, tzinfo=UTC), "good": NOW}
    choice = await chosen(engines, Policy(Strategy.NEWEST_BUILD), "evil good", created)
    assert choice.winner == "good"
    assert "future (9999-01-01)" in choice.dropped["evil"]


async def test_every_tag_that_lost_has_a_reason(engines: Engines) -> None:
    policy = Policy(constraint="~1", allow="regexp:^[0-9]", ignore=("1.3.*",))
    choice = await chosen(engines, policy, "1.2.0 1.3.0 2.0.0 latest 9z")
    assert choice.ranked == ("1.2.0",)
    assert choice.why == "the highest version that satisfies '~1'"
    assert choice.dropped == {
        "1.3.0": "ignored by ignoreTags '1.3.*'",
        "2.0.0": "does not satisfy '~1'",
        "latest": "not allowed by allowTags 'regexp:^[0-9]'",
        "9z": "no semantic version",
    }


async def test_a_young_image_waits_until_it_has_its_age(engines: Engines) -> None:
    policy = Policy(minimum_age_seconds=3600)
    created = {"1.0.0": NOW - timedelta(days=1), "1.1.0": NOW - timedelta(minutes=10)}
    tags = [Tag(name=name, created=at) for name, at in created.items()] + [Tag(name="1.2.0")]
    first = await chosen(engines, policy, "1.0.0 1.1.0 1.2.0")
    choice = aged(first, policy, tags, NOW)
    assert choice.winner == "1.0.0"
    assert "younger than the minimum age" in choice.dropped["1.1.0"]
    assert "age is unknown" in choice.dropped["1.2.0"]
    assert next_due(choice, policy, tags, NOW) == 3000


OLDER = [
    (Policy(), "1.9.0", "1.10.0", True),
    (Policy(), "1.10.0", "1.9.0", False),
    (Policy(), "main", "1.9.0", False),
    (Policy(Strategy.ALPHABETICAL), "a", "b", True),
    (Policy(Strategy.CALVER, pattern=CALVER), "2024.9", "2024.10", True),
    (Policy(Strategy.NEWEST_BUILD), "old", "new", True),
    (Policy(Strategy.NEWEST_BUILD), "unknown", "new", False),
    (Policy(Strategy.DIGEST, constraint="a"), "a", "b", False),
]


@pytest.mark.parametrize(("policy", "one", "other", "older"), OLDER)
async def test_the_order_of_two_tags(engines: Engines, policy: Policy, one: str, other: str, older: bool) -> None:
    created = {"old": NOW - timedelta(days=1), "new": NOW}
    assert await is_older(engines, policy, one, other, created) is older


async def test_a_thousand_tags_are_two_calls_at_most_a_rule(engines: Engines) -> None:
    tags = " ".join(f"1.{minor}.{patch}" for minor in range(100) for patch in range(10))
    choice = await chosen(engines, Policy(constraint="<1.50", allow="regexp:^1"), tags)
    assert choice.winner == "1.49.9"
