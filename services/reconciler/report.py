"""Writing down what a pass found: one merge patch of the Application where anything differs, and an event for each
turn.

Writes are coalesced: at most one in `status_interval` seconds while things move, and one when they settle.
"""

import asyncio
import time

import orjson

from services.reconciler import fence, finalizers, history
from services.reconciler.announce import announce
from services.reconciler.desire import current_revisions
from services.reconciler.parts import Parts
from services.reconciler.state import REFRESH, AppState, Obj, Running
from services.reconciler.status import build, changed
from shared.clock import now, rfc3339
from shared.kube import ApiError, NotFound, verbs
from shared.merge import merge_patch_between
from shared.telemetry import get_logger

log = get_logger()
SLOWNESS = 20.0
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 10.0
QUEUED = 15.0
LONGEST_HOLD = 5.0


async def report(parts: Parts, state: AppState) -> None:
    """Write the status if it differs. Raises ApiError, so that the queue tries again."""
    async with state.writing:
        await _report(parts, state)


async def persist(parts: Parts, state: AppState) -> None:
    """Write down now how far the operation is, and wait until that is done: what follows must not happen unrecorded."""
    pause = FIRST_PAUSE
    while True:
        try:
            async with state.writing:
                await _persist(parts, state)
        except ApiError as error:
            if not error.retriable:
                raise
            await asyncio.sleep(pause)
            pause = min(LONGEST_PAUSE, pause * 2)
        else:
            return


async def _persist(parts: Parts, state: AppState) -> None:
    before: Obj = state.obj.get("status") or {}
    after = {**before, "operationState": history.shown(before, state.running.state if state.running else {})}
    if changed(before, after):
        say(parts, state, before, after)
        await write(parts, state, {"status": merge_patch_between(before, after)})


async def _report(parts: Parts, state: AppState) -> None:
    before: Obj = state.obj.get("status") or {}
    after = build(state, current_revisions(parts, state), rfc3339(now()), parts.namespace)
    running, refresh = state.running, state.refresh
    ended = running if running is not None and running.done else None
    if ended is not None and ended.deployed:
        after["history"] = history.with_deployment(before, ended.state, state.obj["spec"].get("revisionHistoryLimit"))
    patch = _patch(state, before, after)
    if not patch:
        _close(parts, state, ended, refresh)
        return
    if _too_soon(parts, state, after):
        return
    say(parts, state, before, after)
    await write(parts, state, patch)
    _close(parts, state, ended, refresh)


def _patch(state: AppState, before: Obj, after: Obj) -> Obj:
    patch: Obj = {}
    if changed(before, after) or state.refresh:
        patch["status"] = merge_patch_between(before, after)
    if state.refresh and REFRESH in (state.obj["metadata"].get("annotations") or {}):
        patch["metadata"] = {"annotations": {REFRESH: None}}
    asked: Obj | None = state.obj.get("operation")
    if state.running and state.running.done and history.same_operation(asked, state.running.state["operation"]):
        patch["operation"] = None
        patch.setdefault("metadata", {})["resourceVersion"] = state.obj["metadata"]["resourceVersion"]
    return {name: value for name, value in patch.items() if value != {}}


def _close(parts: Parts, state: AppState, ended: Running | None, refresh: str) -> None:
    """Forget an operation whose end is written, and a refresh that is done; what came up meanwhile is for the next
    pass, which is due at once: nothing else would tell of a commit that arrived while the operation ran.
    """
    if ended is not None and state.running is ended:
        state.running = None
        parts.queue.add(state.key)
    if state.refresh == refresh:
        state.refresh = ""


def _too_soon(parts: Parts, state: AppState, after: Obj) -> bool:
    """Put a write off while things still move, and come back for it; what has settled is written at once."""
    pause = max(parts.settings.status_interval_seconds, SLOWNESS * parts.write_seconds)
    wait = 0.0 if state.refresh else due(state, after, pause) - time.monotonic()
    if wait <= 0:
        return False
    parts.queue.add_after(state.key, wait)
    return True


def due(state: AppState, after: Obj, pause: float) -> float:
    """Give when a status is to be written, by the monotonic clock; `pause` grows while the API server is slow to take
    one.

    A sync that has only just begun is moving too: most end before the interval does, and then one write says it all.
    Where many syncs wait for their turn, one that has ended waits for the health of what it brought, too.
    """
    running = state.running
    progressing = (after.get("health") or {}).get("status") == "Progressing"
    if running is None:
        return state.reported_at + pause if progressing else 0.0
    if running.done:
        held = running.yields and progressing and not _awaited(state, after)
        return running.ended + min(pause, LONGEST_HOLD) if held else 0.0
    return max(state.reported_at, running.begun) + (pause if running.started else max(pause, QUEUED))


