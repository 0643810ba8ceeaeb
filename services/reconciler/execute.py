"""Carrying out a plan: apply and prune step by step, concurrently inside a step (write.py does one object), and say for
each object what became of it.

In: steps (plan.py) and the destination. Out: outcomes, as `syncResult.resources` shows them. A step that failed is
the last one. A wave is left only when what it applied is healthy. Never: deciding what is to be done.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import groupby

from services.reconciler.destination import Destination
from services.reconciler.hooks import run_hook
from services.reconciler.outcome import Outcome
from services.reconciler.plan import Step
from services.reconciler.write import Writing, apply_one, prune_one
from shared.health import Health
from shared.kinds.refs import ResourceKey


async def _no_gate(_steps: Iterable[Step]) -> None: ...


@dataclass(frozen=True, slots=True)
class Work:
    """One run of a plan."""

    writing: Writing
    slots: asyncio.Semaphore
    suffix: str = ""
    started: Callable[[], None] = lambda: None
    waiting: Callable[[], AbstractContextManager[None]] = nullcontext
    gate: Callable[[Iterable[Step]], Awaitable[None]] = _no_gate


async def execute(work: Work, steps: Iterable[Step]) -> AsyncIterator[list[Outcome]]:
    """Do the steps in order, giving the outcomes of each as it ends; stops after a step in which something failed.

    Before a step of another wave or phase, what was applied so far has to become healthy, and the gate to let it pass.
    """
    applied: list[ResourceKey] = []
    for _, group in groupby(steps, key=lambda step: step.place):
        wave = list(group)
        if applied and not work.writing.dry_run:
            with work.waiting():
                unhealthy = await until_healthy(work.writing.destination, applied)
            if unhealthy:
                yield unhealthy
                return
        applied = []
        await work.gate(wave)
        async for step, outcomes in do_wave(work, wave):
            yield outcomes
            if any(one.failed for one in outcomes):
                return
            applied += [target.key for target in step.apply if not target.hooks]


async def do_wave(work: Work, steps: list[Step]) -> AsyncIterator[tuple[Step, list[Outcome]]]:
    """Do the steps of one wave; those that only write hold a slot, so that few syncs end soon instead of all late."""
    hooks = any(target.hooks for step in steps for target in step.apply)
    async with nullcontext() if hooks else work.slots:
        work.started()
        for step in steps:
            yield step, await do_step(work, step)


async def do_step(work: Work, step: Step) -> list[Outcome]:
    """Apply, run or prune the objects of one step together."""
    runs = (
        run_hook(work.writing.destination, target, step.phase, work.suffix)
        if target.hooks
        else apply_one(work.writing, target, step.phase)
        for target in step.apply
        if not (target.hooks and work.writing.dry_run)
    )
    prunes = (prune_one(work.writing, key) for key in step.prune)
    return list(await asyncio.gather(*runs, *prunes))


async def until_healthy(destination: Destination, keys: Iterable[ResourceKey]) -> list[Outcome]:
    """Wait until all are healthy; give those that are degraded instead, as failures."""
    keys = tuple(keys)
    while True:
        woken = destination.next_change()
        seen = {key: await live_health(destination, key) for key in keys}
        degraded = [key for key, found in seen.items() if found and found.status == "Degraded"]
        if degraded:
            return [_degraded(destination, key, seen[key]) for key in degraded]
        if all(found is None or found.status in {"Healthy", "Suspended"} for found in seen.values()):
            return []
        await woken


async def live_health(destination: Destination, key: ResourceKey) -> Health | None:
    """Give the health of a live object; Progressing while it is not seen yet, None when its kind has none."""
    live = destination.live.get(key)
    return await destination.assess(live) if live else Health("Progressing", "")


def _degraded(destination: Destination, key: ResourceKey, found: Health | None) -> Outcome:
    live = destination.live.get(key)
    version = live.api_version.rpartition("/")[2] if live else ""
    return Outcome(key, version, "SyncFailed", found.message if found else "")
