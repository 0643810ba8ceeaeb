"""Deleting an Application, as a task of its own: PreDelete hooks, its objects, PostDelete hooks.

Each finalizer is taken off when its work is done.

In: an Application with a deletion timestamp and finalizers of ours. Out: the finalizers, one after the other; what
stands in the way as a DeletionError condition. The task waits by events; after a failure, and after a restart, it
begins again with the first finalizer that is left, and finds its hooks by the run that their objects name.
"""

import asyncio
from contextlib import suppress

from services.reconciler import finalizers
from services.reconciler.announce import announce
from services.reconciler.cascade import Leaving, delete_all, owned_objects, unconfirmed
from services.reconciler.desire import desire
from services.reconciler.desired import Condition, Target
from services.reconciler.destination import Destination
from services.reconciler.destinations import destination_of
from services.reconciler.errors import ApplicationError, DeletionFailed, InvalidSpec
from services.reconciler.execute import Work, execute
from services.reconciler.held import managed_key
from services.reconciler.history import recorded_outcomes
from services.reconciler.hooks import HookRun, delete_hook, delete_policies, run_of
from services.reconciler.impersonation import acting
from services.reconciler.observe import held_kinds
from services.reconciler.parts import Parts
from services.reconciler.permission import check_spec, hands_off, refused
from services.reconciler.plan import plan_hooks
from services.reconciler.report import write
from services.reconciler.scope import instance_of
from services.reconciler.state import AppState
from services.reconciler.status import conditions
from services.reconciler.write import Writing
from shared.clock import now, parse_rfc3339, rfc3339
from shared.kinds.options import APPROVED, approved
from shared.kinds.refs import GroupKind
from shared.kube import ApiError, Conflict, KubeError
from shared.telemetry import get_logger

log = get_logger()
SOON, LOOK_AGAIN = 0.5, 30.0
PATIENCE = 60.0


def finalize(parts: Parts, state: AppState) -> None:
    """Begin what is left to do before the Application may go, if that is not under way."""
    if state.running and state.running.task:
        state.running.task.cancel()
    if finalizers.next_of(state.obj) and (state.leaving is None or state.leaving.done()):
        state.leaving = parts.spawn(leave(parts, state))


async def leave(parts: Parts, state: AppState) -> None:
    """Do the work of one finalizer after the other."""
    try:
        while (name := finalizers.next_of(state.obj)) is not None and parts.states.get(state.key) is state:
            await work_off(parts, state, name)
    except ApplicationError as error:
        await complain(parts, state, error.message)
    except Conflict:
        parts.queue.add_after(state.key, SOON)  # somebody has just changed the Application
    except KubeError as error:
        await complain(parts, state, f"could not delete the objects of the application: {error.message}")
    except Exception as error:  # the end of a task: what nobody expected still ends in a condition
        log.exception("a deletion broke", app=str(state.key))
        await complain(parts, state, f"internal error, please report it: {type(error).__name__}")


async def work_off(parts: Parts, state: AppState, name: str) -> None:
    """Do the work of a finalizer and take it off. Raises ApplicationError, KubeError."""
    gone = {name}
    try:
        destination = await destination_of(parts, state)
    except InvalidSpec:
        gone = set(finalizers.ORDER)  # a cluster that is not configured (any more) holds nothing that we could delete
    else:
        await do(parts, state, destination, name)
    if not gone.isdisjoint(finalizers.PROPAGATION):
        announce(parts, state, "deleted")
        parts.recorder.record(state.obj, "ResourceDeleted", "Deleted all resources of the application", type_="Normal")
    version = state.obj["metadata"]["resourceVersion"]
    left = finalizers.without(state.obj, gone)
    async with state.writing:
        await write(parts, state, {"metadata": {"finalizers": left, "resourceVersion": version}})


async def do(parts: Parts, state: AppState, destination: Destination, name: str) -> None:
    """Do the work of a finalizer."""
    if name in finalizers.PROPAGATION:
        await cascade(parts, state, destination, finalizers.PROPAGATION[name])
        return
    phase = finalizers.PHASES[name]
    hooks = await hooks_of(parts, state, destination, phase)
    work = name.endswith(finalizers.CLEANUP)
    await (clean_up if work else run_hooks)(state, acting(parts, state, destination), hooks, phase)


