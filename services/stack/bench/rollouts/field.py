"""Where one part is measured: a cluster with a namespace, and the bench's own eyes on it."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.stack.bench.measures import each
from services.stack.bench.requests import Writes, written
from services.stack.bench.rollouts import layout
from services.stack.bench.rollouts.process import Manager, running
from services.stack.notify import Report
from services.stack.observe import Observed, Watching, observing
from shared.kube import Cluster, Discovery, connect, verbs

Obj = dict[str, Any]
ARGO = "argoproj.io"
PATIENCE = 600.0
GROUPS = {
    "Rollout": ARGO,
    "AnalysisRun": ARGO,
    "ReplicaSet": "apps",
    "Ingress": "networking.k8s.io",
}


@dataclass
class Field:
    """`scope`: the namespace that the rollout manager keeps to; empty: it sees all, as it does in a cluster."""

    kubeconfig: Path
    namespace: str
    folder: Path
    cluster: Cluster
    discovery: Discovery
    observed: Observed
    report: Report
    scope: str = ""

    @asynccontextmanager
    async def manager(self) -> AsyncIterator[Manager]:
        async with running(self.kubeconfig, self.folder, self.scope) as manager:
            yield manager

    async def create(self, objects: Iterable[Obj]) -> None:
        await each(self._create(obj) for obj in objects)

    async def _create(self, obj: Obj) -> None:
        group = obj["apiVersion"].rpartition("/")[0] if "/" in obj["apiVersion"] else ""
        await verbs.create(self.cluster, await self.discovery.resource(group, obj["kind"]), obj)

    async def patch(self, kind: str, name: str, body: Obj, subresource: str = "") -> Obj:
        resource = await self.discovery.resource(GROUPS[kind], kind)
        return await verbs.patch(self.cluster, resource, self.namespace, name, body, subresource=subresource)

    async def push(self, number: int) -> None:
        """A new image in a Rollout."""
        container = {"name": "main", "image": layout.SECOND}
        body = {"spec": {"template": {"spec": {"containers": [container]}}}}
        await self.patch("Rollout", layout.name_of(number), body)

    def rollout(self, number: int) -> Obj:
        return self.observed.get("Rollout", self.namespace, layout.name_of(number)) or {}

    async def until_each(self, manager: Manager, count: int, holds: Callable[[int], bool]) -> None:
        """Wait until something holds for all; the last of those that lack it is looked at when an object changes."""
        left = list(range(count))

        def all_of_them() -> bool:
            while left and holds(left[-1]):
                left.pop()
            return not left

        waiting = self.observed.until(all_of_them, PATIENCE, lambda: f"{len(left)} are left")
        await while_running(manager, waiting)

    async def settled(self, quiet: float) -> Writes:
        """Wait until nothing but leases has been written for so many seconds; gives what was written in all."""
        before = await written(self.cluster)
        async with asyncio.timeout(PATIENCE):
            while True:
                await asyncio.sleep(quiet)
                after = await written(self.cluster)
                if not sum(count for (kind, _), count in (after - before).items() if kind != "leases"):
                    return after
                before = after


async def while_running(manager: Manager, work: Awaitable[Any]) -> None:
    """Raises StackError when the rollout manager ends before the work is done."""
    tasks = [asyncio.ensure_future(work), asyncio.ensure_future(manager.gone())]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def healthy(rollout: Obj) -> bool:
    """Its newest generation was seen, and it is Healthy."""
    status = rollout.get("status") or {}
    return status.get("phase") == "Healthy" and status.get("observedGeneration") == str(
        rollout["metadata"]["generation"]
    )


def image_of(rollout: Obj) -> str:
    return str(rollout["spec"]["template"]["spec"]["containers"][0]["image"]) if rollout else ""


@asynccontextmanager
async def opened(
    kubeconfig: Path, namespace: str, folder: Path, report: Report, *, scope: str = "", kinds: Iterable[str] = ()
) -> AsyncIterator[Field]:
    async with AsyncExitStack() as parts:
        cluster = await parts.enter_async_context(connect(kubeconfig, None))
        watched = [Watching(GROUPS[kind], kind, namespace) for kind in ("Rollout", *kinds)]
        observed = await parts.enter_async_context(observing(cluster, *watched))
        yield Field(kubeconfig, namespace, folder, cluster, Discovery(cluster), observed, report, scope)


@dataclass
class Clock:
    """Seconds since it was made."""

    begun: float

    @classmethod
    def start(cls) -> "Clock":
        return cls(time.monotonic())

    def read(self) -> float:
        return time.monotonic() - self.begun
