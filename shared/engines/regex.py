"""RE2 regular expressions: Go's syntax, and time that grows only with the text. Reason: PatternInvalid."""

from collections.abc import Sequence
from typing import NamedTuple

from shared.engines.client import Engines


class Match(NamedTuple):
    """A first match: the groups (0 is the whole) and those with names; None for one that took no part."""

    groups: tuple[str | None, ...]
    named: dict[str, str | None]


async def matches(engines: Engines, pattern: str, texts: Sequence[str]) -> list[bool]:
    """Does the pattern match anywhere in each text?"""
    found: list[bool] = await engines.call("regex.match", {"pattern": pattern, "texts": list(texts)})
    return found


async def first(engines: Engines, pattern: str, texts: Sequence[str]) -> list[Match | None]:
    """The first match in each text."""
    found = await engines.call("regex.find", {"pattern": pattern, "texts": list(texts)})
    names = found["names"]
    return [_match(names, groups) if groups else None for groups in found["groups"]]


async def replaced(engines: Engines, pattern: str, replacement: str, texts: Sequence[str]) -> list[str]:
    """Every match replaced; `$1` and `${name}` stand for groups."""
    args = {"pattern": pattern, "texts": list(texts), "replacement": replacement}
    found: list[str] = await engines.call("regex.replace", args)
    return found


def _match(names: Sequence[str], groups: Sequence[str | None]) -> Match:
    return Match(tuple(groups), {name: group for name, group in zip(names, groups, strict=True) if name})
