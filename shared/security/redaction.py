"""Takes secrets out of text that people or machines will read: logs, errors, conditions, events.

Three nets, one after the other: the exact values that services register when they read a Secret, the shapes that
credentials have (userinfo in URLs, bearer headers, well-known token prefixes, private keys), and `password=...` pairs.
What goes through once is unchanged by going through again.
"""

import base64
import re
from urllib.parse import quote

MASK = "***"
SHORTEST = 6  # shorter values would blank out ordinary words

_SHAPES = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|\b(?:gh[opsur]_\w{16,}|github_pat_\w{16,}|glpat-[\w-]{12,}|xox[abeoprs]-[\w-]{8,}|AKIA[0-9A-Z]{16}|k8s-aws-v1\.[\w-]{8,}"
    r"|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*)",
    re.DOTALL,
)
_USERINFO = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)([^\s/?#@\"'<>]+(?:@[^\s/?#@\"'<>]+)*)@")
_HEADER = re.compile(r"(?i)\b(bearer|basic|token)([ ]+)(?!\*\*\*)([A-Za-z0-9+/=._~-]{8,})")
_PAIR = re.compile(
    r"(?i)([\"']?[\w.-]*(?:password|passwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key)[\"']?\s*[=:]\s*)"
    r"(\"[^\"]*\"|'[^']*'|[^\s,;&\"'{}\[\]]+)"
)


class _Known:
    """The registered values, as one pattern that is rebuilt when they change."""

    def __init__(self) -> None:
        self.values: set[str] = set()
        self.pattern: re.Pattern[str] | None = None

    def rebuild(self) -> None:
        longest_first = sorted(self.values, key=len, reverse=True)
        self.pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None


_known = _Known()


def _forms(value: str) -> set[str]:
    return {form for form in (value, quote(value, safe=""), base64.b64encode(value.encode()).decode()) if form}


def register(*values: str) -> None:
    """Remember values read from Secrets: they are masked wherever they appear, URL-quoted and in base64 too."""
    new = {form for value in values if len(value) >= SHORTEST for form in _forms(value)} - _known.values
    if new:
        _known.values |= new
        _known.rebuild()


def forget(*values: str) -> None:
    """A rotated credential needs no mask any more."""
    _known.values -= {form for value in values for form in _forms(value)}
    _known.rebuild()


def _userinfo(match: re.Match[str]) -> str:
    scheme, info = match.groups()
    harmless = scheme.lower().endswith("ssh://") and ":" not in info
    return match.group() if harmless else f"{scheme}{MASK}@"


def _pair(match: re.Match[str]) -> str:
    name, value = match.groups()
    quoted = value[0] if value[0] in "\"'" else ""
    return f"{name}{quoted}{MASK}{quoted}"


def redact(text: str) -> str:
    if _known.pattern is not None:
        text = _known.pattern.sub(MASK, text)
    text = _SHAPES.sub(MASK, text)
    text = _USERINFO.sub(_userinfo, text)
    text = _HEADER.sub(rf"\1\2{MASK}", text)
    return _PAIR.sub(_pair, text)
