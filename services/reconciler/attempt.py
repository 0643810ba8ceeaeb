"""One attempt of a sync: aim, check, plan, execute, clean up.

In: a sync that runs. Out: why it failed, empty when it did not; what became of each object is recorded as it goes.
What an earlier process recorded of the same attempt is taken up: its hooks are not run again, its failure stays one.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from services.reconciler import history
from services.reconciler.admit import check_request, local_manifests
from services.reconciler.announce import announce
from services.reconciler.desire import current_revisions, fetch, identity, render, scope_of
from services.reconciler.desired import Desired, Target, prepare
from services.reconciler.destination import Destination
from services.reconciler.errors import ApplicationError
from services.reconciler.execute import Work, execute
from services.reconciler.expressions import leads
from services.reconciler.gate import pass_gate
from services.reconciler.hooks import HookRun, delete_hook, delete_policies, run_of
from services.reconciler.impersonation import acting
from services.reconciler.integrity import check_operation
from services.reconciler.namespaces import ensure_namespace
from services.reconciler.outcome import Outcome
from services.reconciler.parts import Parts
from services.reconciler.permission import check_sources, refused
from services.reconciler.plan import Wave, plan, plan_hooks
from services.reconciler.preflight import preflight
from services.reconciler.report import persist
from services.reconciler.request import SyncRequest
from services.reconciler.scope import sources_of
from services.reconciler.state import AppState, Running
from services.reconciler.ways import way_of
from services.reconciler.write import Writing
from shared.clock import parse_rfc3339
from shared.kinds.options import prune_consent, sync_options, sync_wave
from shared.kinds.refs import GroupKind, ResourceKey
from shared.kube import KubeError
from shared.merge import digest
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
        shown = {**self.running.state, **fields}
        self.running.state = {name: value for name, value in shown.items() if value is not None}
        self.parts.queue.add(self.state.key)


@dataclass(slots=True)
class Goal:
    """What one attempt brings: the objects, the revisions and sources they came from, and what became of each."""

    desired: Desired
    revisions: tuple[str, ...]
    sources: tuple[Obj, ...]
    identity: str
    outcomes: dict[tuple[str, ResourceKey], Outcome] = field(default_factory=dict)

    def take(self, outcomes: list[Outcome]) -> list[Outcome]:
        """Keep outcomes, each in place of an earlier one of the same object; gives those that say something new."""
        new = [one for one in outcomes if _words(self.outcomes.get((one.phase, one.key))) != _words(one)]
        self.outcomes |= {(one.phase, one.key): one for one in outcomes}
        return new

    @property
    def failure(self) -> str:
        """Why the attempt failed; empty when nothing did."""
        failed = [f"{one.key.kind}/{one.key.name}: {one.message}" for one in self.outcomes.values() if one.failed]
        more = f" and {len(failed) - 3} more" if len(failed) > 3 else ""
        return f"one or more objects failed to apply, reason: {'; '.join(failed[:3])}{more}" if failed else ""


def _words(outcome: Outcome | None) -> tuple[str, str]:
    return (outcome.status, outcome.message) if outcome else ("", "")


async def try_once(sync: Sync) -> str:
    """Make one attempt. Gives why it failed, empty when it did not."""
    try:
        await pass_gate(sync)
        sync = replace(sync, destination=acting(sync.parts, sync.state, sync.destination))
        check_operation(sync.parts, sync.state, sync.request.operation, sources_of(sync.state.obj["spec"]))
        goal = await aim(sync)
        sync.running.identity = goal.identity
        await carry_out(sync, goal)
    except (ApplicationError, KubeError) as error:
        return error.message
    except Exception as error:  # the end of a task: what nobody expected still ends in the operation's message
        log.exception("a sync broke", app=str(sync.state.key))
        return f"internal error, please report it: {type(error).__name__}"
    return goal.failure


async def aim(sync: Sync) -> Goal:
    """Give what the sync is to bring: what is desired now, or another revision or source that was asked for or that an
    earlier attempt has pinned.
    """
    parts, state = sync.parts, sync.state
    own = sources_of(state.obj["spec"])
    sources, revisions = history.pinned(sync.running.state, sync.request) or (
        sync.request.sources or own,
        asked(sync),
    )
    known = history.recorded_outcomes(sync.running.state)
    here = current_revisions(parts, state)
    check_request(state, sync.request)
    if sync.request.manifests:
        local = local_manifests(sync.request)
        return Goal(await prepared(sync, local, digest(local)), here, own, "brought by hand", known)
    if state.desired is not None and sources == own and set(revisions) <= {*here, ""}:
        return Goal(state.desired, here, sources, identity(state), known)
    check_sources(parts, state, sources)
    heads, reply = await render(parts, state, sync.destination, sources, revisions)
    commits = tuple(parts.heads.commit(head) for head in heads)
    if state.desired is not None and state.rendered is not None and state.rendered.digest == reply.digest:
        same = identity(state) if sources == own else f"asked for {reply.digest}"
        return Goal(state.desired, commits, sources, same, known)
    desired = await prepared(sync, await fetch(parts, reply.digest), reply.digest)
    return Goal(desired, commits, sources, f"asked for {reply.digest}", known)


async def prepared(sync: Sync, manifests: list[Obj], name: str) -> Desired:
    """Make manifests other than the desired ones ready for this cluster."""
    await sync.destination.ensure({GroupKind.of(obj) for obj in manifests})
    return prepare(manifests, await scope_of(sync.parts, sync.state, sync.destination, manifests), name)


def asked(sync: Sync) -> tuple[str, ...]:
    """Give the revisions to bring. With `refresh`, a retry brings what the sources hold by then."""
    again = sync.request.refresh and sync.running.retries > 0
    return () if again and sync.request.automated else sync.request.revisions


async def carry_out(sync: Sync, goal: Goal) -> None:
    """Plan and execute; every step's outcomes are recorded as it ends.

    Where an earlier process has recorded a failure already, only what follows a failure is left to do.
    """
    request = sync.request
    hooks = () if request.selective or request.without_hooks else goal.desired.hooks
    extra = extras(sync.state, goal.desired, request)
    prunes = [key for key in extra if request.prune and prunable(sync.destination, key, request)]
    record(sync, goal)
    work = work_of(sync, goal)
    if not goal.failure:
        await forward(sync, goal, work, hooks, prunes)
    if goal.failure and not request.dry_run:
        await perform(sync, goal, work, plan_hooks(hooks, "SyncFail"))
    live = sync.destination.live
    goal.take([skipped(sync.state, key) for key in extra if key not in prunes and live.get(key)])
    record(sync, goal)
    if not request.dry_run:
        await clean_up(sync, goal, work.hooks, hooks)


async def forward(sync: Sync, goal: Goal, work: Work, hooks: tuple[Target, ...], prunes: list[ResourceKey]) -> None:
    """Check everything, then do the waves up to the first that fails."""
    targets = [target for target in goal.desired.objects.values() if chosen(sync, target)]
    waves = plan(targets, hooks, *prune_waves(sync, prunes))
    goal.take(refused(sync.parts, sync.state, sync.destination, [*targets, *will_run(hooks)]))
    if not goal.failure:
        goal.take(await preflight(work.writing, waves))
    if not goal.failure:
        goal.take(await ensure_namespace(sync.parts, sync.state, sync.destination, sync.request))
    record(sync, goal)
    if not goal.failure:
        await perform(sync, goal, work, waves)


def prune_waves(sync: Sync, keys: list[ResourceKey]) -> tuple[dict[ResourceKey, int], set[ResourceKey]]:
    """Give the wave of each object to prune, and those that are pruned last."""
    found = {key: live.load() for key in keys if (live := sync.destination.live.get(key))}
    options = sync.request.entries
    last = {key for key, obj in found.items() if sync_options(options, obj).get("PruneLast") == "true"}
    return {key: sync_wave(obj) for key, obj in found.items()}, last


def work_of(sync: Sync, goal: Goal) -> Work:
    """Give what carrying out a plan needs of this sync."""
    policy = sync.request.options.get("PrunePropagationPolicy", "foreground")
    writing = Writing(
        sync.destination,
        dry_run=sync.request.dry_run,
        propagation=PROPAGATION.get(policy, "Foreground"),
        settled=lambda key: settled(sync.state, goal.desired.objects.get(key)),
        options=tuple(sync.request.entries),
        force=sync.request.force,
        former=sync.state.former,
        leads=lambda target: leads(sync.parts.engines, target.ignored, target.obj, sync.parts.argo.jq_seconds),
    )
    return Work(
        writing,
        sync.destination.slots,
        hook_run(sync, goal),
        started=sync.running.start,
        waiting=sync.running.wait,
        persist=lambda: persist(sync.parts, sync.state),
        gate=partial(pass_gate, sync),
    )


def hook_run(sync: Sync, goal: Goal) -> HookRun:
    """Name this attempt for its hooks, and give what is recorded of them. A generated name holds the revision, the
    phase (to be filled in) and the start.
    """
    started = parse_rfc3339(sync.running.state["startedAt"])
    suffix = f"{(*goal.revisions, '')[0][:7]}-{{}}-{int(started.timestamp())}"
    known = {place: one for place, one in goal.outcomes.items() if one.hook}
    return HookRun(f"{operation_id(sync)} {sync.running.retries}", suffix, known, tuple(sync.request.entries))


def operation_id(sync: Sync) -> str:
    """Name the operation as its hooks name it."""
    return f"{sync.state.uid} {sync.running.state['startedAt']}"


def will_run(hooks: Iterable[Target]) -> list[Target]:
    """Give the hooks that may run at all."""
    return [hook for hook in hooks if hook.hooks != ("Skip",)]


async def perform(sync: Sync, goal: Goal, work: Work, waves: list[Wave]) -> None:
    """Execute waves, showing and announcing what each brought."""
    async for outcomes in execute(work, waves):
        for one in goal.take(outcomes):
            announce_outcome(sync, one)
        record(sync, goal)


async def clean_up(sync: Sync, goal: Goal, run_: HookRun, hooks: tuple[Target, ...]) -> None:
    """Delete the hooks whose policy wants it after such an end; what became of them is written down before."""
    policy = "HookFailed" if goal.failure else "HookSucceeded"
    going = []
    for phase, key in [place for place, one in goal.outcomes.items() if one.hook]:
        candidates = [run_.prepared(hook, phase) for hook in hooks if phase in hook.hooks]
        wanted = any(hook.key == key and policy in delete_policies(hook.obj) for hook in candidates)
        live = sync.destination.live.get(key)
        if wanted and live is not None and run_of(live) == run_.name(phase):
            going.append(live)
    if going:
        await persist(sync.parts, sync.state)
        await asyncio.gather(*(delete_hook(sync.destination, live) for live in going))


def chosen(sync: Sync, target: Target) -> bool:
    """Tell whether a sync is to write an object; with ApplyOutOfSyncOnly not one that is known to be in sync."""
    if not sync.request.selects(target.key):
        return False
    way = way_of(target.obj, sync.request.entries)
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
    return live is not None and prune_consent(live.load(), request.entries) != "no"


def skipped(state: AppState, key: ResourceKey) -> Outcome:
    """Give the outcome of an object that is left though it is not wanted."""
    return Outcome(key, state.found[key].version, "PruneSkipped", "ignored (requires pruning)")


def announce_outcome(sync: Sync, one: Outcome) -> None:
    """Tell the bus about an object that was written."""
    if not one.message.endswith("unchanged"):
        announce(sync.parts, sync.state, "resource", status=one.status, message=one.message, resource=one.key)


def record(sync: Sync, goal: Goal) -> None:
    """Show progress in `operationState`."""
    entries = [one.entry() for one in goal.outcomes.values()]
    spec = sync.state.obj["spec"]
    sync.show(syncResult=history.result(spec, goal.sources, goal.revisions, entries))
