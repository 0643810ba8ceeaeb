"""Starting a sync when one is due: asked for by `operation`, left over from an earlier process, or wanted by the
policy.

The decision is `autosync.autosync`; this module gathers what it looks at and starts what it answers.
"""

import time
from collections.abc import Iterator
from datetime import timedelta

from services.reconciler import history
from services.reconciler.autosync import Attempt, Blocked, Hold, Situation, Sync, Wait, autosync
from services.reconciler.desire import current_revisions, identity
from services.reconciler.destination import Destination
from services.reconciler.gate import blocked, seconds_blocked
from services.reconciler.operate import begin, resume
from services.reconciler.parts import Parts
from services.reconciler.request import SyncRequest, automated, from_operation
from services.reconciler.rolled import left_alone
from services.reconciler.rollup import sync_status
from services.reconciler.scope import sources_of
from services.reconciler.state import AppState, Obj
from shared.clock import parse_rfc3339, rfc3339
from shared.kinds.refs import GroupKind, ResourceKey

FIGHT = 2
ROLLOUT = GroupKind("argoproj.io", "Rollout")


def act(parts: Parts, state: AppState, destination: Destination) -> None:
    """Start a sync, or don't."""
    end_if_asked(state)
    if superseded(state):
        request = asked_for(state) or automated(state.obj["spec"], current_revisions(parts, state), None, 0)
        begin(parts, state, destination, request)
    if state.running is not None or resumed(parts, state, destination):
        return
    spec = state.obj["spec"]
    asked = asked_for(state)
    if asked is not None:
        begin(parts, state, destination, asked)
        return
    decision = autosync(situation(parts, state, destination))
    state.sync_error = complaint(state, decision)
    state.sync_warning = decision.warning if isinstance(decision, Blocked) else ""
    if isinstance(decision, Wait | Blocked):
        parts.queue.add_after(state.key, decision.seconds)
    elif isinstance(decision, Sync):
        request = automated(spec, current_revisions(parts, state), decision.resources, decision.heals)
        begin(parts, state, destination, request, decision.heals)


def complaint(state: AppState, decision: Sync | Wait | Blocked | Hold) -> str:
    """Say why the policy's sync does not happen: it can't be, or it keeps being undone and has to wait.

    The time is counted from the end that is written, so that looking again says the same.
    """
    if isinstance(decision, Hold):
        return decision.error
    ended = ((state.obj.get("status") or {}).get("operationState") or {}).get("finishedAt")
    if not isinstance(decision, Wait) or decision.heals < FIGHT or not ended:
        return ""
    again = rfc3339(parse_rfc3339(ended) + timedelta(seconds=decision.pause))
    return f"Healed {decision.heals} times in a row and changed again by somebody else: next attempt at {again}"


def end_if_asked(state: AppState) -> None:
    """End the operation that runs, where someone wants that."""
    if state.running is not None and history.asks_to_terminate(state.obj):
        state.running.terminate()


def resumed(parts: Parts, state: AppState, destination: Destination) -> bool:
    """Go on, once after a start, with the operation that an earlier process did not end."""
    left = None if state.resumed else history.interrupted(state.obj)
    state.resumed = True
    if left is None:
        return False
    resume(parts, state, destination, left)
    end_if_asked(state)
    return True


def asked_for(state: AppState) -> SyncRequest | None:
    """Give the sync that someone asked for."""
    asked: Obj = state.obj.get("operation") or {}
    return None if asked.get("sync") is None else from_operation(asked, state.obj["spec"])


def superseded(state: AppState) -> bool:
    """End an automated sync that waits (for health, or to be retried) when something newer is wanted by now, or when
    somebody asks for a sync.

    The newer one takes its place at once, whatever the comparison says: its end is the end of the operation.
    """
    running = state.running
    if running is None or not (running.automated and running.waiting and running.task):
        return False
    if running.identity == identity(state) and asked_for(state) is None:
        return False
    running.task.cancel()
    state.running = None
    return True


def situation(parts: Parts, state: AppState, destination: Destination) -> Situation:
    """Gather what the gate looks at."""
    policy: Obj = (state.obj["spec"].get("syncPolicy") or {}).get("automated") or {}
    found = [one for one in state.found.values() if not one.leaving]
    namespace = [state.namespace[1]] if state.drifted and state.namespace else []
    return Situation(
        automated=state.automated,
        prune=bool(policy.get("prune")),
        self_heal=bool(policy.get("selfHeal")),
        allow_empty=bool(policy.get("allowEmpty")),
        busy=False,
        status=sync_status(found, drifted=state.drifted),
        identity=identity(state),
        revision=", ".join(current_revisions(parts, state)),
        out_of_sync=(*(one.key for one in found if one.status == "OutOfSync"), *namespace),
        to_prune=tuple(one.key for one in found if one.status == "OutOfSync" and not one.wanted),
        wanted=len(state.desired.objects) if state.desired else 0,
        last=attempt(parts, state),
        now=time.monotonic(),
        aborted=frozenset(undisturbed(state, destination)) if policy.get("selfHeal") else frozenset(),
        blocked="" if state.window.allowed else blocked(state.window),
        opens_in=0.0 if state.window.allowed else seconds_blocked(state.window),
    )


def undisturbed(state: AppState, destination: Destination) -> Iterator[ResourceKey]:
    """Give what an aborted Rollout keeps self-heal from; looked for only while something has drifted."""
    if any(one.status == "OutOfSync" for one in state.found.values()):
        for key in state.found:
            if key.group_kind == ROLLOUT and (live := destination.live.get(key)) is not None:
                yield from left_alone(key, live.load())


def attempt(parts: Parts, state: AppState) -> Attempt | None:
    """Give the last attempt: this process's own, else what the object tells."""
    if state.attempt is not None:
        return state.attempt
    revisions, sources = current_revisions(parts, state), sources_of(state.obj["spec"])
    return history.last_attempt(state.obj.get("status") or {}, revisions, sources, identity(state))
