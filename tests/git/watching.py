"""A git watcher without a cluster, over a real bus and a real git host: what tests feed it and hear from it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from services.git_watcher.parts import Parts, opened
from services.git_watcher.settings import GitWatcherSettings
from services.git_watcher.usage import Use
from shared.bus import Bus
from shared.events import Event, GitFailed, GitHook, GitRevision
from shared.git.credentials import KnownCredentials
from shared.git.tree import GitTree
from tests.bus.tools import background
from tests.parts.gitserver import Repository

DEADLINE = 60.0


async def newest(constraint: str, versions: Sequence[str]) -> str | None:
    """Stands in for the engine's semver: the last of the versions that begin as the range does."""
    begin = constraint.rstrip("*x.").lstrip("^~v")
    return max((each for each in versions if each.lstrip("v").startswith(begin)), default=None)


@dataclass
class Watcher:
    bus: Bus
    parts: Parts
    credentials: KnownCredentials
    heard: "asyncio.Queue[Event]" = field(default_factory=asyncio.Queue)

    def use(self, repository: Repository, target: str = "HEAD", app: str = "app") -> None:
        """An Application that uses this."""
        self.parts.usage.put(("argocd", app), [Use(repository.url, target, "default")])
        self.parts.polls.watch(self.name_of(repository))

    def name_of(self, repository: Repository) -> str:
        return self.parts.repositories.of(repository.url).name

    def tree(self, repository: Repository, sha: str) -> GitTree:
        return GitTree(self.parts.mirrors.path_of(self.name_of(repository)), sha)

    async def revision(self) -> GitRevision:
        event = await self._next()
        assert isinstance(event, GitRevision), event
        return event

    async def failed(self) -> GitFailed:
        event = await self._next()
        assert isinstance(event, GitFailed), event
        return event

    async def _next(self) -> Event:
        return await asyncio.wait_for(self.heard.get(), DEADLINE)

    async def listen(self) -> None:
        async for envelope in self.bus.replay("delivery.git.>", follow=True):
            event = envelope.event()
            assert event is not None
            self.heard.put_nowait(event)


@asynccontextmanager
async def watching(bus: Bus, folder: Path, **settings: float) -> AsyncIterator[Watcher]:
    """Polls happen rarely unless the test says otherwise."""
    credentials = KnownCredentials()
    model = GitWatcherSettings.model_validate({"poll_seconds": 3600.0, "idle_seconds": 60.0, **settings})
    async with opened(bus, folder, model, credentials.lookup, newest) as parts:
        watcher = Watcher(bus, parts, credentials)
        async with background(parts.run(bus), watcher.listen()):
            yield watcher


def hook(repository: Repository, *, before: str | None, after: str | None, ref: str = "refs/heads/main") -> GitHook:
    """What the gateway says of a push, with the forms of the address that a provider gives."""
    web = repository.url.removesuffix(".git")
    delivery = f"{repository.url}-{before}-{after}-{ref}"
    return GitHook(
        delivery=delivery, provider="github", repo_urls=(web, repository.url), ref=ref, before=before, after=after
    )
