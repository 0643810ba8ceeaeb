"""A registry watcher without a cluster, over a real bus and a real registry: what tests feed it and hear from it."""

import asyncio
import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.registry_watcher.interest import Way
from services.registry_watcher.parts import Parts, opened
from services.registry_watcher.settings import RegistryWatcherSettings
from shared.bus import Bus
from shared.events import ImagePushed, RegistryHook, WatchedImage, WatchImages
from shared.kube import NotFound
from shared.oci.errors import NotFound as NoRepository
from shared.oci.registries import read_registries
from tests.bus.tools import background
from tests.parts.registry import RunningRegistry

DEADLINE = 90.0


@dataclass
class Secrets:
    """What the cluster holds, by namespace and name."""

    objects: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    reads: int = 0

    def put(self, namespace: str, name: str, **data: str) -> None:
        values = {key.replace("_", "."): base64.b64encode(value.encode()).decode() for key, value in data.items()}
        self.objects[namespace, name] = {"metadata": {"namespace": namespace, "name": name}, "data": values}

    async def read(self, namespace: str, name: str) -> Mapping[str, Any]:
        self.reads += 1
        if (namespace, name) not in self.objects:
            raise NotFound("no such Secret", status=404)
        return self.objects[namespace, name]


@dataclass
class Watcher:
    bus: Bus
    parts: Parts
    secrets: Secrets
    heard: "asyncio.Queue[ImagePushed]" = field(default_factory=asyncio.Queue)

    async def watch(self, image: str, *tags: str, owner: str = "tests", list_tags: bool = True, **way: str) -> None:
        """Interested from now on; the list that is there already is known then."""
        watched = WatchedImage(image=image, tags=tags, list_tags=list_tags, **way)
        reply = await self.bus.request(WatchImages(owner=f"{owner}/{image}", images=(watched,)))
        assert (reply.count, reply.refused) == (1, {})
        known = self.parts.images.of(self.parts.images.doors.registries.repository(image))
        with suppress(NoRepository):
            await known.listed(Way(watched.pull_secret, watched.namespace), 0.0)

    async def pushed(self) -> ImagePushed:
        return await asyncio.wait_for(self.heard.get(), DEADLINE)

    async def listen(self) -> None:
        async for envelope in self.bus.replay("delivery.image.pushed", follow=True):
            event = envelope.event()
            if isinstance(event, ImagePushed):
                self.heard.put_nowait(event)


def plain(*registries: RunningRegistry, more: str = "") -> str:
    """A registries.conf that says which registries have no TLS."""
    entries = [
        f"- name: test\n  prefix: {each.host}\n  api_url: http://{each.host}\n  limit: 1000\n{more}"
        for each in registries
    ]
    return "registries:\n" + "".join(entries)


@asynccontextmanager
async def watching(bus: Bus, folder: Path, conf: str, **settings: Any) -> AsyncIterator[Watcher]:
    """Polls happen rarely unless the test says otherwise."""
    given = {"poll_seconds": 3600.0, "fresh_seconds": 0.0, **settings}
    secrets = Secrets()
    async with opened(bus, secrets.read, folder, RegistryWatcherSettings.model_validate(given)) as parts:
        parts.images.doors.changed(read_registries(conf))
        await parts.watched.restore()
        watcher = Watcher(bus, parts, secrets)
        async with background(parts.run(bus), watcher.listen()):
            yield watcher


def hook(
    image: str, tag: str = "", digest: str = "", *, delivery: str = "", registry: str | None = None
) -> RegistryHook:
    """What the gateway says of a push."""
    host, _, name = image.partition("/")
    return RegistryHook(
        provider="distribution",
        delivery=delivery or f"{image}:{tag}@{digest}",
        registry=host if registry is None else registry,
        repository=name,
        tag=tag,
        digest=digest,
    )
