"""What a plain scalar means to Go's yaml.v2, which is what Kubernetes reads YAML with.

In: the text of a scalar. Out: a string, number, boolean or None. Numbers come out as after Go's round through JSON: a
float without fraction is an int, an int beyond 64 bits is a float.
"""

import math
import re
import struct

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
_UINT64_END = 2**64
_LARGEST_PLAIN = 1e21
_FLOAT32_MAX = 3.4028235677973366e38


def plain(text: str) -> Scalar:
    """Resolve an unquoted scalar to what it is after JSON."""
    found = resolve(text)
    return settled(found) if isinstance(found, int | float) and not isinstance(found, bool) else found


def resolve(text: str) -> Scalar:
    """Resolve an unquoted scalar as yaml.v2 does, before JSON. Dates, times and versions stay texts."""
    if text in WORDS:
        return WORDS[text]
    if text[0] not in _STARTS or len(text) > _LONGEST_NUMBER:
        return text
    digits = text.replace("_", "") if text[0] != "." else text
    whole = _INT.fullmatch(digits)
    if whole is not None:
        return _parsed(digits, whole)
    if _FLOAT.fullmatch(digits) is None:
        return text
    value = float(digits)
    return text if math.isinf(value) else value


def _parsed(digits: str, match: re.Match[str]) -> int:
    if match["oct"]:
        return int(digits.lower().replace("0o", "0", 1), 8)
    return int(digits, 16) if match["hex"] else int(digits, 2) if match["bin"] else int(digits)


def settled(value: float) -> int | float:
    """Go writes a float without fraction as an integer, and reads an integer beyond 64 bits as a float."""
    if isinstance(value, int):
        return value if value in _INT64 else float(value)
    if abs(value) < _LARGEST_PLAIN and value.is_integer() and int(value) in _INT64:
        return int(value)
    return value


def key_text(key: Scalar) -> str | None:
    """Give the string that a key becomes in JSON; None for keys that can't be one."""
    if isinstance(key, str) or key is None:
        return key
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, int):
        return str(key) if key in _INT64 else None if 0 < key < _UINT64_END else float_key(float(key))
    return float_key(key)


def float_key(value: float) -> str:
    """Write a float as Go's %g with the fewest digits that a 32-bit float needs: exponents from 1e+06 on."""
    if math.isnan(value) or math.isinf(value) or abs(value) > _FLOAT32_MAX:
        return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    near = _float32(value)
    written = next(text for digits in range(10) if _float32(float(text := f"{near:.{digits}e}")) == near)
    mantissa, _, exponent = written.partition("e")
    if -4 <= int(exponent) < 6:
        return f"{near:.{max(len(mantissa.lstrip('-').replace('.', '')) - 1 - int(exponent), 0)}f}"
    return written


def _float32(value: float) -> float:
    found: float = struct.unpack("f", struct.pack("f", value))[0]
    return found
