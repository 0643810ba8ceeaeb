"""What lives, held against what is wanted: only the objects that changed are looked at, and only those that the local
check can't decide cost a call (settle.py), or a health script (assess.py).

In: `state.dirty`. Out: `state.verdicts` and `state.found`. Raises ComparisonFailed where the destination can't be read.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import replace

from services.reconciler.compare import SyncStatus, Verdict, judge, live_digest, still_holds
from services.reconciler.desired import Condition, Target, hook_phases
from services.reconciler.destination import Destination
from services.reconciler.errors import ComparisonFailed
from services.reconciler.expressions import needs_engine
from services.reconciler.links import external_urls
from services.reconciler.live import Live
from services.reconciler.namespaces import observe_namespace
from services.reconciler.orphan_watch import orphan_warning
from services.reconciler.parts import Parts
from services.reconciler.permission import hands_off
from services.reconciler.rollup import Found
from services.reconciler.scope import instance_of
from services.reconciler.settle import Doubt, settle
from services.reconciler.state import AppState, Obj
from services.reconciler.ways import way_of
from shared.health import health
from shared.kinds.options import asks_for_confirmation, compare_options, ignores_health
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
    check_reach(state, destination)
    instance = instance_of(state.key, parts.namespace)
    try:
        await destination.ensure(held_kinds(state))
        keys = dirty_keys(state, destination, instance)
        await destination.look_up(keys)
        await observe_namespace(parts, state, destination)
    except (ApiError, UnknownKind) as error:
        raise ComparisonFailed(f"Failed to load live state: {error}", retriable=True) from error
    keys, state.dirty = keys | (state.dirty or set()), set()
    doubts = [doubt for key in keys if (doubt := look(state, destination, key, instance)) is not None]
    leave_alone(parts, state, destination, keys)
    failures = await decide_all(parts, state, destination, doubts)
    await assess_all(parts, state, destination, keys)
    orphaned = await orphan_warning(parts, state, destination)
    state.shared = (*shared_warnings(state, destination, instance), *orphaned)
    if failures:
        raise failures[0]


def leave_alone(parts: Parts, state: AppState, destination: Destination, keys: Iterable[ResourceKey]) -> None:
    """Forget extra objects that the project does not permit: they are not the Application's to prune."""
    foreign = hands_off(parts, state, destination.server)
    for key in keys:
        if key in state.found and not state.found[key].wanted and foreign(key):
            del state.found[key]


async def decide_all(
    parts: Parts, state: AppState, destination: Destination, doubts: list[Doubt]
) -> list[ComparisonFailed]:
    """Have every doubt settled; those that could not be are looked at again, and given."""
    try:
        verdicts = await settle(parts, destination, doubts)
    except BaseException:
        for doubt in doubts:
            state.touch(doubt.target.key)
        raise
    failures = []
    for doubt, verdict in zip(doubts, verdicts, strict=True):
        if isinstance(verdict, ComparisonFailed):
            state.touch(doubt.target.key)
            failures.append(verdict)
        else:
            note(state, doubt.target, doubt.live, verdict, doubt.body)
    return failures


async def assess_all(parts: Parts, state: AppState, destination: Destination, keys: Iterable[ResourceKey]) -> None:
    """Ask the health scripts of the kinds that have one; what they said of the same object before is remembered."""
    pairs = [(key, live) for key in keys if key in state.found and (live := destination.live.get(key))]
    scripted = [(key, live) for key, live in pairs if parts.assess.scripted(live)]
    found = await asyncio.gather(*(parts.assess(live) for _, live in scripted))
    for (key, _), health_ in zip(scripted, found, strict=True):
        state.found[key] = replace(state.found[key], health=health_)


def check_reach(state: AppState, destination: Destination) -> None:
    """Raise ComparisonFailed when the cluster's Secret does not let us manage what is wanted."""
    if destination.reach.namespaces and state.desired is not None:
        refusals = sorted(filter(None, map(destination.reach.refusal, state.desired.objects)))
        if refusals:
            raise ComparisonFailed(f"Failed to load live state: {'; '.join(refusals[:3])}")


def dirty_keys(state: AppState, destination: Destination, instance: str) -> set[ResourceKey]:
    """Give the objects to look at: those that changed, or all that are wanted, tracked or were known."""
    if state.dirty is not None:
        return state.dirty
    wanted = state.desired.objects.keys() if state.desired else set()
    return {*wanted, *destination.live.tracked(instance), *state.found}


def look(state: AppState, destination: Destination, key: ResourceKey, instance: str) -> Doubt | None:
    """Judge one object locally; give a doubt when someone else has to be asked.

    What git has just changed is not asked about when it will be applied anyway: applying says as much as a dry run.
    """
    target = state.desired.objects.get(key) if state.desired else None
    live = destination.live.get(key)
    if target is None:
        look_extra(state, key, live if live and live.instance == instance and not live.owned else None)
        return None
    if live is None:
        note(state, target, None, Verdict("OutOfSync", "", target.digest))
        return None
    body = live.load()
    sum_ = live_digest(body, status=target.counting.status)
    known, way = state.verdicts.get(key), way_of(target.obj, state.options, former=state.former)
    verdict = known if still_holds(known, target, sum_) else None
    if verdict is None and not needs_engine(target.ignored):
        verdict = judge(target, body, sum_, former=way.former)
    if verdict is None and known is not None and known.desired != target.digest and state.automated:
        verdict = Verdict("OutOfSync", sum_, target.digest)
    note(state, target, live, verdict or Verdict("Unknown", sum_, target.digest), body)
    return None if verdict else Doubt(target, live, body, sum_, way)


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
        key,
        version,
        status,
        health(body),
        live=True,
        wanted=False,
        ignored=extraneous,
        leaving=live.deleting,
        confirm=asks_for_confirmation(body, state.options),
        urls=external_urls(body),
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
        ignored=ignores_health(target.obj) or ignores_health(body),
        confirm=any(asks_for_confirmation(obj, state.options) for obj in (target.obj, body)),
        urls=external_urls(body) if body is not None else (),
    )


def shared_warnings(state: AppState, destination: Destination, instance: str) -> tuple[Condition, ...]:
    """Give a warning for each wanted object that another Application tracks."""
    found = []
    for key in state.desired.objects if state.desired else ():
        live = destination.live.get(key)
        if live and live.instance and live.instance != instance:
            text = f"{key.kind}/{key.name} is part of applications {instance} and {live.instance}"
            found.append(Condition("SharedResourceWarning", text))
    return tuple(found)
