"""The answer of one item among many in a call: its value, or why there is none."""

from collections.abc import Sequence
from typing import Any

from shared.engines.errors import EngineError

Outcome = Any | EngineError


def outcome(answer: Sequence[Any]) -> Outcome:
    """`[true, value]` or `[false, reason, message, details?]`, as the worker sends it."""
    if answer[0]:
        return answer[1]
    _, reason, message, *details = answer
    return EngineError(reason, message, details[0] if details else None)


def required(answer: Sequence[Any]) -> Any:
    """The value, or its error raised."""
    found = outcome(answer)
    if isinstance(found, EngineError):
        raise found
    return found
