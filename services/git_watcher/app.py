"""Wiring only: what the git watcher hears, and which part takes it."""

import asyncio
from collections.abc import Sequence

from services.git_watcher.credentials import KnownCredentials
from services.git_watcher.parts import opened
from services.git_watcher.settings import GitWatcherSettings
from services.git_watcher.watches import watch_all
from shared.run import Context


async def app(context: Context) -> None:
    """Run until cancelled."""
    settings = context.load(GitWatcherSettings)
    credentials = KnownCredentials()

    async def highest(constraint: str, versions: Sequence[str]) -> str | None:
        from shared.engines.semver import highest_version

        return await highest_version(await context.engines(), constraint, versions)

    folder = context.data / "mirrors"
    async with (
        opened(context.bus, folder, settings, credentials.lookup, highest) as parts,
        asyncio.TaskGroup() as tasks,
    ):
        await watch_all(context, parts, credentials, tasks)
        tasks.create_task(parts.run(context.bus))
