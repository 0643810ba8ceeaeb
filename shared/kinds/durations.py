"""Go's durations: `120s`, `1h30m`, `500ms`."""

import re

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)")


def seconds(text: str) -> float:
    """Read a duration; a bare 0 needs no unit. Raises ValueError."""
    written = text.strip()
    sign, rest = (-1.0, written[1:]) if written.startswith("-") else (1.0, written.removeprefix("+"))
    if rest == "0":
        return 0.0
    parts = _PART.findall(rest)
    if not parts or "".join(number + unit for number, unit in parts) != rest:
        raise ValueError(f"{text!r} is no duration: write it as 120s, 3m or 1h30m")
    return sign * sum(float(number) * _UNITS[unit] for number, unit in parts)
