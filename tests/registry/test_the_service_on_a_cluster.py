"""The whole service on a real cluster: settings from ConfigMaps, credentials from Secrets, registries with TLS."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from services.registry_watcher.app import app
from shared.bus import Bus, RequestError
from shared.bus.server import Server, running
from shared.events import ListTags, WatchedImage, WatchImages
from shared.run import Context, alone, load, opened
from shared.run.settings import Common
from tests.parts.certificates import certificate
from tests.parts.cluster import ClusterUnderTest
from tests.parts.images import push_image
from tests.parts.registry import PASSWORD, USER, registry_with_password, running_registry
from tests.registry.watching import plain


@asynccontextmanager
async def started(
    server: Server, cluster: ClusterUnderTest, namespace: str, data: Path, **settings: Any
) -> AsyncIterator[Context]:
    common = load(
        Common,
        nats_url=server.url,
        namespace=namespace,
        kubeconfig=cluster.kubeconfig,
        data=data,
        health_host="127.0.0.1",
        health_port=0,
    )
    overrides = {"registry_watcher": settings}
    async with opened(common, ["registry_watcher"], process="registry_watcher", overrides=overrides) as contexts:
        context = contexts["registry_watcher"]
        serving = asyncio.create_task(alone(context, app))
        async with asyncio.timeout(60):
            ready = asyncio.create_task(context.health.until_ready())
            await asyncio.wait({serving, ready}, return_when=asyncio.FIRST_COMPLETED)
        assert not serving.done(), serving.exception()
        yield context
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving


def config_map(cluster: ClusterUnderTest, namespace: str, name: str, **data: str) -> None:
    meta = {"name": name, "namespace": namespace}
    values = {key.replace("_conf", ".conf"): value for key, value in data.items()}
    _apply(cluster, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": values})


def _apply(cluster: ClusterUnderTest, obj: dict[str, Any]) -> None:
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=json.dumps(obj))


def pull_secret(cluster: ClusterUnderTest, namespace: str, host: str) -> None:
    config = json.dumps({"auths": {host: {"username": USER, "password": PASSWORD}}})
    _apply(
        cluster,
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "kubernetes.io/dockerconfigjson",
            "metadata": {"name": "pull", "namespace": namespace},
            "data": {".dockerconfigjson": base64.b64encode(config.encode()).decode()},
        },
    )


async def tags(bus: Bus, image: str, **way: str) -> list[str]:
    answer = await bus.request(ListTags(image=image, fresh=True, **way))
    return [tag.name for tag in answer.tags]


async def until_tags(bus: Bus, image: str, **way: str) -> list[str]:
    """What the service answers when it has seen the settings."""
    async with asyncio.timeout(90):
        while True:
            with suppress(RequestError):
                return await tags(bus, image, **way)


async def as_long_as_it_answers(bus: Bus, image: str) -> None:
    async with asyncio.timeout(90):
        while True:
            await tags(bus, image)


async def test_settings_and_pull_secrets_come_from_the_cluster(
    cluster: ClusterUnderTest, namespace: str, tmp_path: Path
) -> None:
    async with (
        registry_with_password(tmp_path / "registry") as closed,
        running(tmp_path / "nats") as server,
    ):
        await push_image(closed, "acme/web", "1.0")
        image, way = f"{closed.host}/acme/web", {"pull_secret": f"pullsecret:{namespace}/pull", "namespace": namespace}
        pull_secret(cluster, namespace, closed.host)
        config_map(cluster, namespace, "argocd-image-updater-config", registries_conf=plain(closed))
        async with started(server, cluster, namespace, tmp_path / "data") as context:
            assert await tags(context.bus, image, **way) == ["1.0"]
            missing = {**way, "pull_secret": f"pullsecret:{namespace}/gone"}
            with pytest.raises(RequestError, match="CredentialsUnavailable"):
                await tags(context.bus, image, **missing)
            config_map(cluster, namespace, "argocd-image-updater-config", registries_conf="registries: nonsense")
            async with asyncio.timeout(90):
                while "registries" not in context.health.report().get("notes", {}).get("registries.conf", ""):
                    await tags(context.bus, image, **way)  # the last good settings stay in force
            assert context.health.ready


async def test_an_authority_of_ones_own_is_trusted_where_it_is_said(
    cluster: ClusterUnderTest, namespace: str, tmp_path: Path
) -> None:
    pair, folder = certificate(), tmp_path / "registry"
    async with running_registry(folder) as open_for_a_push:
        await push_image(open_for_a_push, "acme/web", "1.0")
    async with running_registry(folder, tls=pair) as private, running(tmp_path / "nats") as server:
        image = f"{private.host}/acme/web"
        async with started(server, cluster, namespace, tmp_path / "data") as context:
            with pytest.raises(RequestError, match="certificate is not trusted"):
                await tags(context.bus, image)
            config_map(cluster, namespace, "argocd-tls-certs-cm", **{"127.0.0.1": pair.certificate})
            assert await until_tags(context.bus, image) == ["1.0"]
            config_map(cluster, namespace, "argocd-tls-certs-cm")
            with pytest.raises(RequestError, match="certificate is not trusted"):
                await as_long_as_it_answers(context.bus, image)
            entry = f"registries:\n- {{name: ours, prefix: {private.host}, insecure: true}}\n"
            config_map(cluster, namespace, "argocd-image-updater-config", registries_conf=entry)
            assert await until_tags(context.bus, image) == ["1.0"]


async def test_what_is_watched_is_still_watched_by_the_next_process(
    cluster: ClusterUnderTest, namespace: str, tmp_path: Path
) -> None:
    async with running_registry(tmp_path / "registry") as registry, running(tmp_path / "nats") as server:
        await push_image(registry, "acme/web", "1.0")
        image = f"{registry.host}/acme/web"
        config_map(cluster, namespace, "argocd-image-updater-config", registries_conf=plain(registry))
        async with started(server, cluster, namespace, tmp_path / "data") as context:
            reply = await context.bus.request(WatchImages(owner="tests", images=(WatchedImage(image=image),)))
            assert (reply.count, await tags(context.bus, image)) == (1, ["1.0"])
        await push_image(registry, "acme/web", "1.1")
        async with started(server, cluster, namespace, tmp_path / "data", poll_seconds=0.3) as context:
            async with asyncio.timeout(90):
                event = await anext(context.bus.replay("delivery.image.pushed", follow=True))
            assert event.subject == "delivery.image.pushed"