def _awaited(state: AppState, after: Obj) -> bool:
    """Tell whether something follows the end of a sync: what a person has asked for, or what has changed meanwhile."""
    return bool(state.obj.get("operation")) or (after.get("sync") or {}).get("status") != "Synced"


async def write(parts: Parts, state: AppState, patch: Obj) -> None:
    """Patch the object, and remember what came back."""
    fence.check()
    state.reported_at = begun = time.monotonic()
    body = orjson.dumps(patch)
    try:
        written = await verbs.patch(
            parts.cluster,
            parts.applications,
            state.key.namespace,
            state.key.name,
            body,
            content_type="application/merge-patch+json",
            validation="Ignore",  # the status is ours: checking it for unknown fields costs, and says nothing
        )
    except NotFound:
        return
    except ApiError as error:
        log.warning("the status could not be written", app=str(state.key), error=error.message)
        raise
    parts.write_seconds += (time.monotonic() - begun - parts.write_seconds) / 8
    state.take(written)


async def keep_finalizers(parts: Parts, state: AppState) -> None:
    """Have the Application carry the finalizers of the hooks that are to run when it is deleted, and no others of
    these.
    """
    if state.errors or state.desired is None:
        return
    async with state.writing:
        present, wanted = finalizers.finalizers_of(state.obj), finalizers.wanted(state.obj, state.desired)
        if wanted != present:
            version = state.obj["metadata"]["resourceVersion"]
            await write(parts, state, {"metadata": {"finalizers": wanted or None, "resourceVersion": version}})


def say(parts: Parts, state: AppState, before: Obj, after: Obj) -> None:
    """Announce what turned: on the bus, and as Kubernetes Events with Argo CD's reasons and words."""
    old, new = _faces(before), _faces(after)
    if old["sync"] != new["sync"]:
        announce(parts, state, "compared", status=new["sync"])
        _event(parts, state, "ResourceUpdated", f"Updated sync status: {old['sync']} -> {new['sync']}")
    if old["health"] != new["health"]:
        announce(parts, state, "health", status=new["health"])
        _event(parts, state, "ResourceUpdated", f"Updated health status: {old['health']} -> {new['health']}")
    if new["revision"] != old["revision"] and new["sync"] == "Synced":
        announce(parts, state, "status", status="Synced")
    _say_phase(parts, state, old, new, after)
    for condition in _new_conditions(before, after):
        announce(parts, state, "error", status=condition["type"], message=condition["message"])
        _event(parts, state, condition["type"], condition["message"], warning=True)


def _say_phase(parts: Parts, state: AppState, old: dict[str, str], new: dict[str, str], after: Obj) -> None:
    if (old["phase"], old["started"]) == (new["phase"], new["started"]):
        return
    operation = after.get("operationState") or {}
    automated = (operation.get("operation") or {}).get("initiatedBy", {}).get("automated")
    revision = new["synced"] or new["revision"]
    if old["started"] != new["started"]:
        how = "automated sync" if automated else "sync"
        _event(parts, state, "OperationStarted", f"Initiated {how} to '{revision}'")
    if new["phase"] == "Succeeded":
        _event(parts, state, "OperationCompleted", f"Sync operation to {revision} succeeded")
    elif new["phase"] in {"Failed", "Error"}:
        text = f"Sync operation to {revision} failed: {operation.get('message', '')}"
        _event(parts, state, "OperationCompleted", text, warning=True)


def _faces(status: Obj) -> dict[str, str]:
    sync, operation = status.get("sync") or {}, status.get("operationState") or {}
    return {
        "sync": str(sync.get("status") or ""),
        "revision": str(sync.get("revision") or ",".join(sync.get("revisions") or ())),
        "health": str((status.get("health") or {}).get("status") or ""),
        "phase": str(operation.get("phase") or ""),
        "started": str(operation.get("startedAt") or ""),
        "synced": str((operation.get("syncResult") or {}).get("revision") or ""),
    }


def _new_conditions(before: Obj, after: Obj) -> list[Obj]:
    known = {(one.get("type"), one.get("message")) for one in before.get("conditions") or ()}
    return [one for one in after.get("conditions") or () if (one["type"], one["message"]) not in known]


def _event(parts: Parts, state: AppState, reason: str, message: str, *, warning: bool = False) -> None:
    parts.recorder.record(state.obj, reason, message, type_="Warning" if warning else "Normal")
