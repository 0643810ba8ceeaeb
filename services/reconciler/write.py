"""How one object is written or pruned.

In: a target or a key, and what the sync says of all its objects (`Writing`). Out: an `Outcome`; an error of the API
server is one too. A write is a server-side apply, or what the object's options make of it (ways.py): put in place of
the old one, or deleted and made again. Never: the order of things, or whether something is to be synced at all.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from services.reconciler.compare import FIELD_MANAGER, overlaid
from services.reconciler.desired import Target
from services.reconciler.destination import Destination
from services.reconciler.live import Live
from services.reconciler.outcome import Outcome
from services.reconciler.rolled import told, yielded
from services.reconciler.waits import until_gone
from services.reconciler.ways import Way, way_of
from shared.kinds.refs import ResourceKey
from shared.kube import BadRequest, Conflict, Invalid, KubeError, ServerTimeout
from shared.merge import Path, taken_over
from shared.telemetry import get_logger, trace

Obj = dict[str, Any]
log = get_logger()
GONE_SECONDS = 60.0
PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
TRIAL = "-tiphys-trial"


async def _nowhere(_target: Target) -> Iterable[Path]:
    return ()


@dataclass(frozen=True, slots=True)
class Writing:
    """What holds for all writes of one sync. `settled` tells of an object whether it is known to be as wanted,
    `options` are the sync's own, `former` is a further manager to take over from, `leads` says where the jq
    expressions of what is ignored lead.
    """

    destination: Destination
    dry_run: bool = False
    propagation: str = "Foreground"
    settled: Callable[[ResourceKey], bool] = lambda _key: False
    options: tuple[str, ...] = ()
    force: bool = False
    former: str = ""
    leads: Callable[[Target], Awaitable[Iterable[Path]]] = _nowhere


async def apply_one(writing: Writing, target: Target, phase: str = "Sync") -> Outcome:
    """Write one object, unless it is known to be so already."""
    version = target.obj["apiVersion"].rpartition("/")[2]
    done = Outcome(target.key, version, "Synced", f"{_named(target.key)} unchanged", phase)
    way = way_of(target.obj, writing.options, force=writing.force, former=writing.former)
    if writing.settled(target.key) and not way.always:
        return done
    try:
        how = await write(writing, target, way)
    except KubeError as error:
        return replace(done, status="SyncFailed", message=error.message, retriable=error.retriable)
    suffix = " (server dry run)" if writing.dry_run else ""
    return replace(done, message=f"{_named(target.key)} {how}{suffix}")


async def write(writing: Writing, target: Target, way: Way) -> str:
    """Write it in its way; gives what was done. Raises KubeError."""
    live = writing.destination.live.get(target.key)
    if live is None:
        return await apply(writing, told(target.obj, trace.delivery.get()), way)
    body = live.load()
    obj = overlaid(target, body, await writing.leads(target)) if way.respect_ignored else target.obj
    obj = told(yielded(obj, body), trace.delivery.get())
    if way.replace:
        return await (recreate if way.recreate else put)(writing, obj, live, way)
    if not writing.dry_run:
        await take_over(writing.destination, live, body, way.former)
    try:
        return await apply(writing, obj, way)
    except (Invalid, Conflict) as error:
        if not way.recreate or error.retriable:
            raise
    return await recreate(writing, obj, live, way)


async def apply(writing: Writing, obj: Obj, way: Way) -> str:
    """Server-side-apply it."""
    await writing.destination.apply(obj, manager=FIELD_MANAGER, dry_run=writing.dry_run, validation=way.validation)
    return "serverside-applied"


async def put(writing: Writing, obj: Obj, live: Live, way: Way) -> str:
    """Put it in the place of the old one, whatever others had set there.

    What it holds counts as applied by us from then on, so that a later comparison sees what leaves git.
    """
    destination, version = writing.destination, obj["apiVersion"].rpartition("/")[2]
    for last in (False, False, True):
        now = await destination.fetch(live.key, version)
        if now is None:
            return await apply(writing, obj, way)
        metadata = {**obj["metadata"], "resourceVersion": now["metadata"]["resourceVersion"]}
        try:
            done = await destination.update(
                {**obj, "metadata": metadata}, manager=FIELD_MANAGER, dry_run=writing.dry_run, validation=way.validation
            )
        except Conflict:
            if last:
                raise
            continue
        if not writing.dry_run:
            await take_over(destination, live, done, (FIELD_MANAGER,))
        break
    return "replaced"


async def recreate(writing: Writing, obj: Obj, live: Live, way: Way) -> str:
    """Delete the old one and make it anew; not before the API server says that it would take the new one."""
    await creatable(writing.destination, obj, way)
    if not writing.dry_run:
        await removed(writing.destination, live.key, writing.propagation)
        await made_again(writing, obj, way)
    return "replaced"


async def made_again(writing: Writing, obj: Obj, way: Way) -> None:
    """Make what has just been deleted; an API server that fails for a while must not leave us without it."""
    for pause in PAUSES:
        try:
            await apply(writing, obj, way)
        except KubeError as error:
            if not error.retriable:
                raise
            log.warning("an object that was deleted to be made again is not there yet", error=error.message)
            await asyncio.sleep(pause)
        else:
            return
    await apply(writing, obj, way)


async def creatable(destination: Destination, obj: Obj, way: Way) -> None:
    """Try under another name whether it could be created: what is wrong with it must not cost the one that lives.

    What only one object can have at a time (a port, an address) is no reason: the old one gives it back.
    """
    name = f"{obj['metadata']['name'][:40]}{TRIAL}"
    trial = {**obj, "metadata": {**obj["metadata"], "name": name}}
    try:
        await destination.apply(trial, manager=FIELD_MANAGER, dry_run=True, validation=way.validation)
    except (Invalid, BadRequest) as error:
        if "allocated" not in error.message:
            message = f"not deleted and made again, because it could not be made: {error.message}"
            raise Invalid(message, status=error.status, reason=error.reason) from error


async def take_over(destination: Destination, live: Live, body: Obj, former: tuple[str, ...]) -> None:
    """Make ours what a client applied before us; only then does an apply remove what is no longer wanted."""
    for last in (False, False, True):
        fields = taken_over(body, FIELD_MANAGER, former)
        if fields is None:
            return
        try:
            await destination.set_managed_fields(body, fields)
        except Conflict:
            newer = await destination.fetch(live.key, body["apiVersion"].rpartition("/")[2])
            if last or newer is None:
                raise
            body = newer
        else:
            return


async def removed(destination: Destination, key: ResourceKey, propagation: str = "Background") -> None:
    """Delete an object if it is there, and wait until it is gone. Raises ServerTimeout when it stays."""
    live = destination.live.get(key)
    if live is None:
        return
    if not live.deleting:
        await destination.delete(key, uid=live.uid, propagation=propagation)
    try:
        async with asyncio.timeout(GONE_SECONDS):
            await until_gone(destination, key, live.uid)
    except TimeoutError as error:
        raise ServerTimeout(f"{_named(key)} is still being deleted after {GONE_SECONDS:.0f} s") from error


async def prune_one(writing: Writing, key: ResourceKey) -> Outcome:
    """Delete one object, if it is still the one that was seen."""
    live = writing.destination.live.get(key)
    version = live.api_version.rpartition("/")[2] if live else ""
    done = Outcome(key, version, "Pruned", "pruned (dry run)" if writing.dry_run else "pruned")
    if live is None or writing.dry_run:
        return done
    try:
        await writing.destination.delete(key, uid=live.uid, propagation=writing.propagation)
    except KubeError as error:
        return replace(done, status="SyncFailed", message=error.message, retriable=error.retriable)
    return done


def _named(key: ResourceKey) -> str:
    group = f".{key.group}" if key.group else ""
    return f"{key.kind.lower()}{group}/{key.name}"
