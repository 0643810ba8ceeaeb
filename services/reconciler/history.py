"""`status.operationState` and `status.history`: what an operation writes down, and what that tells after a restart.

Pure. An operation is known by its start: no two of one Application begin in the same second.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from services.reconciler.autosync import Attempt
from services.reconciler.outcome import Outcome, recorded
from services.reconciler.request import SyncRequest, from_operation
from shared.clock import parse_rfc3339, rfc3339
from shared.kinds.refs import ResourceKey

Obj = dict[str, Any]
DEFAULT_LIMIT = 10
UNDER_WAY = frozenset({"Running", "Terminating"})


def next_start(before: Obj, now: datetime) -> str:
    """Give the start of an operation that begins now, later than that of the one before."""
    if not is_time(before.get("startedAt")):
        return rfc3339(now)
    return rfc3339(max(now, parse_rfc3339(before["startedAt"]) + timedelta(seconds=1)))


def started(request: SyncRequest, now: str) -> Obj:
    """Give the state of an operation that begins."""
    return {
        "operation": request.operation,
        "phase": "Running",
        "startedAt": now,
        "message": "waiting for the first result",
    }


def shown(status: Obj, state: Obj) -> Obj:
    """Give the state to write; what someone has asked of a running operation meanwhile stays: to be terminated."""
    before = status.get("operationState") or {}
    same = before.get("startedAt") == state.get("startedAt")
    asked = same and before.get("phase") == "Terminating" and state.get("phase") == "Running"
    return {**state, "phase": "Terminating"} if asked else state


def asks_to_terminate(obj: Obj) -> bool:
    """Tell whether someone asks for the end of the operation that runs: as Argo CD's API does, by its phase."""
    return bool(((obj.get("status") or {}).get("operationState") or {}).get("phase") == "Terminating")


def result(spec: Obj, sources: tuple[Obj, ...], revisions: tuple[str, ...], resources: list[Obj]) -> Obj:
    """Give `syncResult`."""
    if spec.get("sources"):
        named: Obj = {"revision": "", "revisions": list(revisions), "source": {"repoURL": ""}, "sources": list(sources)}
    else:
        named = {"revision": (*revisions, "")[0], "source": (*sources, {})[0]}
    managed = (spec.get("syncPolicy") or {}).get("managedNamespaceMetadata")
    named |= {"managedNamespaceMetadata": managed} if managed else {}
    return named | ({"resources": resources} if resources else {})


def finished(state: Obj, phase: str, message: str, now: str) -> Obj:
    """Give the state of an operation that has ended."""
    return {**state, "phase": phase, "message": message, "finishedAt": now}


def with_deployment(status: Obj, state: Obj, limit: int | None) -> list[Obj]:
    """Give `history` with the operation that has just succeeded; the oldest entries over the limit go."""
    keep = DEFAULT_LIMIT if limit is None else limit
    before: list[Obj] = list(status.get("history") or [])
    done = state.get("syncResult") or {}
    entry: Obj = {
        "id": (before[-1].get("id", 0) + 1) if before else 0,
        "deployedAt": state.get("finishedAt"),
        "deployStartedAt": state.get("startedAt"),
        "initiatedBy": state["operation"].get("initiatedBy") or {},
    }
    entry |= {name: done[name] for name in ("revision", "revisions", "source", "sources") if name in done}
    return [*before, entry][-keep:] if keep > 0 else []


def brought(done: Obj) -> tuple[tuple[Obj, ...], tuple[str, ...]]:
    """Give the sources and the revisions of a `syncResult`."""
    sources = tuple(done.get("sources") or [done.get("source") or {}])
    return sources, tuple(done.get("revisions") or [done.get("revision") or ""])


def last_attempt(status: Obj, revisions: tuple[str, ...], sources: tuple[Obj, ...], identity: str) -> Attempt | None:
    """Give the last attempt as the object tells it, for a reconciler that has just started.

    It counts as an attempt at what is wanted now when it brought these revisions of these sources.
    """
    state = status.get("operationState") or {}
    done = state.get("syncResult")
    if not done or state.get("phase") in {None, "", *UNDER_WAY}:
        return None
    same = brought(done) == (sources, revisions)
    return Attempt(identity if same else "", state["phase"] == "Succeeded", finished=float("-inf"))


def interrupted(obj: Obj) -> Obj | None:
    """Give the state of an operation that an earlier process began and did not end."""
    state: Obj = (obj.get("status") or {}).get("operationState") or {}
    begun = state.get("phase") in UNDER_WAY and is_time(state.get("startedAt"))
    return state if begun and ((state.get("operation") or {}).get("sync")) is not None else None


def is_time(text: Any) -> bool:
    """Tell whether it is a time as we write it; anyone may write a status."""
    try:
        parse_rfc3339(str(text))
    except ValueError:
        return False
    return True


def pinned(state: Obj, request: SyncRequest) -> tuple[tuple[Obj, ...], tuple[str, ...]] | None:
    """Give the sources and revisions that the operation settled on at its first attempt; None before that, and where a
    retry is to look anew.
    """
    done = state.get("syncResult")
    if not done or (request.refresh and state.get("retryCount")):
        return None
    return brought(done)


def recorded_outcomes(state: Obj) -> dict[tuple[str, ResourceKey], Outcome]:
    """Give what is written down of the objects of this attempt."""
    outcomes = [recorded(entry) for entry in (state.get("syncResult") or {}).get("resources") or ()]
    return {(one.phase, one.key): one for one in outcomes}


def same_operation(one: Obj | None, other: Obj | None) -> bool:
    """Tell whether two `operation`s ask for the same, however they are written down."""
    if not one or not other:
        return False
    first, second = (replace(from_operation(operation, {}), operation={}) for operation in (one, other))
    return first == second and one.get("initiatedBy") == other.get("initiatedBy")
