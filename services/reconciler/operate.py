"""One sync from its start to its end, as a task of its own: attempts with pauses between them, and the record.

In: a `SyncRequest`, or an operation that an earlier process began and did not end. Out: `status.operationState` as it
goes, `status.history` when it succeeded. The pass (reconcile.py) goes on meanwhile and shows what the sync brings
about. Nothing here asks whether the sync should happen.
"""

import asyncio
import time
from functools import partial
from typing import Any

from services.reconciler import history
from services.reconciler.announce import announce
from services.reconciler.attempt import Sync, operation_id, try_once
from services.reconciler.autosync import Attempt
from services.reconciler.desire import identity
from services.reconciler.destination import Destination
from services.reconciler.errors import ApplicationError
from services.reconciler.hooks import delete_hook, run_of
from services.reconciler.impersonation import acting
from services.reconciler.live import Live
from services.reconciler.parts import Parts
from services.reconciler.request import SyncRequest, from_operation
from services.reconciler.scope import instance_of
from services.reconciler.state import AppState, Running
from shared.clock import now, parse_rfc3339, rfc3339
from shared.kube import KubeError
from shared.telemetry import get_logger

Obj = dict[str, Any]
log = get_logger()


def begin(parts: Parts, state: AppState, destination: Destination, request: SyncRequest, heals: int = 0) -> None:
    """Start the sync; the pass that called this reports it as Running."""
    before = (state.obj.get("status") or {}).get("operationState") or {}
    started = history.started(request, history.next_start(before, now()))
    announce(parts, state, "sync-started", phase="Running", message="automated" if request.automated else "")
    launch(parts, state, destination, request, Running(started, identity(state), heals, request.automated))


def resume(parts: Parts, state: AppState, destination: Destination, left: Obj) -> None:
    """Go on with an operation that an earlier process began, from where its record says it was."""
    request = from_operation(left["operation"], state.obj["spec"])
    heals = int((left["operation"].get("sync") or {}).get("autoHealAttemptsCount") or 0)
    log.info("an operation goes on", app=str(state.key), started=left.get("startedAt"))
    running = Running({**left, "phase": "Running"}, identity(state), heals, request.automated)
    running.admitted = parse_rfc3339(left["startedAt"]) if left.get("syncResult") else None
    launch(parts, state, destination, request, running)


def launch(parts: Parts, state: AppState, destination: Destination, request: SyncRequest, running: Running) -> None:
    sync = Sync(parts, state, running, destination, request)
    state.running = running
    running.terminate = partial(terminate, sync)
    running.task = parts.spawn(run(sync))


async def run(sync: Sync) -> None:
    """Do the sync, again where it failed and may be retried, and leave the outcome in the Application's memory."""
    begun = time.monotonic()
    while True:
        await pause(sync)
        failure = await try_once(sync)
        retries = sync.running.retries
        if not failure or not sync.request.retries(retries):
            break
        wait = sync.request.pause(retries)
        message = f"{failure}. Retrying attempt #{retries + 1} in {wait:.0f}s."
        sync.show(message=message, retryCount=retries + 1, finishedAt=rfc3339(now()))
    finish(sync, failure, time.monotonic() - begun)


async def pause(sync: Sync) -> None:
    """Wait until the next attempt is due, then forget what became of the last one; nothing to do before the first."""
    ended = sync.running.state.get("finishedAt")
    if ended is None or not history.is_time(ended):
        return
    due = parse_rfc3339(ended).timestamp() + sync.request.pause(sync.running.retries - 1)
    with sync.running.wait():
        await asyncio.sleep(max(0.0, due - now().timestamp()))
    done = sync.running.state.get("syncResult")
    sync.show(finishedAt=None, syncResult={**done, "resources": None} if done else None)


def terminate(sync: Sync) -> None:
    """End the sync because someone asked for it: what it does is stopped, its running hooks are deleted."""
    task = sync.running.task
    if sync.running.done or task is None or sync.running.state["phase"] == "Terminating":
        return
    task.cancel()
    sync.show(phase="Terminating", message="operation is terminating", finishedAt=None)
    sync.running.task = sync.parts.spawn(stop(sync, task))


async def stop(sync: Sync, task: asyncio.Task[None]) -> None:
    """Delete what still runs, and record the end."""
    begun = time.monotonic()
    await asyncio.gather(task, return_exceptions=True)
    message = "Operation terminated"
    try:
        destination = acting(sync.parts, sync.state, sync.destination)
        for live in await running_hooks(sync):
            await delete_hook(destination, live)
    except (ApplicationError, KubeError) as error:
        message = f"Operation terminated; a running hook could not be deleted: {error.message}"
    except Exception as error:  # the end of a task: what nobody expected still ends in the operation's message
        log.exception("ending a sync broke", app=str(sync.state.key))
        message = f"Operation terminated; internal error, please report it: {type(error).__name__}"
    outcomes = history.recorded_outcomes(sync.running.state).values()
    entries = [(one.terminated() if one.runs else one).entry() for one in outcomes]
    done = sync.running.state.get("syncResult")
    sync.show(syncResult={**done, "resources": entries or None} if done else None)
    finish(sync, message, time.monotonic() - begun)


async def running_hooks(sync: Sync) -> list[Live]:
    """Give the hooks of this operation that have not ended."""
    live, operation = sync.destination.live, operation_id(sync)
    mine = [live.get(key) for key in live.tracked(instance_of(sync.state.key, sync.parts.namespace))]
    made = [one for one in mine if one is not None and run_of(one).startswith(operation)]
    found = [(one, await sync.destination.assess(one)) for one in made]
    return [one for one, health in found if health is not None and health.status not in {"Healthy", "Degraded"}]


def finish(sync: Sync, failure: str, took: float) -> None:
    """Record the end, and remember the attempt for the gate."""
    running, request = sync.running, sync.request
    phase = "Failed" if failure and "syncResult" in running.state else "Error" if failure else "Succeeded"
    message = failure or "successfully synced (all tasks run)"
    running.state = history.finished(running.state, phase, message, rfc3339(now()))
    if not request.dry_run:
        sync.state.attempt = Attempt(running.identity, not failure, running.heals, time.monotonic())
    running.deployed = not (failure or request.dry_run or request.selective or request.manifests)
    running.done, running.ended = True, time.monotonic()
    running.yields = request.automated and not failure and sync.destination.slots.locked()
    took_ms = round(took * 1000)
    announce(sync.parts, sync.state, "sync-finished", phase=phase, message=message, duration_ms=took_ms)
    sync.parts.queue.add(sync.state.key)
