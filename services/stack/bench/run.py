"""The benchmark: for each count a fresh cluster, bus and stack in a folder that is removed afterwards."""

import asyncio
import tempfile
from pathlib import Path

from services.stack.bench import field, layout, machine, measures
from services.stack.bench.field import Field
from services.stack.bench.figures import Figures, document
from services.stack.bench.machine import Machine
from services.stack.bench.numbers import seconds, spread
from services.stack.install import ensure
from services.stack.notify import Report


async def measure(
    counts: tuple[int, ...], *, pushes: int, poll: bool, target: Path | None, report: Report
) -> list[Figures]:
    done: list[Figures] = []
    where = machine.describe()
    for count in counts:
        with tempfile.TemporaryDirectory(prefix="tiphys-bench-", ignore_cleanup_errors=True) as folder:
            figures = Figures(count)
            done.append(figures)
            async with field.opened(Path(folder), report) as world:
                await _one(world, figures, pushes, polled=poll and count == min(counts), report=report)
        if target is not None:
            await asyncio.to_thread(_write, target, where, done)
    return done


async def _one(world: Field, figures: Figures, pushes: int, *, polled: bool, report: Report) -> None:
    count = figures.count
    report(f"{count} Applications: what a bare client needs")
    await ensure(
        world.cluster,
        world.discovery,
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": layout.BARE_NAMESPACE}},
    )
    figures.bare_first = await measures.bare(world, count, "first")
    figures.bare_all = await measures.bare(world, count, "all", only_maps=True)
    report(f"  {seconds(figures.bare_first)}, and {seconds(figures.bare_all)} for one commit; starting the stack")
    await world.start()
    figures.first_sync = await measures.first_sync(world, count)
    report(f"  first sync: {seconds(figures.first_sync[0])} live, {seconds(figures.first_sync[1])} Synced")
    await _pushes(world, figures, pushes, report)
    figures.all_changed = await measures.push(world, range(count), "all")
    report(f"  all changed: {seconds(figures.all_changed[0])} live, {seconds(figures.all_changed[1])} Synced")
    figures.usage = world.usage()
    figures.restart = await measures.restart(world)
    report(f"  restart: {figures.restart[1]:.0f} writing requests")
    if polled:
        figures.poll = await measures.push(world, [0], "polled", webhook=False)
        report(f"  without a webhook: {seconds(figures.poll[1])}")


async def _pushes(world: Field, figures: Figures, pushes: int, report: Report) -> None:
    numbers = [(step * 7919) % figures.count for step in range(pushes)]
    times = [await measures.push(world, [number], f"push-{step}") for step, number in enumerate(numbers)]
    figures.push_live, figures.push_synced = (
        spread([live for live, _ in times]),
        spread([synced for _, synced in times]),
    )
    report(f"  push to live: {figures.push_live}")
    report(f"  push to Synced: {figures.push_synced}")
    figures.healed = spread([await measures.drift(world, number) for number in numbers])
    report(f"  drift to healed: {figures.healed}")


def _write(target: Path, where: Machine, done: list[Figures]) -> None:
    old = target.read_text() if target.exists() else "# Benchmarks\n"
    target.write_text(document(old, where, done))
