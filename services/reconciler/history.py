"""`status.operationState` and `status.history`, and what they tell after a restart. Pure."""

from typing import Any

from services.reconciler.autosync import Attempt
from services.reconciler.request import SyncRequest

Obj = dict[str, Any]
DEFAULT_LIMIT = 10


def started(request: SyncRequest, now: str, retries: int = 0) -> Obj:
    """Give the state of an operation that begins."""
    state: Obj = {
        "operation": request.operation,
        "phase": "Running",
        "startedAt": now,
        "message": "waiting for the first result",
    }
    return state | ({"retryCount": retries} if retries else {})


def result(spec: Obj, sources: tuple[Obj, ...], revisions: tuple[str, ...], resources: list[Obj]) -> Obj:
    """Give `syncResult`."""
    if spec.get("sources"):
        named: Obj = {"revision": "", "revisions": list(revisions), "source": {"repoURL": ""}, "sources": list(sources)}
    else:
        named = {"revision": (*revisions, "")[0], "source": (*sources, {})[0]}
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


def last_attempt(status: Obj, revisions: tuple[str, ...], sources: tuple[Obj, ...], identity: str) -> Attempt | None:
    """Give the last attempt as the object tells it, for a reconciler that has just started.

    It counts as an attempt at what is wanted now when it brought these revisions of these sources.
    """
    state = status.get("operationState") or {}
    done = state.get("syncResult")
    if not done or state.get("phase") in {None, "", "Running", "Terminating"}:
        return None
    brought = (
        tuple(done.get("revisions") or [done.get("revision") or ""]),
        tuple(done.get("sources") or [done.get("source") or {}]),
    )
    same = brought == (revisions, sources)
    return Attempt(identity if same else "", state["phase"] == "Succeeded", finished=float("-inf"))


def interrupted(obj: Obj) -> Obj | None:
    """Give the operation that an earlier process began and did not end, so that it is done again from its start."""
    state = (obj.get("status") or {}).get("operationState") or {}
    if state.get("phase") not in {"Running", "Terminating"} or obj.get("operation"):
        return None
    operation: Obj = state.get("operation") or {}
    return operation or None
