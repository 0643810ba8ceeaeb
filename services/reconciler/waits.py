"""What a wave waits for: a hook that ends, an object that becomes healthy, one that is gone, a kind that is served.

In: the states that live objects go through, as the watch brings them. Out: outcomes. Each waiter hears of its own
objects only, so a thousand that wait cost nothing until theirs moves. Never: a write, a poll, or a decision about
what comes next.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from typing import Any

from services.reconciler.destination import Assess, Destination
from services.reconciler.live import Changes, Live
from services.reconciler.outcome import Outcome
from shared.health import Health
from shared.kinds.refs import GroupKind, ResourceKey
from shared.kube import KubeError, UnknownKind
from shared.kube.conditions import is_true

Obj = dict[str, Any]
Judge = Callable[[Live | None], Awaitable[Outcome | None]]
DEFINITION = GroupKind("apiextensions.k8s.io", "CustomResourceDefinition")
SERVED_WITHIN = 60.0
UNWATCHED_SECONDS, UNSEEN_WITHIN = 0.5, 30.0
FIRST_PAUSE, LONGEST_PAUSE = 0.02, 1.0


@dataclass(slots=True)
class Ends:
    """A hook ends: by its health, or because someone deletes it. Kinds without health end at once."""

    hook: Outcome
    uid: str
    assess: Assess
    seen: bool = False

    async def __call__(self, live: Live | None) -> Outcome | None:
        if live is None or live.uid != self.uid:
            gone = replace(self.hook, status="SyncFailed", message="the hook was deleted before it ended")
            return gone if self.seen else None
        self.seen = True
        found = await self.assess(live)
        if found is None or found.status == "Healthy":
            return replace(self.hook, message=found.message if found else "", hook_phase="Succeeded")
        if found.status in {"Degraded", "Unknown"}:
            return replace(self.hook, status="SyncFailed", message=found.message or "the hook failed")
        return None


@dataclass(frozen=True, slots=True)
class BecomesHealthy:
    """An applied object becomes healthy, or fails. One that is suspended is waited for, as in Argo CD."""

    applied: Outcome
    assess: Assess

    async def __call__(self, live: Live | None) -> Outcome | None:
        if live is None:
            return None
        found = definition_health(live) if live.key.group_kind == DEFINITION else await self.assess(live)
        if found is None or found.status == "Healthy":
            return replace(self.applied, hook_phase="Succeeded")
        if found.status == "Degraded":
            return replace(self.applied, status="SyncFailed", message=found.message or "the object is degraded")
        return None


@dataclass(frozen=True, slots=True)
class IsGone:
    """A pruned object is gone; another of its name does not count."""

    pruned: Outcome
    uid: str

    async def __call__(self, live: Live | None) -> Outcome | None:
        return self.pruned if live is None or live.uid != self.uid else None


def definition_health(live: Live) -> Health:
    """Give the health of a CustomResourceDefinition: on its way to be established it is not degraded yet."""
    conditions = (live.load().get("status") or {}).get("conditions") or []
    if is_true(conditions, "Established"):
        return Health("Healthy")
    refused = [one for one in conditions if one.get("type") == "NamesAccepted" and one.get("status") == "False"]
    return Health("Degraded", str(refused[0].get("message"))) if refused else Health("Progressing")


async def settle(
    changes: Changes,
    judges: dict[ResourceKey, Judge],
    running: set[ResourceKey],
    waiting: Callable[[bool], AbstractContextManager[Any]] = nullcontext,
) -> AsyncIterator[Outcome]:
    """Give the outcome of each as it is decided. A failure ends it, but not before the hooks of `running` have ended.

    `waiting` marks the time in which nothing is written, and is told whether hooks run in it.
    """
    failed = False
    while judges and not (failed and not running):
        with waiting(bool(running)):
            key, seen = await changes.get()
        judge = judges.get(key)
        outcome = await judge(seen) if judge else None
        if outcome is None:
            continue
        del judges[key]
        running.discard(key)
        failed = failed or outcome.failed
        yield outcome


async def until_gone(destination: Destination, key: ResourceKey, uid: str) -> None:
    """Wait until an object is gone; one whose kind may not be watched is looked at again and again. Raises ApiError."""
    changes: Changes = asyncio.Queue()
    with destination.live.follow([key], changes):
        while (live := destination.live.get(key)) is not None and live.uid == uid:
            if key.group_kind in destination.watched:
                await changes.get()
            else:
                await asyncio.sleep(UNWATCHED_SECONDS)
                await destination.look_up([key])


async def unseen_until_gone(destination: Destination, key: ResourceKey, uid: str) -> None:
    """Give an object of a kind that may not be watched a while to go; what stays longer is left to its finalizers."""
    with suppress(TimeoutError, KubeError):
        async with asyncio.timeout(UNSEEN_WITHIN):
            await until_gone(destination, key, uid)


async def until_served(destination: Destination, definitions: Iterable[ResourceKey], kinds: set[GroupKind]) -> bool:
    """Wait until definitions are established and their kinds can be used, then watch these. False: it took too long."""
    changes: Changes = asyncio.Queue()
    missing = set(definitions)
    try:
        async with asyncio.timeout(SERVED_WITHIN):
            with destination.live.follow(missing, changes):
                while missing := {key for key in missing if not established(destination, key)}:
                    await changes.get()
            await until_discovered(destination, kinds)
    except TimeoutError:
        return False
    await destination.ensure(kinds)
    return True


def established(destination: Destination, key: ResourceKey) -> bool:
    live = destination.live.get(key)
    return live is not None and definition_health(live).status == "Healthy"


async def until_discovered(destination: Destination, kinds: set[GroupKind]) -> None:
    """Wait until discovery tells of the kinds: the API server lists a kind a moment after it is established."""
    pause = FIRST_PAUSE
    for kind in kinds:
        while True:
            destination.discovery.invalidate()
            try:
                await destination.resource(kind)
            except UnknownKind:
                await asyncio.sleep(pause)
                pause = min(LONGEST_PAUSE, pause * 2)
            else:
                break
