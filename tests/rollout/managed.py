"""A rollout manager that runs as it does on its own, on the real API server, for one namespace; and waiting for what is
seen there.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest
from pydantic import SecretStr

from services.rollout_manager.app import app
from shared.kube import Cluster, Discovery, Informer, verbs
from shared.run import Common, opened
from tests.rollout.rollouts import Obj

ARGO = "argoproj.io"
GROUPS = {
    "Rollout": ARGO,
    "AnalysisTemplate": ARGO,
    "AnalysisRun": ARGO,
    "Experiment": ARGO,
    "ReplicaSet": "apps",
    "Deployment": "apps",
    "Job": "batch",
    "Ingress": "networking.k8s.io",
    "EndpointSlice": "discovery.k8s.io",
    "HorizontalPodAutoscaler": "autoscaling",
    "Lease": "coordination.k8s.io",
    "PodDisruptionBudget": "policy",
}


@dataclass
class Managed:
    """One namespace. `run` is a manager's life; a test may end one and begin another."""

    kubeconfig: Path
    namespace: str
    data: Path
    cluster: Cluster
    discovery: Discovery
    instance: str = ""
    names: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        common = Common(
            nats_url=SecretStr("none"),
            kubeconfig=self.kubeconfig,
            data=self.data,
            health_host="127.0.0.1",
            health_port=0,
            engine_processes=1,
        )
        scope = {"namespace_scope": self.namespace, "leader_election": False, "instance_id": self.instance}
        service = "rollout_manager"
        async with opened(common, [service], process=service, overrides={service: scope}) as contexts:
            running = asyncio.create_task(app(contexts[service]))
            try:
                await asyncio.wait(
                    {running, asyncio.create_task(contexts[service].health.until_ready())},
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if running.done():
                    running.result()
                yield
            finally:
                running.cancel()
                await asyncio.wait({running})

    async def apply(self, obj: Obj) -> Obj:
        """As a person's kubectl does."""
        obj = {**obj, "metadata": {**obj["metadata"], "namespace": self.namespace}}
        group = obj["apiVersion"].rpartition("/")[0]
        resource = await self.discovery.resource(group, obj["kind"])
        obj["metadata"].pop("uid", None)
        obj["metadata"].pop("generation", None)
        return await verbs.apply(self.cluster, resource, obj, manager="the-test", force=True)

    async def get(self, kind: str, name: str) -> Obj:
        return await verbs.get(
            self.cluster, await self.discovery.resource(GROUPS.get(kind, ""), kind), self.namespace, name
        )

    async def delete(self, kind: str, name: str) -> None:
        resource = await self.discovery.resource(GROUPS.get(kind, ""), kind)
        await verbs.delete(self.cluster, resource, self.namespace, name)

    async def list(self, kind: str) -> list[Obj]:
        return await verbs.list_(
            self.cluster, await self.discovery.resource(GROUPS.get(kind, ""), kind), self.namespace
        )

    async def patch(self, patch: Obj, *, kind: str = "Rollout", name: str = "web", subresource: str = "") -> Obj:
        resource = await self.discovery.resource(GROUPS.get(kind, ""), kind)
        return await verbs.patch(self.cluster, resource, self.namespace, name, patch, subresource=subresource)

    async def status(self, patch: Obj) -> None:
        """As `kubectl argo rollouts` does."""
        await self.patch({"status": patch}, subresource="status")

    async def push(self, image: str) -> None:
        await self.patch({"spec": {"template": {"spec": {"containers": [{"name": "c", "image": image}]}}}})

    async def until(
        self, holds: Callable[[Obj], Any], *, kind: str = "Rollout", name: str = "web", seconds: float = 60
    ) -> Obj:
        """Wait until an object is as `holds` says."""
        resource = await self.discovery.resource(GROUPS.get(kind, ""), kind)
        found: asyncio.Future[Obj] = asyncio.get_running_loop().create_future()
        seen: list[Obj] = []

        def take(type_: Any, _key: Any, obj: Obj, _old: Any) -> None:
            seen[:] = [obj]
            if type_ != "DELETED" and not found.done() and _holds(holds, obj):
                found.set_result(obj)

        selector = f"metadata.name={name}"
        informer = Informer(self.cluster, resource, orjson.loads, namespace=self.namespace, field_selector=selector)
        watching = asyncio.create_task(informer.run(take))
        try:
            async with asyncio.timeout(seconds):
                return await found
        except TimeoutError:
            last = {part: value for obj in seen for part, value in obj.items() if part != "metadata"}
            pytest.fail(f"{kind} {name} did not become what the test waits for: {orjson.dumps(last).decode()}")
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    @asynccontextmanager
    async def each(self, kind: str, name: str, value: Callable[[Obj], Any]) -> AsyncIterator[Sequence[Any]]:
        """All values that an object comes to have, in their order, from now on and until the block's end."""
        resource = await self.discovery.resource(GROUPS.get(kind, ""), kind)
        seen: deque[Any] = deque()
        version, news = [0], asyncio.Event()

        def take(type_: Any, _key: Any, obj: Obj, _old: Any) -> None:
            version[0] = int(obj["metadata"]["resourceVersion"])
            news.set()
            if type_ != "DELETED" and (now := value(obj)) not in [*seen][-1:]:
                seen.append(now)

        selector = f"metadata.name={name}"
        informer = Informer(self.cluster, resource, orjson.loads, namespace=self.namespace, field_selector=selector)
        watching = asyncio.create_task(informer.run(take))
        try:
            await informer.listed()
            yield seen
            last = int((await self.get(kind, name))["metadata"]["resourceVersion"])
            async with asyncio.timeout(60):
                while version[0] < last:  # this watch may be behind the one by which the test saw the end
                    news.clear()
                    await news.wait()
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def until_event(self, reason: str, words: str) -> Obj:
        """Wait for a Kubernetes Event of this reason that says so; others of the reason may come before it."""
        found: asyncio.Future[Obj] = asyncio.get_running_loop().create_future()

        def take(_type: Any, _key: Any, event: Obj, _old: Any) -> None:
            if event["reason"] == reason and words in event["message"] and not found.done():
                found.set_result(event)

        resource = await self.discovery.resource("", "Event")
        watching = asyncio.create_task(
            Informer(self.cluster, resource, orjson.loads, namespace=self.namespace).run(take)
        )
        try:
            async with asyncio.timeout(60):
                return await found
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def until_phase(self, phase: str, *, seconds: float = 60, **fields: Any) -> Obj:
        """Wait for a phase of the observed generation, and status fields."""

        def holds(obj: Obj) -> bool:
            status = obj["status"]
            seen = status["observedGeneration"] == str(obj["metadata"]["generation"])
            return (
                seen and status["phase"] == phase and all(status.get(name) == value for name, value in fields.items())
            )

        return await self.until(holds, seconds=seconds)

    async def counts(self) -> dict[str, int]:
        """How many pods each image's ReplicaSet is told to have."""
        return {image_of(one): one["spec"]["replicas"] for one in await self.list("ReplicaSet")}


def image_of(obj: Obj) -> str:
    return str(obj["spec"]["template"]["spec"]["containers"][0]["image"])


def _holds(holds: Callable[[Obj], Any], obj: Obj) -> bool:
    try:
        return bool(holds(obj))
    except (KeyError, IndexError, TypeError):
        return False
