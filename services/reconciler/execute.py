"""Carrying out a plan: wave by wave prune, apply and run hooks (write.py and hooks.py do one object), wait for what has
to be waited for (waits.py), and say for each object what became of it.

In: waves (plan.py) and the destination. Out: outcomes, as `syncResult.resources` shows them; a later one of the same
object replaces the earlier. A wave that failed is the last one. In a sync of several waves or phases each, the last
too, is over when all that it applied is healthy; hooks are waited for, and what was pruned, in any (spec 2.5). Never:
deciding what is to be done.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from services.reconciler.desired import Target
from services.reconciler.hooks import HookRun, start_hook
from services.reconciler.live import Changes
from services.reconciler.outcome import Outcome
from services.reconciler.plan import Wave, provides
from services.reconciler.waits import (
    DEFINITION,
    BecomesHealthy,
    Ends,
    IsGone,
    Judge,
    settle,
    unseen_until_gone,
    until_served,
)
from services.reconciler.write import Writing, apply_one, prune_one
from shared.kinds.refs import GroupKind, ResourceKey


async def _nothing() -> None: ...


async def _no_gate(_pruned: Sequence[ResourceKey]) -> None: ...


@dataclass(frozen=True, slots=True)
class Work:
    """One run of a plan. `persist` writes down what is known so far, before and after hooks begin; `gate` lets a wave
    begin.
    """

    writing: Writing
    slots: asyncio.Semaphore
    hooks: HookRun
    started: Callable[[], None] = lambda: None
    waiting: Callable[[bool], AbstractContextManager[Any]] = nullcontext
    persist: Callable[[], Awaitable[None]] = _nothing
    gate: Callable[[Sequence[ResourceKey]], Awaitable[None]] = _no_gate


async def execute(work: Work, waves: Sequence[Wave]) -> AsyncIterator[list[Outcome]]:
    """Do the waves in order; stops after one in which something failed."""
    needed = {target.key.group_kind for wave in waves for target in wave.targets}
    for wave in waves:
        await work.gate(wave.pruned)
        doing = InWave(work, wave, needed, gated=len(waves) > 1)
        async for outcomes in doing.run():
            yield outcomes
        if doing.failed:
            return


class InWave:
    """One wave while it is done. `judges` says of each object what it has to become."""

    def __init__(self, work: Work, wave: Wave, needed: set[GroupKind], *, gated: bool) -> None:
        self.work, self.needed, self.gated = work, needed, gated
        self.phase = wave.phase
        self.prunes = wave.prunes
        prepare = work.hooks.prepared
        self.applies = [
            [prepare(target, wave.phase) if target.hooks else target for target in group] for group in wave.applies
        ]
        self.hooks = {target.key for group in self.applies for target in group if target.hooks}
        self.failed = False
        self.judges: dict[ResourceKey, Judge] = {}
        self.running: set[ResourceKey] = set()
        self.changes: Changes = asyncio.Queue()

    async def run(self) -> AsyncIterator[list[Outcome]]:
        """Write, then wait. Hooks are followed from before they begin, so that none ends unseen."""
        live, changes = self.work.writing.destination.live, self.changes
        with live.follow(self.hooks, changes):
            async for outcomes in self.write():
                self.failed = self.failed or any(one.failed for one in outcomes)
                yield outcomes
            if self.running:
                await self.work.persist()
            judges = {key: judge for key, judge in self.judges.items() if not self.failed or key in self.running}
            with live.follow(judges.keys() - self.hooks, changes):
                for key in judges:
                    changes.put_nowait((key, live.get(key)))
                async for outcome in settle(changes, judges, self.running, self.work.waiting):
                    self.failed = self.failed or outcome.failed
                    yield [outcome]

    async def write(self) -> AsyncIterator[list[Outcome]]:
        """Prune, apply and start hooks, one kind after the other, up to the first that fails.

        What only writes holds a slot, so that few syncs end soon instead of all late.
        """
        if self.hooks and not self.work.writing.dry_run:
            await self.work.persist()
        async with nullcontext() if self.hooks else self.work.slots:
            self.work.started()
            for keys in self.prunes:
                yield list(await asyncio.gather(*(self.prune(key) for key in keys)))
            for group in self.applies:
                outcomes = list(await asyncio.gather(*(self.apply(target) for target in group)))
                yield outcomes
                if any(one.failed for one in outcomes):
                    return
                yield await self.served(group, outcomes)

    async def prune(self, key: ResourceKey) -> Outcome:
        destination = self.work.writing.destination
        live = destination.live.get(key)
        outcome = await prune_one(self.work.writing, key)
        if live is None or outcome.status != "Pruned" or self.work.writing.dry_run:
            return outcome
        if key.group_kind in destination.watched:
            self.judges[key] = IsGone(outcome, live.uid)
        else:
            await unseen_until_gone(destination, key, live.uid)
        return outcome

    async def apply(self, target: Target) -> Outcome:
        writing = self.work.writing
        if not target.hooks:
            outcome = await apply_one(writing, target, self.phase)
            seen = target.key.group_kind in writing.destination.watched
            if self.gated and seen and not outcome.failed and not writing.dry_run:
                self.judges[target.key] = BecomesHealthy(outcome, writing.destination.assess)
            return outcome
        if writing.dry_run:
            return Outcome(target.key, target.version, "", "not run (dry run)", self.phase, hook=self.phase)
        outcome, uid = await start_hook(writing.destination, self.work.hooks, target, self.phase)
        if uid:
            self.judges[target.key] = Ends(outcome, uid, writing.destination.assess)
            self.running.add(target.key)
            self.changes.put_nowait((target.key, writing.destination.live.get(target.key)))
        return outcome

    async def served(self, group: Sequence[Target], outcomes: list[Outcome]) -> list[Outcome]:
        """Wait until what was just defined can be used, where this sync uses it."""
        found = {one.key: GroupKind(*provides(one.obj)[1:]) for one in group if one.key.group_kind == DEFINITION}
        used = {key: kind for key, kind in found.items() if kind in self.needed}
        destination = self.work.writing.destination
        if not used or self.work.writing.dry_run or await until_served(destination, used, set(used.values())):
            return []
        late = "the CustomResourceDefinition was not established in time: `kubectl describe` it to see what it lacks"
        return [
            Outcome(one.key, one.version, "SyncFailed", late, self.phase, retriable=True)
            for one in outcomes
            if one.key in used
        ]
