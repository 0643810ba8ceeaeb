"""Kubernetes quantities (`500m`, `1Gi`, `1e3`) as exact numbers, so that equal ones can be told."""

import re
from fractions import Fraction
from functools import lru_cache

_FORM = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d{1,3})|([numkMGTPE]|[KMGTPE]i)?)")
_SUFFIX = {"n": Fraction(1, 10**9), "u": Fraction(1, 10**6), "m": Fraction(1, 1000), "": Fraction(1)}
_SUFFIX |= {suffix: Fraction(1000**power) for power, suffix in enumerate("kMGTPE", start=1)}
_SUFFIX |= {f"{suffix}i": Fraction(1024**power) for power, suffix in enumerate("KMGTPE", start=1)}
LONGEST = 64


@lru_cache(maxsize=4096)
def quantity(text: str) -> Fraction | None:
    """Give the exact value of a quantity; None when the text isn't one."""
    match = _FORM.fullmatch(text) if len(text) <= LONGEST else None
    if match is None:
        return None
    number, exponent, suffix = match.groups()
    return Fraction(number + exponent) if exponent else Fraction(number) * _SUFFIX[suffix or ""]
