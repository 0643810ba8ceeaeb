"""The status of an ImageUpdater, as Argo CD Image Updater writes it; what is held, and what others decide, beside it.

In: the object, the states of its images. Out: the status that it shall have. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.image_updater import parts
from services.image_updater.keys import ImageKey
from services.image_updater.parts import ImageState, Recent
from shared.clock import rfc3339
from shared.kube.conditions import Condition, mark, without

Obj = dict[str, Any]
MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class Findings:
    """What is so now. `shared`: Applications that another ImageUpdater decides about."""

    applications: int
    states: Mapping[ImageKey, ImageState]
    recent: Sequence[Recent]
    warnings: Sequence[str] = ()
    shared: Sequence[str] = ()


def status_of(before: Obj, generation: int, found: Findings, now: datetime) -> Obj:
    checked = max((one.at for one in found.states.values() if one.at), default=None)
    known = before.get("recentUpdates") or []
    recent = [_recent(one) for one in found.recent]
    updates = (recent + [one for one in known if one not in recent])[: parts.RECENT]
    status: Obj = {
        "observedGeneration": generation,
        "applicationsMatched": found.applications,
        "imagesManaged": len(found.states),
        "conditions": conditions(before.get("conditions") or [], generation, found, now),
    }
    if updates:
        status |= {"recentUpdates": updates, "lastUpdatedAt": updates[0]["updatedAt"]}
    return status | ({"lastCheckedAt": rfc3339(checked)} if checked else {})


def _recent(one: Recent) -> Obj:
    return {
        "alias": one.alias,
        "image": one.image,
        "newVersion": one.version,
        "applicationsUpdated": one.applications,
        "updatedAt": one.at,
        "message": one.message,
    }


def conditions(known: list[Condition], generation: int, found: Findings, now: datetime) -> list[Condition]:
    failed = {key: one for key, one in found.states.items() if one.what == parts.FAILED}
    held = {key: one for key, one in found.states.items() if one.what == parts.HELD}

    def marked(conditions: list[Condition], type_: str, status: bool, reason: str, message: str) -> list[Condition]:
        word = "True" if status else "False"
        return mark(conditions, type_, word, reason, message, now=now, generation=generation)

    total = bool(failed) and len(failed) == len(found.states)
    known = marked(known, "Ready", not total, *_readiness(len(failed), total=total, found=found))
    reason = "ReconcileFailed" if total else "PartialErrors" if failed else "NoErrors"
    known = marked(known, "Error", bool(failed), reason, _listed(failed))
    known = marked(known, "Reconciling", False, "ReconcileCompleted", "")
    known = marked(known, "Held", True, "RolledBack", _listed(held)) if held else without(known, "Held")
    if found.shared or found.warnings:
        text = [*found.warnings, *(f"{app} is decided by another ImageUpdater" for app in found.shared)]
        return marked(known, "Warning", True, "Overlapping" if found.shared else "NoEffect", _cut(text))
    return without(known, "Warning")


def _readiness(failed: int, *, total: bool, found: Findings) -> tuple[str, str]:
    if total:
        return "ReconcileFailed", f"none of {len(found.states)} images could be checked"
    if failed:
        return "ReconcileCompletedWithErrors", f"{failed} of {len(found.states)} images could not be checked or updated"
    return "ReconcileCompleted", f"{len(found.states)} images of {found.applications} Applications are followed"


def _listed(states: Mapping[ImageKey, ImageState]) -> str:
    return _cut([f"{key}: {one.reason + ': ' if one.reason else ''}{one.message}" for key, one in states.items()])


def _cut(lines: Sequence[str]) -> str:
    ordered = sorted(lines)
    more = f"; and {len(ordered) - MOST_NAMED} more" if len(ordered) > MOST_NAMED else ""
    return "; ".join(ordered[:MOST_NAMED]) + more


def differs(before: Obj, after: Obj, *, least_seconds: float, now: datetime) -> bool:
    """Whether it is worth writing: the time of the last check alone is, only now and then."""
    quiet = {"lastCheckedAt"}
    if {name: value for name, value in before.items() if name not in quiet} != {
        name: value for name, value in after.items() if name not in quiet
    }:
        return True
    known = before.get("lastCheckedAt")
    if not known or not after.get("lastCheckedAt"):
        return bool(after.get("lastCheckedAt"))
    return (now - datetime.fromisoformat(str(known))).total_seconds() >= least_seconds