async def hooks_of(parts: Parts, state: AppState, destination: Destination, phase: str) -> list[Target]:
    """Give the hooks of a phase, rendered now if they are not known; what the project does not permit never runs."""
    way = f"to delete it without its {phase} hooks, take the finalizer {finalizers.HOOKS[phase]} off"
    try:
        check_spec(parts, state)
    except ApplicationError as error:
        raise DeletionFailed(f"{error.message}; {way}", retriable=True) from error
    try:
        await desire(parts, state, destination)
    except ApplicationError as error:
        if state.desired is None:
            raise DeletionFailed(f"{error.message}; {way}", retriable=True) from error
    hooks = [hook for hook in state.desired.hooks if phase in hook.hooks] if state.desired else []
    for one in refused(parts, state, destination, hooks):
        raise DeletionFailed(f"{one.message}; {way}")
    await destination.ensure({hook.key.group_kind for hook in hooks})
    return hooks


def run_for(state: AppState) -> HookRun:
    """Name the hooks' run after the deletion."""
    deleted = state.obj["metadata"]["deletionTimestamp"]
    suffix = f"{{}}-{int(parse_rfc3339(deleted).timestamp())}"
    return HookRun(f"{state.uid} deleted {deleted}", suffix, options=tuple(state.options))


async def run_hooks(state: AppState, destination: Destination, hooks: list[Target], phase: str) -> None:
    """Run the hooks of a phase to their end; one that fails holds the deletion."""
    work = Work(Writing(destination), destination.slots, run_for(state))
    async for outcomes in execute(work, plan_hooks(hooks, phase)):
        for one in outcomes:
            if one.failed:
                hint = "delete it to have it run again"
                raise DeletionFailed(f"the {phase} hook {one.key.kind}/{one.key.name} failed: {one.message}; {hint}")


async def clean_up(state: AppState, destination: Destination, hooks: list[Target], phase: str) -> None:
    """Delete the hooks that have succeeded, where their policy wants it."""
    run = run_for(state)
    for hook in [run.prepared(hook, phase) for hook in hooks]:
        live = destination.live.get(hook.key)
        if live is not None and run_of(live) == run.name(phase) and "HookSucceeded" in delete_policies(hook.obj):
            await delete_hook(destination, live)


async def cascade(parts: Parts, state: AppState, destination: Destination, propagation: str) -> None:
    """Delete the objects of the Application; say after a while what is being waited for."""
    operation = (state.obj.get("status") or {}).get("operationState") or {}
    recorded = {one.key for one in recorded_outcomes(operation).values()}
    await destination.ensure({*held_kinds(state), *(key.group_kind for key in recorded)} - {GroupKind("", "")})
    listed = map(managed_key, (state.obj.get("status") or {}).get("resources") or ())
    await destination.look_up({*recorded, *listed, *(state.desired.objects if state.desired else ())})
    instance = instance_of(state.key, parts.namespace)
    foreign = hands_off(parts, state, destination.server)
    leaving = Leaving(destination, state.key, instance, foreign, tuple(state.options), propagation)
    await until_confirmed(parts, state, leaving)
    deleting = asyncio.ensure_future(delete_all(leaving))
    try:
        while not (await asyncio.wait({deleting}, timeout=PATIENCE))[0]:
            left = [str(live.key) for live in owned_objects(leaving)]
            await complain(parts, state, f"still waiting for {len(left)} objects to be gone: {', '.join(left[:5])}")
        await deleting
    finally:
        deleting.cancel()
        await asyncio.gather(deleting, return_exceptions=True)


async def until_confirmed(parts: Parts, state: AppState, leaving: Leaving) -> None:
    """Wait for a person's word where an object asks for it; until then nothing is deleted."""
    since = parse_rfc3339(state.obj["metadata"]["deletionTimestamp"])
    while waiting := unconfirmed(leaving):
        state.changed.clear()
        if approved(state.obj, since):
            return
        more = f" and {len(waiting) - 1} more" if len(waiting) > 1 else ""
        first = f"{waiting[0].kind}/{waiting[0].name}{more}"
        await complain(parts, state, f"waiting for deletion confirmation of {first}: set the annotation {APPROVED}")
        await state.changed.wait()


async def complain(parts: Parts, state: AppState, message: str) -> None:
    """Say in the Application's conditions why it can't go yet, and try again later or when something moves."""
    status = state.obj.get("status") or {}
    before = status.get("conditions") or []
    after = conditions(before, [Condition("DeletionError", message)], rfc3339(now()))
    if after != before:
        log.warning("an application can't be deleted yet", app=str(state.key), why=message)
        parts.recorder.record(state.obj, "DeletionError", message, type_="Warning")
        with suppress(ApiError):
            async with state.writing:
                await write(parts, state, {"status": {"conditions": after}})
    parts.queue.add_after(state.key, LOOK_AGAIN)
