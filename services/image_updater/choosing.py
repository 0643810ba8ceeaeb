"""Which tag of a repository a policy chooses, and for every other tag the rule that dropped it. Pure.

In: the policy, the tags, and what the engines said of them (`answers`). Out: a `Choice`: the tags that are left, best
first, and why each of the others is not among them. Nothing left is no error: there is nothing to update then.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from services.image_updater import patterns
from services.image_updater.policy import Policy, Strategy
from shared.events import Tag

AHEAD = timedelta(days=1)  # the clocks of builders may be wrong; a date further ahead would win for ever
ANY = ("", "any")
SortKey = tuple[tuple[int, int, str], ...]


class Answers(NamedTuple):
    """What the engines said. `allowed` None: the rule allows everything; `versions` ascending, those that satisfy."""

    allowed: frozenset[str] | None = None
    allow_problem: str = ""
    versions: tuple[str, ...] = ()
    readable: frozenset[str] = frozenset()
    groups: Mapping[str, tuple[str, ...]] = {}
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """`ranked`: best first. `dropped`: the reason for each of the others. `why`: how the first was found."""

    ranked: tuple[str, ...] = ()
    dropped: Mapping[str, str] = field(default_factory=dict)
    why: str = ""
    problem: str = ""

    @property
    def winner(self) -> str:
        return self.ranked[0] if self.ranked else ""


def filtered(policy: Policy, tags: Iterable[str], answers: Answers) -> tuple[list[str], dict[str, str]]:
    """What the allow and ignore rules leave, and what they drop."""
    left, dropped = list[str](), dict[str, str]()
    for tag in tags:
        why = _refusal(policy, tag, answers)
        if why:
            dropped[tag] = why
        else:
            left.append(tag)
    return left, dropped


def _refusal(policy: Policy, tag: str, answers: Answers) -> str:
    if answers.allow_problem:
        return f"allowTags allows nothing: {answers.allow_problem}"
    if answers.allowed is not None and tag not in answers.allowed:
        return f"not allowed by allowTags {policy.allow!r}"
    ignoring = next((pattern for pattern in policy.ignore if patterns.matches(pattern, tag)), None)
    return "" if ignoring is None else f"ignored by ignoreTags {ignoring!r}"


def choose(policy: Policy, tags: Sequence[Tag], answers: Answers, now: datetime) -> Choice:
    left, dropped = filtered(policy, [tag.name for tag in tags], answers)
    if answers.problem:
        return Choice(dropped=dropped, problem=answers.problem)
    known = {tag.name: tag for tag in tags}
    rank = _RANKS[policy.strategy]
    ranked, why = rank(policy, [known[name] for name in left], answers, now, dropped)
    return Choice(tuple(ranked), dropped, why)


Rank = Callable[[Policy, list[Tag], Answers, datetime, dict[str, str]], tuple[list[str], str]]


def _semver(
    policy: Policy, tags: list[Tag], answers: Answers, _now: datetime, dropped: dict[str, str]
) -> tuple[list[str], str]:
    satisfying = set(answers.versions)
    for tag in tags:
        if tag.name not in answers.readable:
            dropped[tag.name] = "no semantic version"
        elif tag.name not in satisfying:
            dropped[tag.name] = _unsatisfied(policy)
    left = {tag.name for tag in tags}
    ranked = [name for name in reversed(answers.versions) if name in left]
    return ranked, f"the highest version that satisfies {policy.constraint or '*'!r}"


def _unsatisfied(policy: Policy) -> str:
    hint = "" if policy.constraint else "; without a constraint pre-releases don't count"
    return f"does not satisfy {policy.constraint or '*'!r}{hint}"


def _newest(
    _policy: Policy, tags: list[Tag], _answers: Answers, now: datetime, dropped: dict[str, str]
) -> tuple[list[str], str]:
    dated = list[Tag]()
    for tag in tags:
        if tag.created is None:
            dropped[tag.name] = tag.problem or "its date of creation is unknown, or it has no image for the platforms"
        elif tag.created > now + AHEAD:
            dropped[tag.name] = f"claims to be created in the future ({tag.created:%Y-%m-%d})"
        else:
            dated.append(tag)
    dated.sort(key=lambda tag: (tag.created, tag.name), reverse=True)
    return [tag.name for tag in dated], "the image that was created last"


def _alphabetical(
    _policy: Policy, tags: list[Tag], _answers: Answers, _now: datetime, _dropped: dict[str, str]
) -> tuple[list[str], str]:
    return sorted((tag.name for tag in tags), reverse=True), "the last in alphabetical order"


def _digest(
    policy: Policy, tags: list[Tag], _answers: Answers, _now: datetime, dropped: dict[str, str]
) -> tuple[list[str], str]:
    for tag in tags:
        if tag.name != policy.constraint:
            dropped[tag.name] = f"is not {policy.constraint!r}, the tag whose digest is followed"
    found = [tag.name for tag in tags if tag.name == policy.constraint]
    return found, f"what {policy.constraint!r} means now"


def _numbered(
    policy: Policy, tags: list[Tag], answers: Answers, _now: datetime, dropped: dict[str, str]
) -> tuple[list[str], str]:
    for tag in tags:
        if tag.name not in answers.groups:
            dropped[tag.name] = f"does not match {policy.pattern!r}"
    left = [tag.name for tag in tags if tag.name in answers.groups]
    left.sort(key=lambda name: (sort_key(answers.groups[name]), name), reverse=True)
    return left, f"the highest by {policy.extract or 'the groups'} of {policy.pattern!r}"


def sort_key(groups: Iterable[str]) -> SortKey:
    """Numbers by their value and before texts; a group that took no part comes first."""
    return tuple((1, int(group), "") if group.isdecimal() else (2 if group else 0, 0, group) for group in groups)


_RANKS: Mapping[Strategy, Rank] = {
    Strategy.SEMVER: _semver,
    Strategy.NEWEST_BUILD: _newest,
    Strategy.ALPHABETICAL: _alphabetical,
    Strategy.DIGEST: _digest,
    Strategy.NUMERICAL: _numbered,
    Strategy.CALVER: _numbered,
}


def aged(choice: Choice, policy: Policy, tags: Iterable[Tag], now: datetime) -> Choice:
    """Without those that are younger than the minimum age, or whose age nobody knows."""
    if not policy.minimum_age_seconds:
        return choice
    created = {tag.name: tag.created for tag in tags}
    dropped, left = dict(choice.dropped), list[str]()
    for name in choice.ranked:
        at = created.get(name)
        if at is None:
            dropped[name] = "its age is unknown, and a minimum age is asked for"
        elif (now - at).total_seconds() < policy.minimum_age_seconds:
            dropped[name] = f"younger than the minimum age ({policy.minimum_age_seconds:.0f} s)"
        else:
            left.append(name)
    return Choice(tuple(left), dropped, choice.why, choice.problem)


def next_due(choice: Choice, policy: Policy, tags: Iterable[Tag], now: datetime) -> float | None:
    """Seconds until one of the tags that are too young has its age."""
    ages = [(now - tag.created).total_seconds() for tag in tags if tag.created and tag.name in choice.dropped]
    waits = [policy.minimum_age_seconds - age for age in ages if policy.minimum_age_seconds - age > 0]
    return min(waits, default=None)
