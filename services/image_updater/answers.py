"""Asks the engines what a policy needs to know of tags: one call for each rule, whatever the number of tags.

A rule that can't be read is an answer too (`problem`), never an exception; an engine that dies is one.
"""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import datetime

from services.image_updater.choosing import Answers, sort_key
from services.image_updater.policy import Policy, Strategy
from shared.engines import regex, semver
from shared.engines.client import Engines
from shared.engines.errors import EngineError, EngineFailure
from shared.engines.regex import Match

LONGEST_CONSTRAINT = 1000
LONGEST_PATTERN = 1000
MOST_KEPT = 200
REGEXP = "regexp:"
NOBODY: Mapping[str, datetime | None] = {}
_GROUP = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


class Asked:
    """Answers shared by all who have the same policy for the same tags: three hundred Applications cost one call."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines
        self._known: OrderedDict[tuple[Policy, tuple[str, ...]], asyncio.Future[Answers]] = OrderedDict()

    async def ask(self, policy: Policy, tags: Sequence[str]) -> Answers:
        name = (policy, tuple(tags))
        future = self._known.get(name)
        if future is None:
            future = self._known[name] = asyncio.ensure_future(ask(self._engines, policy, tags))
            while len(self._known) > MOST_KEPT:
                self._known.popitem(last=False)
        try:
            return await asyncio.shield(future)
        except EngineFailure:
            self._known.pop(name, None)
            raise


async def ask(engines: Engines, policy: Policy, tags: Sequence[str]) -> Answers:
    allowed, allow_problem = await _allowed(engines, policy.allow, tags)
    answers = Answers(allowed=allowed, allow_problem=allow_problem)
    try:
        if policy.strategy is Strategy.SEMVER:
            return await _versions(engines, policy, tags, answers)
        if policy.strategy in (Strategy.NUMERICAL, Strategy.CALVER):
            return answers._replace(groups=await _groups(engines, policy, tags))
    except EngineError as error:
        return answers._replace(problem=f"{error.reason}: {error.message}")
    return answers


async def _allowed(engines: Engines, rule: str, tags: Sequence[str]) -> tuple[frozenset[str] | None, str]:
    rule = rule.strip()
    if rule in ("", "any"):
        return None, ""
    if not rule.startswith(REGEXP):
        return frozenset(), f"{rule[:100]!r} is neither 'any' nor 'regexp:...'"
    if len(rule) > LONGEST_PATTERN:
        return frozenset(), f"the expression has {len(rule)} characters, at most {LONGEST_PATTERN} are read"
    try:
        found = await regex.matches(engines, rule.removeprefix(REGEXP), tags)
    except EngineError as error:
        return frozenset(), error.message
    return frozenset(tag for tag, fits in zip(tags, found, strict=True) if fits), ""


async def _versions(engines: Engines, policy: Policy, tags: Sequence[str], answers: Answers) -> Answers:
    if len(policy.constraint) > LONGEST_CONSTRAINT:
        problem = f"the constraint has {len(policy.constraint)} characters, at most {LONGEST_CONSTRAINT} are read"
        return answers._replace(problem=f"ConstraintInvalid: {problem}")
    satisfying = await semver.matching(engines, policy.constraint or "*", tags)
    readable = await semver.ordered(engines, tags)
    return answers._replace(versions=tuple(satisfying), readable=frozenset(readable))


async def _groups(engines: Engines, policy: Policy, tags: Sequence[str]) -> dict[str, tuple[str, ...]]:
    found = await regex.first(engines, policy.pattern[:LONGEST_PATTERN], tags)
    return {tag: extracted(match, policy.extract) for tag, match in zip(tags, found, strict=True) if match is not None}


def extracted(match: Match, extract: str) -> tuple[str, ...]:
    """The groups that `extract` names (`$year.$month`); without one all groups, and without groups the whole match."""
    names = [braced or bare for braced, bare in _GROUP.findall(extract)]
    if not names:
        return tuple(group or "" for group in match.groups[1:] or match.groups)
    return tuple(_group(match, name) for name in names)


def _group(match: Match, name: str) -> str:
    if name.isdecimal():
        return (match.groups[int(name)] or "") if int(name) < len(match.groups) else ""
    return match.named.get(name) or ""


async def is_older(
    engines: Engines, policy: Policy, one: str, other: str, created: Mapping[str, datetime | None] = NOBODY
) -> bool:
    """Whether a tag comes before another in the order of the policy; False where that can't be said."""
    if one == other or not one or not other:
        return False
    match policy.strategy:
        case Strategy.SEMVER:
            return await semver.ordered(engines, [one, other]) == [one, other]
        case Strategy.ALPHABETICAL:
            return one < other
        case Strategy.NUMERICAL | Strategy.CALVER:
            found = await _groups(engines, policy, [one, other])
            return len(found) == 2 and sort_key(found[one]) < sort_key(found[other])
        case Strategy.NEWEST_BUILD:
            first, second = created.get(one), created.get(other)
            return first is not None and second is not None and first < second
        case Strategy.DIGEST:
            return False
