"""Status conditions: setting one keeps its lastTransitionTime unless its status turned. Pure.

In: the list of conditions as it is, and what is so now. Out: a new list, sorted by type. Never: the object it
belongs to.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from shared.clock import rfc3339

Condition = dict[str, Any]
MESSAGE_LIMIT = 32_768


def find(conditions: Sequence[Condition], type_: str) -> Condition | None:
    return next((one for one in conditions if one.get("type") == type_), None)


def is_true(conditions: Sequence[Condition], type_: str) -> bool:
    found = find(conditions, type_)
    return found is not None and found.get("status") == "True"


def mark(
    conditions: Sequence[Condition],
    type_: str,
    status: str,
    reason: str,
    message: str = "",
    *,
    now: datetime,
    generation: int | None = None,
) -> list[Condition]:
    """Set a condition to True, False or Unknown."""
    known = find(conditions, type_) or {}
    turned = known.get("status") != status or not known.get("lastTransitionTime")
    made: Condition = {
        **known,
        "type": type_,
        "status": status,
        "reason": reason,
        "message": message.strip()[:MESSAGE_LIMIT],
        "lastTransitionTime": rfc3339(now) if turned else known["lastTransitionTime"],
    }
    if generation is not None:
        made["observedGeneration"] = generation
    return sorted([*without(conditions, type_), made], key=lambda one: str(one.get("type")))


def mark_true(
    conditions: Sequence[Condition],
    type_: str,
    reason: str,
    message: str = "",
    *,
    now: datetime,
    generation: int | None = None,
) -> list[Condition]:
    return mark(conditions, type_, "True", reason, message, now=now, generation=generation)


def mark_false(
    conditions: Sequence[Condition],
    type_: str,
    reason: str,
    message: str = "",
    *,
    now: datetime,
    generation: int | None = None,
) -> list[Condition]:
    return mark(conditions, type_, "False", reason, message, now=now, generation=generation)


def mark_unknown(
    conditions: Sequence[Condition],
    type_: str,
    reason: str,
    message: str = "",
    *,
    now: datetime,
    generation: int | None = None,
) -> list[Condition]:
    return mark(conditions, type_, "Unknown", reason, message, now=now, generation=generation)


def without(conditions: Sequence[Condition], type_: str) -> list[Condition]:
    return [one for one in conditions if one.get("type") != type_]
