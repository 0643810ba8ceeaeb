"""Many Rollouts of which nothing is wanted: what they cost, and what a restart costs that finds nothing to do."""

import asyncio
from dataclasses import dataclass

from services.stack.bench.rollouts import layout
from services.stack.bench.rollouts.field import Clock, Field, healthy
from services.stack.bench.rollouts.process import Manager


@dataclass(frozen=True)
class Idle:
    """`share` is of one core; memory is the rollout manager's own, without its engines."""

    count: int
    made: float
    share: float
    rss_mb: float
    each_kb: float
    restart: float
    restart_cpu: float
    restart_writes: int


async def measure(field: Field, count: int, seconds: float, quiet: float) -> Idle:
    """The Rollouts have no pods: those would measure the node."""
    async with field.manager() as manager:
        empty = manager.usage().rss_mb
        field.report(f"{count} idle Rollouts")
        clock = Clock.start()
        await field.create(layout.rollout(n, field.namespace, 0, layout.by_pods()) for n in range(count))
        await field.until_each(manager, count, lambda number: healthy(field.rollout(number)))
        made = clock.read()
        field.report(f"  made and Healthy after {made:.1f} s; {seconds:.0f} s of nothing")
        before = await field.settled(quiet)
        share = await _share(manager, seconds)
        full = manager.usage().rss_mb
    field.report("  a restart")
    clock = Clock.start()
    async with field.manager() as manager:
        await _quiet(manager)
        took, used = clock.read(), manager.usage()
        written = await field.settled(quiet) - before
    changes = sum(number for (kind, _), number in written.items() if kind in {"rollouts", "replicasets"})
    return Idle(count, made, share, full, (full - empty) * 1000 / count, took, used.cpu_s, changes)


async def _share(manager: Manager, seconds: float) -> float:
    before, clock = manager.usage(), Clock.start()
    await asyncio.sleep(seconds)
    return manager.usage().since(before).cpu_s / clock.read()


async def _quiet(manager: Manager) -> None:
    """Wait until it has nothing to do."""
    async with asyncio.timeout(300):
        while await _share(manager, 1.0) > 0.1:
            pass
