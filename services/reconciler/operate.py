"""One sync from its start to its end, as a task of its own: aim, plan, execute, retry, record.

In: a `SyncRequest`. Out: `status.operationState` as it goes, `status.history` when it succeeded. The pass
(reconcile.py) goes on meanwhile and shows what the sync brings about. Nothing here asks whether the sync should happen.
"""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from services.reconciler import history
from services.reconciler.announce import announce
from services.reconciler.autosync import Attempt
from services.reconciler.desire import current_revisions, fetch, identity, render, scope_of, sources_of
from services.reconciler.desired import Desired, Target, prepare
from services.reconciler.destination import Destination
from services.reconciler.errors import ApplicationError
from services.reconciler.execute import Work, execute
from services.reconciler.expressions import leads
from services.reconciler.gate import pass_gate
from services.reconciler.impersonation import acting
from services.reconciler.namespaces import ensure_namespace
from services.reconciler.outcome import Outcome
from services.reconciler.parts import Parts
from services.reconciler.permission import check_sources, refused
from services.reconciler.plan import Step, apply_steps, of_phase, plan
from services.reconciler.request import SyncRequest
from services.reconciler.state import AppState, Running
from services.reconciler.ways import FORMER_MANAGER, way_of
from services.reconciler.write import Writing
from shared.clock import now, parse_rfc3339, rfc3339
from shared.kinds.options import annotations_of, as_entries, prune_consent
from shared.kinds.refs import GroupKind, ResourceKey
from shared.telemetry import get_logger

Obj = dict[str, Any]
log = get_logger()
PROPAGATION = {"foreground": "Foreground", "background": "Background", "orphan": "Orphan"}


@dataclass(frozen=True, slots=True)
class Sync:
    """A sync that runs: what was asked, of which Application, to which cluster."""

    parts: Parts
    state: AppState
    running: Running
    destination: Destination
    request: SyncRequest

    def show(self, **fields: Any) -> None:
        """Change what `status.operationState` shows, and have it reported."""
        self.running.state = {**self.running.state, **fields}
        self.parts.queue.add(self.state.key)


@dataclass(slots=True)
class Goal:
    """What one attempt brings: the objects, the revisions and sources they came from, and what became of each."""

    desired: Desired
    revisions: tuple[str, ...]
    sources: tuple[Obj, ...]
    identity: str
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def failure(self) -> str:
        """Why the attempt failed; empty when nothing did."""
        failed = [f"{one.key.kind}/{one.key.name}: {one.message}" for one in self.outcomes if one.failed]
        more = f" and {len(failed) - 3} more" if len(failed) > 3 else ""
        return f"one or more objects failed to apply, reason: {'; '.join(failed[:3])}{more}" if failed else ""


def begin(parts: Parts, state: AppState, destination: Destination, request: SyncRequest, heals: int = 0) -> None:
    """Start the sync; the pass that called this reports it as Running."""
    started = history.started(request, rfc3339(now()))
    state.running = Running(started, identity(state), heals, request.automated)
    announce(parts, state, "sync-started", phase="Running", message="automated" if request.automated else "")
    state.running.task = parts.spawn(run(Sync(parts, state, state.running, destination, request)))


async def run(sync: Sync) -> None:
    """Do the sync, again where it failed and may be retried, and leave the outcome in the Application's memory."""
    begun = time.monotonic()
    retries = 0
    while True:
        failure = await try_once(sync)
        if not failure or not sync.request.retries(retries):
            break
        wait = sync.request.pause(retries)
        retries += 1
        sync.show(message=f"{failure}. Retrying attempt #{retries} in {wait:.0f}s.", retryCount=retries)
        with sync.running.wait():
            await asyncio.sleep(wait)
    finish(sync, failure, time.monotonic() - begun)


async def try_once(sync: Sync) -> str:
    """Make one attempt. Gives why it failed, empty when it did not."""
    try:
        await pass_gate(sync)
        sync = replace(sync, destination=acting(sync.parts, sync.state, sync.destination))
        goal = await aim(sync)
        sync.running.identity = goal.identity
        await carry_out(sync, goal)
    except ApplicationError as error:
        return error.message
    except Exception as error:  # the end of a task: what nobody expected still ends in the operation's message
        log.exception("a sync broke", app=str(sync.state.key))
        return f"internal error, please report it: {type(error).__name__}"
    return goal.failure


async def aim(sync: Sync) -> Goal:
    """Give what the sync is to bring: what is desired now, or another revision or source that the request names."""
    parts, state, request = sync.parts, sync.state, sync.request
    sources = request.sources or sources_of(state.obj["spec"])
    here = current_revisions(parts, state)
    if state.desired is not None and not request.sources and set(request.revisions) <= {*here, ""}:
        return Goal(state.desired, here, sources, identity(state))
    check_sources(parts, state, sources)
    heads, reply = await render(parts, state, sync.destination, sources, request.revisions)
    manifests = await fetch(parts, reply.digest)
    kinds = {GroupKind.of(obj) for obj in manifests}
    await sync.destination.ensure(kinds)
    desired = prepare(manifests, await scope_of(parts, state, sync.destination, kinds), reply.digest)
    return Goal(desired, tuple(parts.heads.commit(head) for head in heads), sources, f"asked for {reply.digest}")


