"""What is remembered of images goes with their Applications and rules, and never because something failed to load.

The service alone, on a real cluster with faults in front of it, and a bus of its own.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from services.image_updater.annotations import PREFIX
from services.image_updater.app import app
from services.image_updater.book import Book, Hold, Memory
from shared.bus import Bus, connect
from shared.bus.server import running
from shared.run import alone, load, opened
from shared.run.settings import Common
from tests.parts.cluster import ClusterUnderTest
from tests.parts.faultproxy import faulty

NAME = "image_updater"


@asynccontextmanager
async def started(nats_url: str, kubeconfig: Path, namespace: str, data: Path, **settings: Any) -> AsyncIterator[None]:
    common = load(
        Common,
        nats_url=nats_url,
        namespace=namespace,
        kubeconfig=kubeconfig,
        data=data,
        health_host="127.0.0.1",
        health_port=0,
    )
    async with opened(common, [NAME], process=NAME, overrides={NAME: settings}) as contexts:
        serving = asyncio.create_task(alone(contexts[NAME], app))
        try:
            yield
            assert not serving.done(), serving.exception()
        finally:
            serving.cancel()
            with suppress(asyncio.CancelledError):
                await serving


async def known(bus: Bus) -> tuple[set[str], set[str]]:
    """The images of which something was written, and of which something is held, as the next start would read it."""
    book = Book()
    await book.open(bus)
    return {image.app.name for image in book.memories}, {f"{one.app.name} {one.alias}" for one in book.holds}


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while not await holds():  # noqa: ASYNC110 - a bucket tells nobody
            await asyncio.sleep(0.05)


def application(cluster: ClusterUnderTest, namespace: str, name: str) -> None:
    metadata = {"name": name, "namespace": namespace, "annotations": {f"{PREFIX}image-list": "web=nowhere.invalid/web"}}
    spec = {
        "project": "default",
        "source": {"repoURL": "https://nowhere.invalid/apps.git", "path": "."},
        "destination": {"server": "https://kubernetes.default.svc", "namespace": namespace},
    }
    obj = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": metadata, "spec": spec}
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(obj))


async def test_what_is_gone_is_forgotten_and_nothing_else(
    cluster: ClusterUnderTest, namespace: str, tmp_path: Path
) -> None:
    async with (
        running(tmp_path / "nats") as server,
        connect(server.url, service="tests") as bus,
        faulty(cluster.kubeconfig) as proxy,
    ):
        book = Book()
        await book.open(bus)
        for name in ("kept", "gone", "going"):
            await book.remember(Memory(namespace, name, "web", "1.0"))
            await book.hold(Hold(namespace, name, "web", "1.0"))
        await book.hold(Hold(namespace, "kept", "unwanted", "1.0"))
        for name in ("kept", "going"):
            application(cluster, namespace, name)
        failing = proxy.fail(r"^GET .*/applications/gone$", status=503)
        async with started(server.url, proxy.kubeconfig, namespace, tmp_path, sweep_seconds=1.0):

            async def only_the_unwanted_left() -> bool:
                return (await known(bus))[1] == {"kept web", "going web", "gone web"} and failing.hits > 1

            await until(only_the_unwanted_left)
            failing.cancel()
            cluster.kubectl("delete", "application", "going", "-n", namespace)

            async def only_kept() -> bool:
                return await known(bus) == ({"kept"}, {"kept web"})

            await until(only_kept)
