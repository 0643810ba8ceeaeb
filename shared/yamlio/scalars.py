"""What a plain scalar means to Go's yaml.v2, which is what Kubernetes reads YAML with.

In: the text of a scalar. Out: a string, number, boolean or None. Numbers come out as after Go's round through JSON: a
float without fraction is an int, an int beyond 64 bits is a float.
"""

import math
import re
from typing import Any

Scalar = str | int | float | bool | None

WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_STARTS = frozenset("+-.0123456789")
_INT = re.compile(r"[+-]?(?:(?P<hex>0[xX][0-9a-fA-F]+)|(?P<oct>0[oO]?[0-7]+)|(?P<bin>0[bB][01]+)|0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_LONGEST_NUMBER = 400
_INT64 = range(-(2**63), 2**63)
_LARGEST_PLAIN = 1e21


def plain(text: str) -> Scalar:
    """Resolve an unquoted scalar."""
    if text in WORDS:
        return WORDS[text]
    if text[0] in _STARTS and len(text) <= _LONGEST_NUMBER:
        return number(text)
    return text


def number(text: str) -> Scalar:
    """Read a number, or give the text back: dates, times and versions stay what they are."""
    digits = text.replace("_", "") if text[0] != "." else text
    whole = _INT.fullmatch(digits)
    if whole is not None:
        return integer(_parsed(digits, whole))
    if _FLOAT.fullmatch(digits) is None:
        return text
    value = float(digits)
    return text if math.isinf(value) else real(value)


def _parsed(digits: str, match: re.Match[str]) -> int:
    if match["oct"]:
        return int(digits.lower().replace("0o", "0", 1), 8)
    return int(digits, 16) if match["hex"] else int(digits, 2) if match["bin"] else int(digits)


def integer(value: int) -> int | float:
    return value if value in _INT64 else float(value)


def real(value: float) -> int | float:
    """Go writes a float without fraction as an integer, and reads it back as one."""
    if abs(value) < _LARGEST_PLAIN and value.is_integer() and int(value) in _INT64:
        return int(value)
    return value


def key_text(key: Any) -> str | None:
    """Give the string that a key becomes in JSON; None for keys that can't be one."""
    if isinstance(key, str):
        return key
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, int):
        return str(key)
    return float_key(key) if isinstance(key, float) else None


def float_key(value: float) -> str:
    if math.isnan(value):
        return ".nan"
    if math.isinf(value):
        return ".inf" if value > 0 else "-.inf"
    return f"{value:.7g}"
