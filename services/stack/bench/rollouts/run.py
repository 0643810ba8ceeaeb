"""Each part in a fresh cluster of its own, in a folder that is removed afterwards."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from services.stack import cluster as embedded
from services.stack import install
from services.stack.bench import machine
from services.stack.bench.rollouts import field, idle, jitter, latency, promotions
from services.stack.bench.rollouts.field import Field
from services.stack.bench.rollouts.figures import Figures, document
from services.stack.notify import Report
from shared.kube import Discovery, connect

NAMESPACE = "bench"
PARTS = ("promotions", "idle", "latency", "jitter")


@dataclass(frozen=True)
class Sizes:
    rollouts: int = 300
    idle: int = 5000
    promotions: int = 100
    runs: int = 1000
    idle_seconds: float = 60.0
    interval: float = 10.0
    quiet: float = 3.0


async def measure(only: tuple[str, ...], sizes: Sizes, report: Report) -> Figures:
    """What each part gave is reported as soon as it is known."""
    figures, told = Figures(), 0
    for part in only:
        with tempfile.TemporaryDirectory(prefix="tiphys-bench-", ignore_cleanup_errors=True) as folder:
            async with _fresh(Path(folder), report, kinds(part)) as world:
                await one(world, part, sizes, figures)
        rows = figures.rows()
        for name, value in rows[told:]:
            report(f"  {name.replace('&nbsp;', '')}: {value}")
        told = len(rows)
    return figures


def kinds(part: str) -> tuple[str, ...]:
    """What a part watches besides Rollouts."""
    return ("Ingress",) if part == "latency" else ()


async def one(world: Field, part: str, sizes: Sizes, figures: Figures) -> None:
    match part:
        case "promotions":
            figures.promotions = await promotions.measure(world, sizes.rollouts, sizes.quiet)
        case "idle":
            figures.idle = await idle.measure(world, sizes.idle, sizes.idle_seconds, sizes.quiet)
        case "latency":
            figures.latency = await latency.measure(world, sizes.promotions)
        case "jitter":
            figures.jitter = await jitter.measure(world, sizes.runs, sizes.interval)


@asynccontextmanager
async def _fresh(folder: Path, report: Report, watched: tuple[str, ...]) -> AsyncIterator[Field]:
    async with embedded.running(folder / "cluster", report=lambda _line: None) as running:
        async with connect(running.kubeconfig, None) as cluster:
            await install.install_crds(cluster, part_of="argo-rollouts")
            namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
            await install.ensure(cluster, Discovery(cluster), namespace)
        async with field.opened(running.kubeconfig, NAMESPACE, folder, report, kinds=watched) as world:
            yield world


async def write(target: Path, where: machine.Machine, figures: Figures) -> None:
    old = await asyncio.to_thread(target.read_text)
    await asyncio.to_thread(target.write_text, document(old, where, figures))
