"""A real gateway for a test: its app on a real bus, reading its secrets from a namespace of the real cluster."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from services.gateway.app import app
from shared.bus.server import Server, running
from shared.events import GitHook
from shared.run import Context, alone, load, opened
from shared.run.settings import Common
from tests.gateway.payloads import Sample, encoded
from tests.parts.cluster import ClusterUnderTest


@dataclass
class Gateway:
    context: Context
    url: str
    http: aiohttp.ClientSession
    cluster: ClusterUnderTest
    namespace: str

    async def post(self, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
        async with self.http.post(self.url, data=body, headers=headers) as response:
            return response.status, json.loads(await response.read())

    async def send(self, sample: Sample, secret: str | None = None) -> tuple[int, dict[str, Any]]:
        body = encoded(sample)
        signed = sample.sign(body, secret) if secret is not None else {}
        return await self.post(body, {"Content-Type": "application/json", **sample.headers, **signed})

    async def hooks(self, url: str) -> list[GitHook]:
        """What the bus holds for a repository."""
        found = []
        async for envelope in self.context.bus.replay("hooks.git"):
            event = envelope.event()
            if isinstance(event, GitHook) and url in event.repo_urls:
                found.append(event)
        return found

    def set_secret(self, name: str = "argocd-secret", **values: str) -> None:
        labels = {"app.kubernetes.io/part-of": "argocd"}
        data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "namespace": self.namespace, "labels": labels},
            "data": data,
        }
        self.cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=json.dumps(secret))

    async def until_note(self, about: str, text: str) -> None:
        """The gateway has seen a change of its secrets, and says so."""
        async with asyncio.timeout(60):
            while text not in self.context.health.report().get("notes", {}).get(about, ""):
                await self.post(b"{}", {"X-GitHub-Event": "ping"})

    async def until_status(self, sample: Sample, secret: str | None, status: int) -> None:
        async with asyncio.timeout(60):
            while (await self.send(sample, secret))[0] != status:
                pass


@asynccontextmanager
async def started(
    nats_url: str, cluster: ClusterUnderTest, namespace: str, data: Path, **settings: Any
) -> AsyncIterator[Gateway]:
    common = load(
        Common,
        nats_url=nats_url,
        namespace=namespace,
        kubeconfig=cluster.kubeconfig,
        data=data,
        health_host="127.0.0.1",
        health_port=0,
    )
    overrides = {"gateway": {"host": "127.0.0.1", "port": 0, **settings}}
    async with opened(common, ["gateway"], process="gateway", overrides=overrides) as contexts:
        context = contexts["gateway"]
        serving = asyncio.create_task(alone(context, app))
        async with asyncio.timeout(90):
            ready = asyncio.create_task(context.health.until_ready())
            await asyncio.wait({serving, ready}, return_when=asyncio.FIRST_COMPLETED)
        assert not serving.done(), serving.exception()
        where = context.health.report()["notes"]["http"].removeprefix("listens on ")
        async with aiohttp.ClientSession() as http:
            yield Gateway(context, f"http://{where}/api/webhook", http, cluster, namespace)
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving


@pytest_asyncio.fixture(scope="session")
async def gateway_nats(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """A bus on which nobody takes hooks away."""
    async with running(tmp_path_factory.mktemp("gateway-nats")) as server:
        yield server


@pytest_asyncio.fixture
async def gateway(
    gateway_nats: Server, cluster: ClusterUnderTest, namespace: str, tmp_path: Path
) -> AsyncIterator[Gateway]:
    async with started(gateway_nats.url, cluster, namespace, tmp_path) as running_gateway:
        yield running_gateway


__all__ = ["Gateway", "started"]
