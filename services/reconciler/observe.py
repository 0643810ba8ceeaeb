"""What lives, held against what is wanted: only the objects that changed are looked at, and only those that the local
check can't
decide cost a call (a server-side-apply dry run).

In: `state.dirty`. Out: `state.verdicts` and `state.found`. Raises ComparisonFailed where the destination can't be read.
"""

import asyncio

from services.reconciler.compare import (
    FIELD_MANAGER,
    SyncStatus,
    Verdict,
    judge,
    judge_prediction,
    live_digest,
    still_holds,
)
from services.reconciler.desired import Condition, Target, hook_phases
from services.reconciler.destination import Destination
from services.reconciler.errors import ComparisonFailed
from services.reconciler.live import Live
from services.reconciler.parts import Parts
from services.reconciler.rollup import Found
from services.reconciler.scope import instance_of
from services.reconciler.state import AppState, Obj
from shared.health import health
from shared.kinds.options import compare_options, ignores_health
from shared.kinds.refs import GroupKind, ResourceKey
from shared.kube import ApiError, UnknownKind


def held_kinds(state: AppState) -> set[GroupKind]:
    """Give the kinds to watch for an Application: those it wants, and those its status says it had."""
    had = (state.obj.get("status") or {}).get("resources") or ()
    kinds = {GroupKind(str(one.get("group") or ""), str(one["kind"])) for one in had if one.get("kind")}
    wanted = state.desired.objects if state.desired else {}
    hooks = state.desired.hooks if state.desired else ()
    return kinds | {key.group_kind for key in wanted} | {hook.key.group_kind for hook in hooks}


async def observe(parts: Parts, state: AppState, destination: Destination) -> None:
    """Bring verdicts and health of the dirty objects up to date."""
    try:
        await destination.ensure(held_kinds(state))
    except ApiError as error:
        raise ComparisonFailed(f"Failed to load live state: {error}", retriable=True) from error
    instance = instance_of(state.key, parts.namespace)
    keys, state.dirty = dirty_keys(state, destination, instance), set()
    unsure = [key for key in keys if not look(state, destination, key, instance)]
    results = await asyncio.gather(*(ask(state, destination, key) for key in unsure), return_exceptions=True)
    for key, result in zip(unsure, results, strict=True):
        if isinstance(result, BaseException):
            state.touch(key)
    failures = [result for result in results if isinstance(result, BaseException)]
    state.shared = shared_warnings(state, destination, instance)
    if failures:
        raise failures[0]


def dirty_keys(state: AppState, destination: Destination, instance: str) -> set[ResourceKey]:
    """Give the objects to look at: those that changed, or all that are wanted, tracked or were known."""
    if state.dirty is not None:
        return state.dirty
    wanted = state.desired.objects.keys() if state.desired else set()
    return {*wanted, *destination.live.tracked(instance), *state.found}


def look(state: AppState, destination: Destination, key: ResourceKey, instance: str) -> bool:
    """Judge one object locally; False when the API server has to be asked.

    What git has just changed is not asked about when it will be applied anyway: applying says as much as a dry run.
    """
    target = state.desired.objects.get(key) if state.desired else None
    live = destination.live.get(key)
    if target is None:
        look_extra(state, key, live if live and live.instance == instance and not live.owned else None)
        return True
    if live is None:
        note(state, target, None, Verdict("OutOfSync", "", target.digest))
        return True
    body = live.load()
    sum_ = live_digest(body)
    known = state.verdicts.get(key)
    verdict = known if still_holds(known, target, sum_) else judge(target, body, sum_)
    if verdict is None and known is not None and known.desired != target.digest and state.automated:
        verdict = Verdict("OutOfSync", sum_, target.digest)
    note(state, target, live, verdict or Verdict("Unknown", sum_, target.digest), body)
    return verdict is not None


def look_extra(state: AppState, key: ResourceKey, live: Live | None) -> None:
    """Note an object that is tracked but no longer wanted; forget one that is neither."""
    state.verdicts.pop(key, None)
    if live is None:
        state.found.pop(key, None)
        return
    body = live.load()
    if hook_phases(body) is not None:
        state.found.pop(key, None)
        return
    extraneous = "IgnoreExtraneous" in compare_options(body)
    status: SyncStatus = "Synced" if extraneous else "OutOfSync"
    version = live.api_version.rpartition("/")[2]
    state.found[key] = Found(
        key, version, status, health(body), live=True, wanted=False, ignored=extraneous, leaving=live.deleting
    )


def note(state: AppState, target: Target, live: Live | None, verdict: Verdict, body: Obj | None = None) -> None:
    """Keep what was found of a wanted object."""
    state.verdicts[target.key] = verdict
    version = target.obj["apiVersion"].rpartition("/")[2]
    state.found[target.key] = Found(
        target.key,
        version,
        verdict.status,
        health(body) if body is not None else None,
        live=live is not None,
        wanted=True,
        wave=target.wave,
        ignored=ignores_health(target.obj),
    )


async def ask(state: AppState, destination: Destination, key: ResourceKey) -> None:
    """Let a dry run say whether applying would change anything. Raises ComparisonFailed."""
    target = state.desired.objects[key] if state.desired else None
    live = destination.live.get(key)
    if target is None or live is None:
        state.touch(key)
        return
    body = live.load()
    note(state, target, live, await predict(destination, target, live, body), body)


async def predict(destination: Destination, target: Target, live: Live, body: Obj) -> Verdict:
    """Ask the API server; a refusal that the sync would meet too counts as out of sync.

    An object that is wanted at another version than the one that is watched is read at that version first.
    """
    sum_ = live_digest(body)
    try:
        if live.api_version != target.obj["apiVersion"]:
            body = await destination.fetch(target.key, target.obj["apiVersion"].rpartition("/")[2]) or {}
        predicted = await destination.apply(target.obj, manager=FIELD_MANAGER, dry_run=True)
    except (ApiError, UnknownKind) as error:
        if error.retriable:
            message = f"Failed to compare {target.key}: {error.message}"
            raise ComparisonFailed(message, retriable=True) from error
        return Verdict("OutOfSync", sum_, target.digest, error.message)
    return judge_prediction(target, body, sum_, predicted)


def shared_warnings(state: AppState, destination: Destination, instance: str) -> tuple[Condition, ...]:
    """Give a warning for each wanted object that another Application tracks."""
    found = []
    for key in state.desired.objects if state.desired else ():
        live = destination.live.get(key)
        if live and live.instance and live.instance != instance:
            text = f"{key.kind}/{key.name} is part of applications {instance} and {live.instance}"
            found.append(Condition("SharedResourceWarning", text))
    return tuple(found)
