"""`status` of an Application as Argo CD writes it (spec 1.1), from what is remembered of it. Pure: the caller says what
time it is.

Fields that we don't know are kept as they stand. Nothing but `reconciledAt` differs between two passes that found the
same.
"""

from collections.abc import Iterable
from typing import Any

from services.reconciler import history
from services.reconciler.desired import Condition
from services.reconciler.namespaces import namespace_status
from services.reconciler.rollup import (
    APPLICATION,
    Found,
    health_entry,
    health_status,
    images,
    resource_status,
    sync_status,
)
from services.reconciler.state import AppState
from shared.health import Health

Obj = dict[str, Any]


def build(state: AppState, revisions: tuple[str, ...], now: str, controller_namespace: str) -> Obj:
    """Give the whole new status."""
    before: Obj = state.obj.get("status") or {}
    after = dict(before)
    after["conditions"] = conditions(before.get("conditions") or [], all_conditions(state), now)
    after["controllerNamespace"] = controller_namespace
    if state.running is not None:
        after["operationState"] = history.shown(before, state.running.state)
    after["sync"] = sync(state, before.get("sync") or {}, revisions)
    if state.rendered is not None and not state.errors:
        found = [state.found[key] for key in sorted(state.found)]
        after["resources"] = [*(resource_status(one) for one in found), *namespace_status(state)]
        after["summary"] = summary(state)
        after |= source_types(state.rendered.source_types, several="sources" in state.obj["spec"])
    after["health"] = with_transition(before.get("health") or {}, health_of(state), now)
    after = {key: value for key, value in after.items() if value not in (None, [], {})}
    if changed(before, after):
        after["reconciledAt"] = now
    return after


def changed(before: Obj, after: Obj) -> bool:
    """Tell whether two statuses differ in more than the time of the last look."""
    return {**before, "reconciledAt": ""} != {**after, "reconciledAt": ""}


def all_conditions(state: AppState) -> list[Condition]:
    """Give what is wrong with the Application now, errors first."""
    warnings = state.desired.conditions if state.desired else ()
    failed = [Condition("SyncError", state.sync_error)] if state.sync_error else []
    delayed = [Condition("SyncWindowWarning", state.sync_warning)] if state.sync_warning else []
    return [*state.errors, *failed, *delayed, *state.shared, *warnings]


def conditions(before: Iterable[Obj], now_true: Iterable[Condition], now: str) -> list[Obj]:
    """Give `status.conditions`; an unchanged condition keeps its `lastTransitionTime`."""
    since = {(one.get("type"), one.get("message")): one.get("lastTransitionTime") for one in before}
    return [
        {"lastTransitionTime": since.get((one.type, one.message)) or now, "message": one.message, "type": one.type}
        for one in now_true
    ]


def sync(state: AppState, before: Obj, revisions: tuple[str, ...]) -> Obj:
    """Give `status.sync`: what was compared, with which revisions, and the verdict."""
    spec = state.obj["spec"]
    compared = {
        name: spec[name] for name in ("source", "sources", "destination", "ignoreDifferences") if spec.get(name)
    }
    if state.errors or state.rendered is None:
        return {**before, "status": "Unknown", "comparedTo": compared}
    after: Obj = {"status": sync_status(state.found.values(), drifted=state.drifted), "comparedTo": compared}
    return after | ({"revisions": list(revisions)} if spec.get("sources") else {"revision": (*revisions, "")[0]})


def health_of(state: AppState) -> Health:
    """Give the health of the Application: that of what is known to live, even while the sources can't be read."""
    if any(one.type == "InvalidSpecError" for one in state.errors) or (state.errors and not state.found):
        return Health("Unknown", "")
    return health_status(state.found.values())


def with_transition(before: Obj, health: Health, now: str) -> Obj:
    """Give `status.health` with the time of its last change."""
    since = before.get("lastTransitionTime") if before.get("status") == health.status else None
    return {**health_entry(health), "lastTransitionTime": since or now}


def source_types(types: tuple[str, ...], *, several: bool) -> Obj:
    """Give `sourceType`, or `sourceTypes` when there are several sources."""
    return {"sourceTypes": list(types)} if several else {"sourceType": (*types, "")[0]}


def summary(state: AppState) -> Obj:
    """Give `status.summary`."""
    found: Obj = {}
    if state.desired and (names := images(state.desired.objects)):
        found["images"] = names
    if urls := sorted({url for one in state.found.values() for url in one.urls}):
        found["externalURLs"] = urls
    if any(key.group_kind == APPLICATION for key in state.found):
        found["isAppOfApps"] = True
    return found


def counts(found: Iterable[Found]) -> dict[str, int]:
    """Count objects by sync status, for metrics and progress."""
    totals: dict[str, int] = {}
    for one in found:
        totals[one.status] = totals.get(one.status, 0) + 1
    return totals
