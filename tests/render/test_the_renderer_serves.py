"""The service as it runs: over the bus, with a real cluster's repository Secrets and its own engines."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import orjson
import pytest

from services.renderer.app import app
from services.renderer.handlers import BUCKET
from shared.bus import Bus
from shared.events import RequestError, ResolveChart
from shared.run import Common, opened
from tests.parts.cluster import ClusterUnderTest
from tests.render.service import request
from tests.render.shop import Shop
from tests.render.tools import Mirror, config_map

PASSWORD = "canary-of-the-repository"
SECRET = """\
apiVersion: v1
kind: Secret
metadata:
  name: {name}
  labels: {{argocd.argoproj.io/secret-type: {kind}}}
stringData: {{url: "{url}", username: u, password: {password}, type: helm}}
"""


@asynccontextmanager
async def serving_renderer(nats_url: str, kubeconfig: Path, namespace: str, data: Path) -> AsyncIterator[None]:
    common = Common(nats_url=nats_url, kubeconfig=kubeconfig, namespace=namespace, data=data, health_port=0)
    async with opened(common, ["renderer"], process="tests") as contexts:
        running = asyncio.create_task(app(contexts["renderer"]))
        try:
            yield
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


async def test_requests_are_answered_with_the_secrets_of_the_cluster(  # noqa: PLR0917 - fixtures
    bus: Bus, nats_url: str, cluster: ClusterUnderTest, namespace: str, shop: Shop, tmp_path: Path
) -> None:
    shop.publish("web", ["1.0.0", "1.1.0"])
    shop.authorization = f"Basic {base64.b64encode(f'u:{PASSWORD}'.encode()).decode()}"
    manifests = SECRET.format(name="shop", kind="repository", url=shop.url, password=PASSWORD)
    manifests += "---\n" + SECRET.format(name="broken", kind="repository", url="", password="x")
    cluster.kubectl("apply", "-n", namespace, "-f", "-", stdin=manifests)
    mirror = Mirror(tmp_path / "mirrors", "https://example.org/repo")
    tip = mirror.commit({"app/a.yaml": config_map("a")})
    source = {"repoURL": mirror.url, "path": "app", "@revision": tip}
    async with serving_renderer(nats_url, cluster.kubeconfig, namespace, tmp_path):
        chart = await bus.request(ResolveChart(repo_url=shop.url, chart="web", constraint="1.*"), timeout=120)
        reply = await bus.request(request([source], app_namespace=namespace), timeout=120)
        with pytest.raises(RequestError) as failure:
            await bus.request(request([{**source, "path": "nothing"}]), timeout=120)
    assert chart.version == "1.1.0"
    assert orjson.loads(await bus.get_object(BUCKET, reply.digest))[0]["metadata"]["name"] == "a"
    assert reply.sources[0].input_paths == ("app/",)
    assert (failure.value.reason, failure.value.retriable) == ("PathNotFound", False)
