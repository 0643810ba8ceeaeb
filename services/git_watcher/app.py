"""Wiring only: what the git watcher hears, and which part takes it."""

import asyncio

from services.git_watcher.parts import opened
from services.git_watcher.settings import GitWatcherSettings
from services.git_watcher.versions import highest_by
from services.git_watcher.watches import watch_all
from shared.git.credentials import KnownCredentials
from shared.run import Context


async def app(context: Context) -> None:
    """Run until cancelled."""
    settings = context.load(GitWatcherSettings)
    credentials = KnownCredentials()
    opening = opened(context.bus, context.data / "mirrors", settings, credentials.lookup, highest_by(context.engines))
    async with opening as parts, asyncio.TaskGroup() as tasks:
        await watch_all(context, parts, credentials, tasks)
        tasks.create_task(parts.run(context.bus))
