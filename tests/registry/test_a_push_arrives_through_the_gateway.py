"""A push to a real registry, which notifies the gateway by itself, becomes one event: real parts all the way."""

import asyncio
from pathlib import Path
from typing import Any

from services.gateway.app import app as gateway
from services.registry_watcher.app import app as registry_watcher
from shared.bus import Bus
from shared.bus.server import running
from shared.events import ImagePushed, WatchedImage, WatchImages
from shared.run import alone, load, opened
from shared.run.settings import Common
from tests.bus.tools import background
from tests.parts.cluster import ClusterUnderTest
from tests.parts.images import push_image, push_index
from tests.parts.registry import running_registry
from tests.registry.test_the_service_on_a_cluster import config_map, until_tags
from tests.registry.watching import plain

SECRET = "correct horse battery"


async def _pushed(bus: Bus, tag: str) -> ImagePushed:
    async for envelope in bus.replay("delivery.image.pushed", follow=True):
        event = envelope.event()
        if isinstance(event, ImagePushed) and event.tag == tag:
            return event
    raise AssertionError("the stream ended")


async def test_an_index_of_two_platforms_arrives_as_one_event(
    cluster: ClusterUnderTest, namespace: str, tmp_path: Path
) -> None:
    secret = f"--from-literal=webhook.distribution-secret={SECRET}"
    cluster.kubectl("create", "secret", "generic", "argocd-image-updater-secret", "-n", namespace, secret)
    async with running(tmp_path / "nats") as server:
        common = load(
            Common,
            nats_url=server.url,
            namespace=namespace,
            kubeconfig=cluster.kubeconfig,
            data=tmp_path / "data",
            health_host="127.0.0.1",
            health_port=0,
        )
        settings: dict[str, dict[str, Any]] = {
            "gateway": {"host": "127.0.0.1", "port": 0},
            "registry_watcher": {"poll_seconds": 3600.0},
        }
        async with opened(common, list(settings), process="tests", overrides=settings) as contexts:
            edge, watcher = contexts["gateway"], contexts["registry_watcher"]
            async with background(alone(edge, gateway), alone(watcher, registry_watcher)):
                async with asyncio.timeout(60):
                    await edge.health.until_ready()
                    await watcher.health.until_ready()
                port = edge.health.report()["notes"]["http"].rpartition(":")[2]
                webhook = f"http://127.0.0.1:{port}/api/webhook/registry?type=distribution"
                there = running_registry(tmp_path / "registry", webhook=webhook, secret=f"Bearer {SECRET}")
                async with there as registry:
                    config_map(cluster, namespace, "argocd-image-updater-config", registries_conf=plain(registry))
                    image = f"{registry.host}/acme/web"
                    await push_image(registry, "acme/web", "1.0")
                    await watcher.bus.request(WatchImages(owner="tests", images=(WatchedImage(image=image),)))
                    assert await until_tags(watcher.bus, image) == ["1.0"]
                    platforms = {
                        platform: await push_image(registry, "acme/web", "", platform=platform)
                        for platform in ("linux/amd64", "linux/arm64")
                    }
                    digest = await push_index(registry, "acme/web", "1.1", platforms)
                    async with asyncio.timeout(60):
                        pushed = await _pushed(watcher.bus, "1.1")
    assert (pushed.digest, pushed.tag, pushed.source, pushed.image) == (digest, "1.1", "webhook", image)