async def carry_out(sync: Sync, goal: Goal) -> None:
    """Plan and execute; every step's outcomes are recorded as it ends."""
    request, live = sync.request, sync.destination.live
    targets = [target for target in goal.desired.objects.values() if chosen(sync, target)]
    hooks = () if request.selective or request.without_hooks else goal.desired.hooks
    goal.outcomes += refused(sync.parts, sync.state, sync.destination, [*targets, *will_run(hooks)])
    goal.outcomes += [] if goal.outcomes else await ensure_namespace(sync.state, sync.destination, request)
    record(sync, goal)
    if goal.failure:
        return
    extra = extras(sync.state, goal.desired, request)
    prunes = {key: 0 for key in extra if request.prune and prunable(sync.destination, key, request)}
    await perform(sync, goal, plan(targets, hooks, prunes))
    if goal.failure:
        await perform(sync, goal, apply_steps(of_phase(hooks, "SyncFail"), "SyncFail"))
    goal.outcomes += [skipped(sync.state, key) for key in extra if key not in prunes and live.get(key)]
    record(sync, goal)


def will_run(hooks: Iterable[Target]) -> list[Target]:
    """Give the hooks that may run at all."""
    return [hook for hook in hooks if hook.hooks != ("Skip",)]


async def perform(sync: Sync, goal: Goal, steps: list[Step]) -> None:
    """Execute steps, showing and announcing what each brought."""
    policy = sync.request.options.get("PrunePropagationPolicy", "foreground")
    writing = Writing(
        sync.destination,
        dry_run=sync.request.dry_run,
        propagation=PROPAGATION.get(policy, "Foreground"),
        settled=lambda key: settled(sync.state, goal.desired.objects.get(key)),
        options=tuple(as_entries(sync.request.options)),
        force=sync.request.force,
        former=str(annotations_of(sync.state.obj).get(FORMER_MANAGER) or ""),
        leads=lambda target: leads(sync.parts.engines, target.ignored, target.obj, sync.parts.argo.jq_seconds),
    )
    work = Work(
        writing,
        sync.destination.slots,
        suffix=suffix_of(sync.running, goal),
        started=sync.running.start,
        waiting=sync.running.wait,
        gate=partial(pass_gate, sync),
    )
    async for outcomes in execute(work, steps):
        goal.outcomes += outcomes
        for one in outcomes:
            announce_outcome(sync, one)
        record(sync, goal)


def suffix_of(running: Running, goal: Goal) -> str:
    """Give what makes the name of a `generateName` hook: revision, phase (to be filled in) and start."""
    started = parse_rfc3339(running.state["startedAt"])
    return f"{(*goal.revisions, '')[0][:7]}-{{}}-{int(started.timestamp())}"


def chosen(sync: Sync, target: Target) -> bool:
    """Tell whether a sync is to write an object; with ApplyOutOfSyncOnly not one that is known to be in sync."""
    if not sync.request.selects(target.key):
        return False
    way = way_of(target.obj, as_entries(sync.request.options))
    return not (way.out_of_sync_only and settled(sync.state, target))


def settled(state: AppState, target: Target | None) -> bool:
    """Tell whether an object is known to be just what is wanted, so that applying it would write nothing."""
    verdict = state.verdicts.get(target.key) if target else None
    dirty = state.dirty is None or (target is not None and target.key in state.dirty)
    return bool(verdict and target and verdict.status == "Synced" and verdict.desired == target.digest and not dirty)


def extras(state: AppState, desired: Desired, request: SyncRequest) -> list[ResourceKey]:
    """Give the objects that live, are the Application's, and are not in what is brought."""
    known = (one for one in state.found.values() if one.live and not one.ignored)
    return [one.key for one in known if one.key not in desired.objects and request.selects(one.key)]


def prunable(destination: Destination, key: ResourceKey, request: SyncRequest) -> bool:
    """Tell whether an object may be pruned, if need be after a person has confirmed it: nothing forbids it."""
    live = destination.live.get(key)
    return live is not None and prune_consent(live.load(), as_entries(request.options)) != "no"


def skipped(state: AppState, key: ResourceKey) -> Outcome:
    """Give the outcome of an object that is left though it is not wanted."""
    return Outcome(key, state.found[key].version, "PruneSkipped", "ignored (requires pruning)")


def announce_outcome(sync: Sync, one: Outcome) -> None:
    """Tell the bus about an object that was written."""
    if not one.message.endswith("unchanged"):
        announce(sync.parts, sync.state, "resource", status=one.status, message=one.message, resource=one.key)


def record(sync: Sync, goal: Goal) -> None:
    """Show progress in `operationState`."""
    entries = [one.entry() for one in goal.outcomes]
    spec = sync.state.obj["spec"]
    sync.show(syncResult=history.result(spec, goal.sources, goal.revisions, entries))


def finish(sync: Sync, failure: str, took: float) -> None:
    """Record the end, and remember the attempt for the gate."""
    running, request = sync.running, sync.request
    phase = "Failed" if failure and "syncResult" in running.state else "Error" if failure else "Succeeded"
    message = failure or "successfully synced (all tasks run)"
    running.state = history.finished(running.state, phase, message, rfc3339(now()))
    if not request.dry_run:
        sync.state.attempt = Attempt(running.identity, not failure, running.heals, time.monotonic())
    running.deployed = not failure and not request.dry_run and not request.selective
    running.done = True
    took_ms = round(took * 1000)
    announce(sync.parts, sync.state, "sync-finished", phase=phase, message=message, duration_ms=took_ms)
    sync.parts.queue.add(sync.state.key)
