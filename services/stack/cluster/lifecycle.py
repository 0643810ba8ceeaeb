"""The two ways to have a cluster: for as long as a block of code runs, or left running until it is stopped."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from services.stack.cluster import binaries
from services.stack.cluster import node as node_parts
from services.stack.cluster.api import Api
from services.stack.cluster.control import Cluster, ClusterInfo, choose, prepare, same_kind
from services.stack.cluster.errors import ClusterError, ClusterTakenError, NoClusterError, PartFailedError
from services.stack.cluster.layout import Layout, NodeKind, held
from services.stack.cluster.processes import Processes
from shared.engines.build import Report

_ATTEMPTS = 3


@dataclass(frozen=True)
class PartStatus:
    name: str
    pid: int | None
    memory_bytes: int


@dataclass(frozen=True)
class ClusterStatus:
    """What a cluster is and what of it runs; `ready` only when its API server says so."""

    directory: Path
    node: NodeKind
    server: str
    kubeconfig: Path
    ready: bool
    version: str
    parts: tuple[PartStatus, ...]

    @property
    def memory_bytes(self) -> int:
        return sum(part.memory_bytes for part in self.parts)


@asynccontextmanager
async def running(
    directory: Path,
    *,
    node: NodeKind = "kwok",
    durable: bool = False,
    port: int | None = None,
    report: Report = print,
) -> AsyncIterator[Cluster]:
    """A cluster for the length of the block; what it stored stays in the folder."""
    with held(directory):
        if Processes(Layout(directory), tied=False).running():
            raise ClusterTakenError(directory)
        cluster = await _started(directory, node, durable=durable, port=port, tied=True, report=report)
        try:
            yield cluster
        finally:
            await cluster.stop_all()


async def up(
    directory: Path,
    *,
    node: NodeKind = "kwok",
    durable: bool = True,
    port: int | None = None,
    report: Report = print,
) -> ClusterInfo:
    """Starts a cluster, or what of it doesn't run, and leaves it running."""
    with held(directory):
        cluster = _remembered(Layout(directory))
        if cluster is None or not cluster.processes.pid("kube-apiserver"):
            if cluster:
                await cluster.stop_all()
            cluster = await _started(directory, node, durable=durable, port=port, tied=False, report=report)
        else:
            same_kind(directory, cluster.choices, node)
            cluster = replace(cluster, binaries=await asyncio.to_thread(_programs, node, report), report=report)
            await cluster.start_all()
        return await cluster.info()


async def down(directory: Path, *, purge: bool = False, report: Report = print) -> None:
    """Stops every part; what doesn't run is no error, so it can be repeated."""
    if not Layout(directory).exists():
        raise NoClusterError(directory)
    with held(directory):
        if cluster := _remembered(Layout(directory)):
            await cluster.stop_all()
            report(f"stopped the cluster in {directory}")
        if purge:
            _purge(Layout(directory))


async def status(directory: Path) -> ClusterStatus:
    layout = Layout(directory)
    choices = layout.choices()
    if not choices:
        raise NoClusterError(directory)
    processes = Processes(layout, tied=False)
    async with Api(layout.kubeconfig) as api:
        ready = await api.answers("/readyz")
        version = (await api.get("/version") or {}) if ready else {}
    found = tuple(_part(processes, part) for part in processes.remembered())
    return ClusterStatus(
        directory, choices.node, choices.server, layout.kubeconfig, ready, str(version.get("gitVersion", "")), found
    )


def kubeconfig(directory: Path) -> Path:
    layout = Layout(directory)
    if not layout.choices():
        raise NoClusterError(directory)
    return layout.kubeconfig


async def _started(
    directory: Path, kind: NodeKind, *, durable: bool, port: int | None, tied: bool, report: Report
) -> Cluster:
    programs = await asyncio.to_thread(_programs, kind, report)
    layout = Layout(directory)
    for attempt in range(_ATTEMPTS):
        choices = choose(layout, kind, durable=durable, port=port)
        prepare(layout, choices)
        if kind == "real":
            await asyncio.to_thread(node_parts.prepare, layout)
        cluster = Cluster(layout, choices, programs, Processes(layout, tied=tied), report)
        try:
            await cluster.start_all()
        except BaseException as error:
            await cluster.stop_all()
            if attempt + 1 == _ATTEMPTS or not _lost_a_port(error):
                raise
            report("another program took a port meanwhile, trying others")
        else:
            report(f"the cluster is ready at {cluster.server}")
            return cluster
    raise ClusterError("no free ports were found")


def _programs(kind: NodeKind, report: Report) -> binaries.Binaries:
    found = binaries.find(report)
    return node_parts.programs(found, report) if kind == "real" else found


def _lost_a_port(error: BaseException) -> bool:
    return isinstance(error, PartFailedError) and "address already in use" in error.tail


def _remembered(layout: Layout) -> Cluster | None:
    """The cluster of this folder to look at and to stop; starting parts takes programs as well."""
    choices = layout.choices()
    if not choices:
        return None
    return Cluster(layout, choices, binaries.Binaries({}), Processes(layout, tied=False), _say_nothing)


def _say_nothing(_line: str) -> None:
    """Looking and stopping have no progress worth a line."""


def _purge(layout: Layout) -> None:
    for folder in (layout.pki, layout.run, layout.node, layout.directory / "etcd", layout.directory / "log"):
        shutil.rmtree(folder, ignore_errors=True)
    for file in (layout.kubeconfig, layout.directory / "cluster.json"):
        file.unlink(missing_ok=True)


def _part(processes: Processes, name: str) -> PartStatus:
    pid = processes.pid(name)
    return PartStatus(name, pid, _memory(pid) if pid else 0)


def _memory(pid: int) -> int:
    """The part's proportional share: the parts are one program, whose pages they share."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    kilobytes = next((line.split()[1] for line in lines if line.startswith("Pss:")), "0")
    return int(kilobytes) * 1024
