"""The registry watcher without its informers: everything that `app` wires to them, and tests feed by hand."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from services.registry_watcher import handlers
from services.registry_watcher.answers import Answers
from services.registry_watcher.credentials import Credentials, ReadSecret
from services.registry_watcher.doors import Doors
from services.registry_watcher.image import Means
from services.registry_watcher.images import Images
from services.registry_watcher.known import Facts, Files
from services.registry_watcher.polls import Polls
from services.registry_watcher.settings import RegistryWatcherSettings
from services.registry_watcher.watched import Watched
from shared.bus import Bus
from shared.events import ListTags, RegistryHook, ResolveTag, VerifyImage, WatchImages
from shared.flights import Flights
from shared.oci.dockerconfig import ConfigFile
from shared.oci.download import session

QUEUE = "registry_watcher"


@dataclass(frozen=True)
class Parts:
    settings: RegistryWatcherSettings
    credentials: Credentials
    images: Images
    polls: Polls
    answers: Answers
    watched: Watched

    async def run(self, bus: Bus) -> None:
        """Hear and answer until cancelled."""
        on_hook = partial(handlers.on_hook, images=self.images, sooner=self.polls.sooner)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.polls.run())
            tasks.create_task(self.watched.run())
            tasks.create_task(bus.consume(RegistryHook, QUEUE, on_hook, concurrency=self.settings.hook_concurrency))
            tasks.create_task(bus.serve(ListTags, self.answers.tags, queue=QUEUE))
            tasks.create_task(bus.serve(ResolveTag, self.answers.digest, queue=QUEUE))
            tasks.create_task(bus.serve(VerifyImage, self.answers.verify, queue=QUEUE))
            tasks.create_task(bus.serve(WatchImages, self.watched.on_watch, queue=QUEUE))

    def changed(self) -> None:
        """Settings that concern registries are others now."""
        self.images.release()
        for repository in self.images.interest.repositories():
            if self.images.of(repository).holds.failing:
                self.polls.sooner(str(repository))


@asynccontextmanager
async def opened(
    bus: Bus, read_secret: ReadSecret, folder: Path, settings: RegistryWatcherSettings
) -> AsyncIterator[Parts]:
    """The parts over one folder; connections and threads end with it."""
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(session(per_host=settings.host_connections))
        flights = await stack.enter_async_context(Flights[Facts]())
        config = ConfigFile(settings.docker_config) if settings.docker_config else None
        if config is not None:
            stack.callback(config.close)
        credentials = Credentials(read_secret, settings, config)
        images = Images(settings, Means(Files(folder), Doors(client, credentials), bus.publish, flights))
        polls = Polls(images)
        watched = Watched(bus, lambda question: handlers.on_watch(question, images, polls.watch))
        yield Parts(settings, credentials, images, polls, Answers(images, polls.watch), watched)
