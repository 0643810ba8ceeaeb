"""A registry, the bus or the watcher itself fails between a webhook and its announcement: it is told later, once."""

import asyncio
from pathlib import Path

from shared.bus import Bus, connect
from shared.bus.server import running
from shared.events import ImagePushed
from tests.parts.images import digest_of, push_image
from tests.parts.lying import Lying, lying
from tests.parts.registry import RunningRegistry
from tests.registry.watching import hook, plain, watching

IMAGE = "application/vnd.oci.image.manifest.v1+json"
MANIFEST = b'{"schemaVersion":2,"config":{},"layers":[]}'
PATH = "/v2/acme/web/manifests/1.1"


def serve(liar: Lying, body: bytes = MANIFEST) -> str:
    digest = digest_of(body)
    liar.says(PATH, body, content_type=IMAGE, headers={"Docker-Content-Digest": digest})
    return digest


async def test_a_registry_that_was_down_when_its_webhook_came_is_asked_again(own_bus: Bus, tmp_path: Path) -> None:
    async with lying() as liar:
        liar.tags("acme/web", "1.0")
        image = f"{liar.host}/acme/web"
        async with watching(own_bus, tmp_path / "known", plain(RunningRegistry(liar.host))) as watcher:
            await watcher.watch(image)
            liar.says(PATH, {}, status=503)
            await own_bus.publish(hook(image, "1.1"))
            await liar.until_asked(PATH)
            digest = serve(liar)
            pushed = await watcher.pushed()
            assert (pushed.digest, pushed.source) == (digest, "webhook")


async def test_a_watcher_that_dies_before_it_could_tell_does_so_when_it_is_back(own_bus: Bus, tmp_path: Path) -> None:
    async with lying() as liar:
        liar.tags("acme/web", "1.0")
        image, conf = f"{liar.host}/acme/web", plain(RunningRegistry(liar.host))
        async with watching(own_bus, tmp_path / "known", conf) as before:
            await before.watch(image)
            liar.says(PATH, {}, status=503)
            await own_bus.publish(hook(image, "1.1"))
            await liar.until_asked(PATH)
            await _until_taken(own_bus)
        digest = serve(liar)
        liar.tags("acme/web", "1.0", "1.1")
        async with watching(own_bus, tmp_path / "known", conf, poll_seconds=1.0) as after:
            assert (await after.pushed()).digest == digest


async def test_a_registry_that_serves_the_old_image_for_a_moment_is_not_believed_too_soon(
    own_bus: Bus, registry: RunningRegistry, unique: str, tmp_path: Path
) -> None:
    async with lying() as liar:
        liar.tags("acme/web", "1.1")
        old = serve(liar, b'{"schemaVersion":2,"config":{},"layers":[],"old":1}')
        image = f"{liar.host}/acme/web"
        async with watching(own_bus, tmp_path / "known", plain(RunningRegistry(liar.host))) as watcher:
            await watcher.watch(image, "1.1")
            known = watcher.parts.images.named(image).known
            async with asyncio.timeout(90):
                while known.digests.get("1.1") != old:
                    await watcher.parts.images.named(image).poll(full=True)
            liar.asked.clear()
            await own_bus.publish(hook(image, "1.1", digest_of(MANIFEST)))
            await liar.until_asked(PATH)
            digest = serve(liar)
            pushed = await watcher.pushed()
            assert (pushed.digest, pushed.previous) == (digest, old)


async def test_without_the_bus_nothing_is_announced_and_nothing_forgotten(
    registry: RunningRegistry, unique: str, tmp_path: Path
) -> None:
    image = f"{registry.host}/acme/{unique}"
    await push_image(registry, f"acme/{unique}", "1.0")
    async with running(tmp_path / "nats") as server, connect(server.url, service="tests") as bus:
        async with watching(bus, tmp_path / "known", plain(registry), poll_seconds=0.3) as watcher:
            await watcher.watch(image)
            await server.kill()
            digest = await push_image(registry, f"acme/{unique}", "1.1")
            await server.start()
            assert (await watcher.pushed()).digest == digest
        told = [event async for each in bus.replay("delivery.image.pushed") if (event := each.event())]
        assert [event.digest for event in told if isinstance(event, ImagePushed)] == [digest]


async def _queued(bus: Bus) -> bool:
    return bool([each async for each in bus.replay("hooks.registry")])


async def _until_taken(bus: Bus) -> None:
    """The webhook is no longer in the queue: it was handled."""
    async with asyncio.timeout(90):
        while await _queued(bus):
            pass
