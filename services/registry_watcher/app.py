"""Wiring only: what the registry watcher hears, and which part takes it."""

import asyncio
from functools import partial

from services.registry_watcher.parts import opened
from services.registry_watcher.settings import RegistryWatcherSettings
from services.registry_watcher.watches import watch_all
from shared.kube import Resource, verbs
from shared.run import Context

SECRETS = Resource("", "v1", "Secret", "secrets", True, frozenset({"get"}))


async def app(context: Context) -> None:
    """Run until cancelled."""
    settings = context.load(RegistryWatcherSettings)
    read_secret = partial(verbs.get, context.cluster, SECRETS)
    opening = opened(context.bus, read_secret, context.data / "registry", settings)
    async with opening as parts, asyncio.TaskGroup() as tasks:
        await watch_all(context, parts, tasks)
        await parts.watched.restore()
        context.health.set_ready("watched images", True)
        tasks.create_task(parts.run(context.bus))
