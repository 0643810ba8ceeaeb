"""One cluster in hand: start, stop, kill and start again its parts, in the order they need, each waited for until it
works.

Readiness is an effect, not a promise: etcd accepts connections, the API server says `/readyz`, the controllers have
made the default service account, the node is Ready.
"""

import asyncio
import shutil
import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from services.stack.cluster import certificates, machine, node, parts
from services.stack.cluster.api import Api
from services.stack.cluster.binaries import Binaries
from services.stack.cluster.errors import ClusterError, DiskFullError, PortTakenError
from services.stack.cluster.layout import Choices, Layout, NodeKind
from services.stack.cluster.processes import POLL_SECONDS, Processes
from shared.engines.build import Report

READY_SECONDS = 90.0
_LOOPBACK = "127.0.0.1"
_NEEDED_MB = 300
_FIRST, _LAST = ("etcd", "kube-apiserver"), ("kubelet", "kube-proxy")
_LEASED, _LEASES = ("kwok", "kubelet"), "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/"
_NODE_PARTS: dict[NodeKind, tuple[str, ...]] = {"kwok": ("kwok",), "real": node.PARTS, "none": ()}


@dataclass(frozen=True)
class ClusterInfo:
    """How to reach a running cluster."""

    directory: Path
    kubeconfig: Path
    server: str
    node: NodeKind
    version: str


@dataclass
class Cluster:
    """The parts of one cluster."""

    layout: Layout
    choices: Choices
    binaries: Binaries
    processes: Processes
    report: Report

    @property
    def kubeconfig(self) -> Path:
        return self.layout.kubeconfig

    @property
    def server(self) -> str:
        return self.choices.server

    def parts(self) -> tuple[str, ...]:
        """In the order they are started; what has no program (a folder of ready binaries may lack some) is left out."""
        wanted = (*parts.CONTROL_PLANE, *_NODE_PARTS[self.choices.node])
        return tuple(part for part in wanted if part in self.binaries)

    async def start(self, part: str) -> None:
        """Starts one part, unless it runs, and waits until it works."""
        if part in _LEASED and not self.processes.pid(part):
            await forget_leases(self.kubeconfig)
        self.processes.start(part, self.binaries[part], self._arguments(part))
        await self.until(part, lambda: self.works(part))

    async def stop(self, part: str) -> None:
        await self.processes.stop(part)

    async def kill(self, part: str) -> None:
        await self.processes.kill(part)

    def _arguments(self, part: str) -> list[str]:
        if part in node.PARTS:
            return node.arguments(part, self.layout)
        return parts.arguments(part, self.layout, self.choices)

    async def works(self, part: str) -> bool:
        if part == "etcd":
            return accepts(_LOOPBACK, self.choices.etcd_port)
        if part in ("containerd", "kube-proxy"):
            return await asyncio.to_thread(node.works, part)
        async with Api(self.kubeconfig) as api:
            match part:
                case "kube-apiserver":
                    return await api.answers("/readyz")
                case "kube-controller-manager":
                    return await api.answers("/api/v1/namespaces/default/serviceaccounts/default")
                case "kwok" | "kubelet":
                    return await node_ready(api) and await api.answers(_LEASES + node.NAME)
        return True

    async def until(self, part: str, works: Callable[[], Awaitable[bool]], *, seconds: float = READY_SECONDS) -> None:
        """Waits for an effect of a part; its death or silence is an error that shows its log."""
        limit = time.monotonic() + seconds
        while not await works():
            if self.processes.pid(part) is None:
                first_to_end = next(one for one in (*_FIRST, part) if self.processes.pid(one) is None)
                raise self.processes.failure(first_to_end, "ended before it was ready")
            if time.monotonic() > limit:
                raise self.processes.failure(part, f"is not ready after {seconds:.0f} s")
            await asyncio.sleep(POLL_SECONDS)

    async def start_all(self) -> None:
        """Each after what it needs: the kubelet needs images, and kube-proxy waits for the kubelet's node."""
        for part in _FIRST:
            await self.start(part)
        if self.choices.node == "kwok" and "kwok" in self.binaries:
            await make_node(self.kubeconfig)
        await self._start_together([part for part in self.parts() if part not in (*_FIRST, *_LAST)])
        if self.choices.node == "real":
            await asyncio.to_thread(node.import_images, self.report, self.binaries["pause"])
            for part in _LAST:
                await self.start(part)

    async def _start_together(self, together: list[str]) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for part in together:
                    group.create_task(self.start(part))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from failures

    async def stop_all(self) -> None:
        """Clients first, so that nobody retries against a missing server; etcd last, so that all writes are in.

        A cluster that isn't to last is killed at once: what etcd accepted is in its files either way.
        """
        end = self.stop if self.choices.durable else self.kill
        async with asyncio.TaskGroup() as group:
            for part in self.processes.remembered():
                if part not in _FIRST:
                    group.create_task(end(part))
        for part in reversed(_FIRST):
            await end(part)
        if self.choices.node == "real":
            await asyncio.to_thread(node.sweep, self.layout)

    async def info(self) -> ClusterInfo:
        async with Api(self.kubeconfig) as api:
            version = await api.get("/version") or {}
        return ClusterInfo(
            self.layout.directory, self.kubeconfig, self.server, self.choices.node, str(version.get("gitVersion", ""))
        )


