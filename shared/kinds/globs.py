"""Globs as Argo CD understands them: `*`, `**`, `?`, `[a-z]`, `[!a]`, `{a,b}` and backslashes.

In: a pattern and a text. Where separators are given, `*` and `?` stop at them and `**` does not. A pattern that can't
be read matches nothing. `/regex/` is a regular expression where a list of names is matched.
A pattern becomes a small automaton, so that no pattern takes longer than its length times the text's.
"""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import NamedTuple

_NEVER = re.compile(r"(?!)")
_META = frozenset("*?[{\\")
LONGEST = 1024


def is_deny(pattern: str) -> bool:
    return pattern.startswith("!")


def matches(pattern: str, text: str, separators: str = "") -> bool:
    """Tell whether the whole text fits."""
    if pattern == "*":
        return True
    if _META.isdisjoint(pattern):
        return pattern == text
    steps = compiled(pattern, separators)
    return steps is not None and _run(steps, text)


def readable(pattern: str) -> bool:
    """Tell whether a pattern means something at all."""
    return _META.isdisjoint(pattern) or compiled(pattern) is not None


def agrees(pattern: str, text: str, separators: str = "") -> bool:
    """Match, where a leading `!` turns the answer round."""
    if is_deny(pattern):
        return not matches(pattern[1:], text, separators)
    return matches(pattern, text, separators)


def is_expression(pattern: str) -> bool:
    """Tell whether a name's pattern is a regular expression, between slashes."""
    return len(pattern) > 2 and pattern.startswith("/") and pattern.endswith("/")


def matches_name(patterns: Iterable[str], name: str) -> bool:
    """Tell whether any of the patterns fits; one between slashes is a regular expression."""
    for pattern in patterns:
        if is_expression(pattern):
            if expression(pattern[1:-1]).search(name):
                return True
        elif matches(pattern, name):
            return True
    return False


@lru_cache(maxsize=1024)
def expression(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error:
        return _NEVER


Fits = Callable[[str], bool]


class _Step(NamedTuple):
    """Take one character that `fits` and go on; or, without taking any, be at each of `also` as well."""

    fits: Fits | None = None
    stays: bool = False
    also: tuple[int, ...] = ()


@lru_cache(maxsize=8192)
def compiled(pattern: str, separators: str = "") -> tuple[_Step, ...] | None:
    if len(pattern) > LONGEST:
        return None
    try:
        return _Compiler(pattern, separators).steps()
    except (re.error, IndexError):
        return None


def _run(steps: tuple[_Step, ...], text: str) -> bool:
    here = _spread(steps, {0})
    for char in text:
        taken = {
            at if steps[at].stays else at + 1 for at in here if (fits := _fits_at(steps, at)) is not None and fits(char)
        }
        if not taken:
            return False
        here = _spread(steps, taken)
    return len(steps) in here


def _fits_at(steps: tuple[_Step, ...], at: int) -> Fits | None:
    return steps[at].fits if at < len(steps) else None


def _spread(steps: tuple[_Step, ...], places: set[int]) -> set[int]:
    found, pending = set(places), list(places)
    while pending:
        at = pending.pop()
        if at < len(steps):
            new = set(steps[at].also) - found
            found |= new
            pending += new
    return found


class _Compiler:
    """One pass over a pattern; IndexError where it ends too early."""

    def __init__(self, pattern: str, separators: str) -> None:
        self.pattern = pattern
        self.separators = separators
        self.at = 0

    def steps(self) -> tuple[_Step, ...]:
        found = self._until("", 0)
        if self.at < len(self.pattern):
            raise IndexError
        return tuple(found)

    def _take(self) -> str:
        self.at += 1
        return self.pattern[self.at - 1]

    def _until(self, ends: str, base: int) -> list[_Step]:
        """Read up to one of `ends`, which stays unread; the steps will stand from `base` on."""
        found: list[_Step] = []
        while self.at < len(self.pattern) and self.pattern[self.at] not in ends:
            found += self._next(base + len(found))
        return found

    def _next(self, base: int) -> list[_Step]:
        char = self._take()
        if char == "*":
            return [self._star(base)]
        if char == "?":
            return [_Step(self._any)]
        if char == "[":
            return [_Step(self._class())]
        if char == "{":
            return self._choice(base)
        return [_Step((self._take() if char == "\\" else char).__eq__)]

    def _any(self, char: str) -> bool:
        return char not in self.separators

    def _star(self, base: int) -> _Step:
        crossing = self.pattern.startswith("*", self.at)
        while self.pattern.startswith("*", self.at):
            self.at += 1
        return _Step((lambda _: True) if crossing else self._any, stays=True, also=(base + 1,))

    def _class(self) -> Fits:
        end = self.pattern.find("]", self.at + 1)
        if end < 0:
            raise IndexError
        inside = self.pattern[self.at : end]
        self.at = end + 1
        negated = inside.startswith(("!", "^"))
        body = re.sub(r"([\\\[\]&~|^])", r"\\\1", inside[1:] if negated else inside)
        known = re.compile(f"[{'^' if negated else ''}{body}]", re.DOTALL)
        return lambda char: known.match(char) is not None

    def _choice(self, base: int) -> list[_Step]:
        """A fork, then each branch with a jump behind it to the common end."""
        branches: list[list[_Step]] = []
        starts: list[int] = []
        place = base + 1
        while True:
            starts.append(place)
            branches.append(self._until(",}", place))
            place += len(branches[-1]) + 1
            if self._take() == "}":
                break
        jumps = [step for branch in branches for step in (*branch, _Step(also=(place,)))]
        return [_Step(also=tuple(starts)), *jumps]
