"""Go's `filepath.Match`: `*` and `?` stop at a slash, `[^a-z]` negates, and there are no braces. Pure."""

import re

from shared.kinds.globs import matches as matches_glob

_STARS = re.compile(r"\*{2,}")


def matches(pattern: str, name: str) -> bool:
    """A pattern that can't be read matches nothing."""
    return matches_glob(_STARS.sub("*", pattern).replace("{", r"\{"), name, "/")


def is_literal(pattern: str) -> bool:
    return not set(pattern) & set("*?[\\")


def literal_length(pattern: str) -> int:
    """Characters that stand for themselves."""
    return len(re.sub(r"\[[^\]]*\]|[*?]", "", pattern))
