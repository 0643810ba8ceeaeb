"""One digest for equal JSON values, whatever the order of their keys."""

from hashlib import sha256
from typing import Any

import orjson


def canonical(value: Any) -> bytes:
    """Write JSON with sorted keys and without blanks."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def digest(value: Any) -> str:
    return sha256(canonical(value)).hexdigest()