def choose(layout: Layout, kind: NodeKind, *, durable: bool, port: int | None) -> Choices:
    """The ports of the last time when they are still free, so that kubeconfigs stay good; else others."""
    known = layout.choices()
    if known:
        same_kind(layout.directory, known, kind)
    address = machine.BRIDGE_ADDRESS if kind == "real" else _LOOPBACK
    if port and accepts(address, port):
        raise PortTakenError(port)
    if known and port in (None, known.api_port) and not _any_taken(known):
        return known
    api_port, etcd_port = free_ports(2)
    return Choices(node=kind, durable=durable, address=address, api_port=port or api_port, etcd_port=etcd_port)


def same_kind(directory: Path, known: Choices, kind: NodeKind) -> None:
    if known.node != kind:
        raise ClusterError(f"{directory} holds a cluster with --node {known.node}: use that again, or purge it first")


def prepare(layout: Layout, choices: Choices) -> None:
    layout.make()
    free_mb = shutil.disk_usage(layout.directory).free // 1_000_000
    if free_mb < _NEEDED_MB:
        raise DiskFullError(layout.directory, free_mb, _NEEDED_MB)
    certificates.ensure(layout, choices.address, node.NAME)
    certificates.write_kubeconfigs(layout, choices.server)
    layout.remember(choices)


async def node_ready(api: Api) -> bool:
    found = await api.get(f"/api/v1/nodes/{node.NAME}") or {}
    conditions = found.get("status", {}).get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


async def make_node(kubeconfig: Path) -> None:
    """The Node object that kwok brings to life; the real kubelet makes its own."""
    labels = {
        "kubernetes.io/hostname": node.NAME,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "type": "kwok",
    }
    made = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": node.NAME, "labels": labels}}
    async with Api(kubeconfig) as api:
        status, body = await api.request("POST", "/api/v1/nodes", made)
    if status not in (201, 409):
        raise ClusterError(f"the simulated node could not be made ({status}): {body[:300].decode(errors='replace')}")


async def forget_leases(kubeconfig: Path) -> None:
    """A killed kwok's lease would keep its successor waiting for 40 s; a new lease shows that the node works."""
    async with Api(kubeconfig) as api:
        await api.request("DELETE", _LEASES.rstrip("/"))


def accepts(host: str, port: int) -> bool:
    with socket.socket() as attempt:
        attempt.settimeout(1)
        return attempt.connect_ex((host, port)) == 0


def free_ports(count: int) -> list[int]:
    """Held together while they are asked for, so that they differ."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind((_LOOPBACK, 0))
        return [int(each.getsockname()[1]) for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _any_taken(choices: Choices) -> bool:
    return accepts(choices.address, choices.api_port) or accepts(_LOOPBACK, choices.etcd_port)
