"""Two reconcilers, each a process of its own, share many Applications; one is killed while a commit that changes all of
them is under way.

In: how many. Out: the time until the survivor holds all partitions, the time until everything is Synced at the commit,
and how many more writing requests there were than one for each object. The other services run once, each alone.
"""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from services.reconciler.membership import read_table
from services.reconciler.partitions import COUNT
from services.stack.bench import field, layout
from services.stack.bench.field import Field
from services.stack.bench.forge import Forge
from services.stack.bench.measures import PATIENCE, arrival, first_sync, synced_at
from services.stack.bench.requests import written
from services.stack.gitserver import GitServer
from services.stack.notify import Report
from services.stack.options import StackError, free_port
from shared.bus import Kv, connect

SERVICES = ("gateway", "git_watcher", "renderer")
REPLICAS = ("reconciler 1", "reconciler 2")
LOOK_EVERY = 0.05


@dataclass(frozen=True)
class Taken:
    """Seconds, and requests. `again`: those beyond one for each object of the commit."""

    first_sync: float
    held: float
    synced: float
    again: int


async def measure_replicas(count: int, report: Report) -> Taken:
    """Measure it once, in a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="tiphys-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        async with field.opened(folder, report) as world, GitServer(folder / "git") as git:
            with processes(world, folder) as started:
                bus_url = world.options.nats
                assert bus_url
                async with connect(bus_url, service="bench") as bus:
                    leases = await bus.kv("leases")
                    await until_held(leases, lambda holders: len(set(holders) - {""}) == len(REPLICAS))
                    gateway = f"http://127.0.0.1:{world.options.port}/api/webhook"
                    world.forge = Forge(git.folder / "bench.git", git.url_of("bench"), gateway, world.http)
                    return await one_is_killed(world, started[REPLICAS[1]], leases, count, report)


async def one_is_killed(world: Field, victim: subprocess.Popen[bytes], leases: Kv, count: int, report: Report) -> Taken:
    """The measured course."""
    _, first = await first_sync(world, count)
    report(f"{count} Applications, first sync by two replicas: {first:.1f} s; a commit changes all, one is killed")
    before = await maps_written(world)
    files = layout.files(count, "all")
    earlier, revision, _ = world.forge.commit(files, "All")
    await world.forge.tell(earlier, revision, list(files))
    await world.observed.until(lambda: changed(world, revision), PATIENCE, lambda: "nothing has begun")
    os.killpg(victim.pid, signal.SIGKILL)
    begun = time.monotonic()
    numbers = range(count)
    arriving = asyncio.create_task(arrival(world, numbers, "all", revision, begun))
    await until_held(leases, lambda holders: len(set(holders)) == 1 and "" not in holders)
    held = time.monotonic() - begun
    report(f"the other holds all {COUNT} partitions after {held:.1f} s")
    _, synced = await arriving
    again = await maps_written(world) - before - count * layout.CONFIGMAPS
    report(f"everything is Synced after {synced:.1f} s; {again} ConfigMaps were written once more")
    return Taken(first, held, synced, again)


def changed(world: Field, revision: str) -> bool:
    """Tell whether some Application is Synced at the commit already."""
    return any(synced_at(app, revision) for app in world.observed.objects("Application").values())


async def maps_written(world: Field) -> int:
    """Count the writes of ConfigMaps so far, as the API server does; a bench without other clients has no others."""
    found = await written(world.cluster, dry_runs=False)
    return sum(number for (resource, _), number in found.items() if resource == "configmaps")


async def until_held(leases: Kv, wanted: Callable[[tuple[str, ...]], bool]) -> None:
    """Look at the table of partitions until it is as wanted. Raises StackError."""
    try:
        async with asyncio.timeout(120):
            while not wanted((await read_table(leases)).holders):  # noqa: ASYNC110
                await asyncio.sleep(LOOK_EVERY)
    except TimeoutError as error:
        raise StackError("the partitions were not shared as they should be within 120 s") from error


@contextmanager
def processes(world: Field, folder: Path) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """Start every part, each in its own process group; end them all afterwards."""
    started: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for part in (*SERVICES, *REPLICAS):
            started[part] = start(world, folder, part)
        yield started
    finally:
        for process in started.values():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def start(world: Field, folder: Path, part: str) -> subprocess.Popen[bytes]:
    service, options = part.split(maxsplit=1)[0], world.options
    listen = f"127.0.0.1:{options.port if service == 'gateway' else free_port()}"
    command = [sys.executable, "-m", "services.cli", "run", service, "--listen", listen, "--nats", str(options.nats)]
    where = ["--kubeconfig", str(options.kubeconfig), "--data", str(folder / "parts")]
    with (folder / f"{part}.log").open("ab") as log:
        return subprocess.Popen([*command, *where], stdout=log, stderr=log, start_new_session=True)
