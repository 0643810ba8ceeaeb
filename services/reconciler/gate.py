"""What a sync waits for before it writes: a sync window that lets it pass, and a person's word where something that is
to be pruned asks for it.

In: a sync that is about to begin a wave. Out: it may go on. Waiting is by a timer for the time that is known and by
news of the Application or its project, never by looking again and again; meanwhile the operation says what it waits
for, and until when.
"""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from services.reconciler.parts import Parts
from services.reconciler.permission import project_of
from services.reconciler.state import AppState
from shared.clock import now, parse_rfc3339, rfc3339
from shared.kinds.options import approved, prune_consent
from shared.kinds.refs import ResourceKey
from shared.kinds.windows import ALLOWED, Permission, Place, concerning, decide

if TYPE_CHECKING:
    from services.reconciler.attempt import Sync

LONGEST_WAIT = 3600.0


async def permission(parts: Parts, state: AppState, *, manual: bool, begun: datetime | None = None) -> Permission:
    """Say what the project's windows let this Application do now. Raises InvalidSpec."""
    windows = project_of(parts, state).spec.sync_windows
    if not windows:
        return ALLOWED
    at = now()
    timed = [await parts.openings.of(window, at) for window in concerning(windows, place_of(parts, state))]
    return decide(timed, at, manual=manual, begun=begun)


def place_of(parts: Parts, state: AppState) -> Place:
    """Give what windows choose this Application by."""
    destination = state.obj["spec"].get("destination") or {}
    server = parts.destinations.server_of(destination)
    secret = parts.destinations.secret(server)
    name = secret.name if secret else "in-cluster"
    return Place(state.key.name, destination.get("namespace") or "", server, name)


def seconds_blocked(permission: Permission) -> float:
    """Give how long to wait before asking again."""
    left = (permission.until - now()).total_seconds() if permission.until else LONGEST_WAIT
    return min(max(left, 0.0), LONGEST_WAIT)


def blocked(permission: Permission) -> str:
    """Say what blocks, and until when."""
    until = f" until {rfc3339(permission.until)}" if permission.until else ""
    return f"Sync operation blocked by sync window{until}: {permission.reason}"


async def pass_gate(sync: "Sync", pruned: Iterable[ResourceKey] = ()) -> None:
    """Wait until a wave may begin. A dry run writes nothing and waits for nothing."""
    if sync.request.dry_run:
        return
    said = sync.running.state.get("message")
    await until_open(sync)
    await until_confirmed(sync, pruned)
    if sync.running.state.get("message") != said:
        sync.show(message=said)


async def until_open(sync: "Sync") -> None:
    """Wait for the windows."""
    running, manual = sync.running, not sync.request.automated
    while True:
        sync.state.changed.clear()
        found = await permission(sync.parts, sync.state, manual=manual, begun=running.admitted)
        if found.allowed:
            break
        sync.show(message=blocked(found))
        await _news(sync, seconds_blocked(found))
    running.admitted = running.admitted or now()


async def until_confirmed(sync: "Sync", keys: Iterable[ResourceKey]) -> None:
    """Wait until a person has confirmed, after this sync began, the prunes that need it, or has done them."""
    since, keys = parse_rfc3339(sync.running.state["startedAt"]), list(keys)
    while waiting := guarded(sync, keys):
        sync.state.changed.clear()
        if approved(sync.state.obj, since):
            return
        more = f" and {len(waiting) - 1} more" if len(waiting) > 1 else ""
        sync.show(message=f"waiting for pruning confirmation of {waiting[0].kind}/{waiting[0].name}{more}")
        await _news(sync, LONGEST_WAIT)


def guarded(sync: "Sync", keys: Iterable[ResourceKey]) -> list[ResourceKey]:
    """Give those objects that live and are not pruned without a person's word."""
    live = [one for key in keys if (one := sync.destination.live.get(key))]
    return [one.key for one in live if prune_consent(one.load(), sync.request.entries) == "confirm"]


async def _news(sync: "Sync", seconds: float) -> None:
    """Wait for news of the Application, its objects or its project, or for the time to pass.

    What it waits for is shown at once.
    """
    if not sync.running.started:
        sync.running.start()
    with sync.running.wait(), suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await sync.state.changed.wait()
