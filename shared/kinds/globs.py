"""Globs as Argo CD understands them: `*`, `**`, `?`, `[a-z]`, `[!a]`, `{a,b}` and backslashes.

In: a pattern and a text. Where separators are given, `*` and `?` stop at them and `**` does not. A pattern that can't
be read matches nothing. `/regex/` is a regular expression where a list of names is matched.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

_NEVER = re.compile(r"(?!)")
LONGEST = 1024


def is_deny(pattern: str) -> bool:
    return pattern.startswith("!")


def matches(pattern: str, text: str, separators: str = "") -> bool:
    return pattern == "*" or compiled(pattern, separators).fullmatch(text) is not None


def agrees(pattern: str, text: str, separators: str = "") -> bool:
    """Match, where a leading `!` turns the answer round."""
    if is_deny(pattern):
        return not matches(pattern[1:], text, separators)
    return matches(pattern, text, separators)


def matches_name(patterns: Iterable[str], name: str) -> bool:
    """Tell whether any of the patterns fits; one between slashes is a regular expression."""
    for pattern in patterns:
        if len(pattern) > 2 and pattern.startswith("/") and pattern.endswith("/"):
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


@lru_cache(maxsize=8192)
def compiled(pattern: str, separators: str = "") -> re.Pattern[str]:
    if len(pattern) > LONGEST:
        return _NEVER
    try:
        return re.compile(_Translator(pattern, separators).translate(), re.DOTALL)
    except (re.error, IndexError):
        return _NEVER


class _Translator:
    """One pass over a pattern; IndexError where it ends too early."""

    def __init__(self, pattern: str, separators: str) -> None:
        self.pattern = pattern
        self.at = 0
        self.depth = 0
        self.one = f"[^{re.escape(separators)}]" if separators else "."

    def translate(self) -> str:
        parts = []
        while self.at < len(self.pattern):
            parts.append(self._next())
        if self.depth:
            raise IndexError
        return "".join(parts)

    def _take(self) -> str:
        self.at += 1
        return self.pattern[self.at - 1]

    def _next(self) -> str:
        char = self._take()
        if char == "*":
            return self._star()
        if char == "?":
            return self.one
        if char == "[":
            return self._range()
        if char == "\\":
            return re.escape(self._take())
        return self._brace(char)

    def _star(self) -> str:
        if not self.pattern.startswith("*", self.at):
            return f"{self.one}*"
        while self.pattern.startswith("*", self.at):
            self.at += 1
        return ".*"

    def _range(self) -> str:
        end = self.pattern.index("]", self.at + 1) if "]" in self.pattern[self.at + 1 :] else -1
        if end < 0:
            raise IndexError
        inside = self.pattern[self.at : end]
        self.at = end + 1
        negated = inside.startswith(("!", "^"))
        body = re.sub(r"([\\\[\]&~|^])", r"\\\1", inside[1:] if negated else inside)
        return f"[{'^' if negated else ''}{body}]"

    def _brace(self, char: str) -> str:
        if char == "{":
            self.depth += 1
            return "(?:"
        if self.depth and char == ",":
            return "|"
        if self.depth and char == "}":
            self.depth -= 1
            return ")"
        return re.escape(char)
