r"""The two glob dialects of sources, matched in time that no pattern can blow up.

`directory.include` and `directory.exclude` follow gobwas/glob without separators: `*` also matches "/". Helm value
files follow doublestar: `*` stays within a name, `**` crosses folders. Both know `?`, `[a-z]`, `[!a]`, `{a,b}` and `\`.
Braces are spelled out first (their number is bounded); each star then takes the earliest fit and never looks back.
"""

import functools
import re
from collections.abc import Callable, Sequence

MAX_PATTERN = 1024
MAX_ALTERNATIVES = 256
_META = re.compile(r"[*?\[{]")

Matcher = Callable[[str], bool]


class BadPattern(ValueError):
    """The pattern can't be read; the message names it."""


def has_meta(path: str) -> bool:
    return _META.search(path) is not None


def fixed_folder(pattern: str) -> str:
    """The folder above the first wildcard: where to start looking."""
    match = _META.search(pattern)
    return pattern[: match.start()].rpartition("/")[0] if match else pattern


@functools.lru_cache(maxsize=512)
def anywhere(pattern: str) -> Matcher:
    """The dialect of include and exclude."""
    alternatives = [_segment(text) for text in _spelled_out(pattern)]
    return lambda path: any(each.fullmatch(path) for each in alternatives)


@functools.lru_cache(maxsize=512)
def within_folders(pattern: str) -> Matcher:
    """The dialect of value files; `**` as a whole name also matches no folder at all."""
    alternatives = [_segments(text) for text in _spelled_out(pattern)]
    return lambda path: any(_match_names(each, path.split("/")) for each in alternatives)


def _segments(pattern: str) -> tuple[re.Pattern[str] | None, ...]:
    return tuple(None if name == "**" else _segment(name) for name in pattern.split("/"))


def _match_names(wanted: Sequence[re.Pattern[str] | None], names: Sequence[str]) -> bool:
    """Which prefixes of `names` the pattern can take, name by name; None takes any number of them."""
    reached = {0}
    for each in wanted:
        if each is None:
            reached = set(range(min(reached), len(names) + 1))
        else:
            reached = {at + 1 for at in reached if at < len(names) and each.fullmatch(names[at])}
        if not reached:
            return False
    return len(names) in reached


def _spelled_out(pattern: str) -> list[str]:
    if len(pattern) > MAX_PATTERN:
        raise BadPattern(f"the glob {pattern[:64]}... is longer than {MAX_PATTERN} characters")
    ready, pending = list[str](), [pattern]
    while pending:
        text = pending.pop()
        inside = _innermost_braces(text)
        if inside is None:
            ready.append(text)
        else:
            start, end = inside
            pending += [text[:start] + choice + text[end + 1 :] for choice in _split(text[start + 1 : end])]
        if len(ready) + len(pending) > MAX_ALTERNATIVES:
            raise BadPattern(f"the glob {pattern!r} has more than {MAX_ALTERNATIVES} alternatives")
    return ready


def _innermost_braces(text: str) -> tuple[int, int] | None:
    start, at = -1, 0
    while at < len(text):
        match text[at]:
            case "\\":
                at += 1
            case "{":
                start = at
            case "}" if start >= 0:
                return start, at
        at += 1
    if start >= 0:
        raise BadPattern(f"the glob {text!r} opens a brace and never closes it")
    return None


def _split(text: str) -> list[str]:
    return re.split(r"(?<!\\),", text)


def _segment(text: str) -> re.Pattern[str]:
    """Fixed pieces between stars; each star with the piece after it is atomic."""
    pieces, at = [""], 0
    while at < len(text):
        if text[at] == "*":
            pieces.append("")
            at += 1
            continue
        piece, at = _one(text, at)
        pieces[-1] += piece
    first, *rest = pieces
    middle = "".join(f"(?>.*?{piece})" for piece in rest[:-1] if piece)
    try:
        return re.compile(first + middle + (f".*{rest[-1]}" if rest else ""), re.DOTALL)
    except re.error as error:
        raise BadPattern(f"the glob {text!r} can't be read: {error}") from error


def _one(text: str, at: int) -> tuple[str, int]:
    match text[at]:
        case "?":
            return ".", at + 1
        case "[":
            return _class(text, at)
        case "\\" if at + 1 < len(text):
            return re.escape(text[at + 1]), at + 2
        case other:
            return re.escape(other), at + 1


def _class(text: str, at: int) -> tuple[str, int]:
    end = text.find("]", at + 2)
    if end < 0:
        raise BadPattern(f"the glob {text!r} opens a bracket and never closes it")
    body = text[at + 1 : end]
    negated = body[0] in "!^"
    escaped = re.sub(r"([\\\[\]&~|^])", r"\\\1", body[1:] if negated else body)
    return f"[{'^' if negated else ''}{escaped}]", end + 1
