"""Numbers of metrics as conditions see them, and as a status shows them."""

import math
from collections.abc import Iterable
from typing import Any

from services.rollout_manager.analysis.providers.answer import Answer, ProviderError


def number(value: Any) -> float:
    """Raises ProviderError for what is no number."""
    if isinstance(value, bool):
        raise ProviderError(f"{value!r} is no number")
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise ProviderError(f"{value!r} is no number") from error


def shown(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return f"{value:.15g}"


def several(values: Iterable[Any]) -> Answer:
    """A list of numbers, shown in brackets."""
    found = [number(value) for value in values]
    return Answer(found, f"[{','.join(map(shown, found))}]")


def single(value: Any) -> Answer:
    found = number(value)
    return Answer(found, shown(found))
