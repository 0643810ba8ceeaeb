"""The git watcher without a cluster: everything that `app` wires to informers, and tests feed by hand."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from services.git_watcher import handlers
from services.git_watcher.admission import Admission
from services.git_watcher.answers import Answers
from services.git_watcher.keyring import Keyring
from services.git_watcher.polls import Polls
from services.git_watcher.proven import Proven
from services.git_watcher.repositories import Lookup, Repositories
from services.git_watcher.settings import GitWatcherSettings
from services.git_watcher.signatures import Signatures
from services.git_watcher.usage import Usage
from shared.bus import Bus
from shared.events import (
    AskRepositories,
    ChangedPaths,
    GitHook,
    ImageUpdated,
    ListRefs,
    ResolveRevision,
    RevisionMetadata,
    VerifyRevision,
)
from shared.git.mirrors import Limits, Mirrors
from shared.git.revisions import Highest
from shared.kinds.settings import ArgoSettings

QUEUE = "git_watcher"


@dataclass(frozen=True)
class Parts:
    settings: GitWatcherSettings
    mirrors: Mirrors
    usage: Usage
    repositories: Repositories
    polls: Polls
    answers: Answers
    keyring: Keyring

    def set_interval(self, config: Mapping[str, str]) -> None:
        """`timeout.reconciliation` of argocd-cm, when it is set; 0 there means: don't poll, which we do rarely then."""
        given = (
            ArgoSettings.from_configmap(config).reconciliation_seconds if "timeout.reconciliation" in config else None
        )
        self.polls.interval = given or self.settings.poll_seconds

    async def run(self, bus: Bus) -> None:
        """Hear and answer until cancelled."""
        on_hook = partial(handlers.on_hook, repositories=self.repositories, again=self.polls.sooner)
        on_written = partial(handlers.on_written, repositories=self.repositories, again=self.polls.sooner)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.polls.run())
            tasks.create_task(bus.consume(GitHook, QUEUE, on_hook, concurrency=self.settings.hook_concurrency))
            tasks.create_task(bus.consume(ImageUpdated, QUEUE, on_written, start="new"))
            tasks.create_task(bus.serve(ResolveRevision, self.answers.resolve, queue=QUEUE))
            tasks.create_task(bus.serve(RevisionMetadata, self.answers.metadata, queue=QUEUE))
            tasks.create_task(bus.serve(ChangedPaths, self.answers.changed, queue=QUEUE))
            tasks.create_task(bus.serve(AskRepositories, self.answers.connections, queue=QUEUE))
            tasks.create_task(bus.serve(ListRefs, self.answers.refs, queue=QUEUE))
            tasks.create_task(bus.serve(VerifyRevision, self.answers.verify, queue=QUEUE))


@asynccontextmanager
async def opened(
    bus: Bus, folder: Path, settings: GitWatcherSettings, lookup: Lookup, highest: Highest
) -> AsyncIterator[Parts]:
    """The parts over one folder of mirrors; threads and connections end with it."""
    limits = Limits(
        connect_seconds=settings.connect_seconds,
        idle_seconds=settings.idle_seconds,
        total_seconds=settings.fetch_seconds,
        max_bytes=settings.repository_bytes,
        depth=settings.depth,
        threads=settings.threads,
    )
    async with Mirrors(folder, limits) as mirrors:
        usage = Usage()
        repositories = Repositories(mirrors, usage, lookup, bus.publish)
        polls = Polls(repositories, settings.poll_seconds)
        keys = folder.with_name("keys")
        keyring = Keyring(mirrors, keys)
        admission = Admission(repositories, mirrors, lookup, lambda: polls.interval)
        signatures = Signatures(mirrors, keyring, Proven(keys / "proven.json"))
        answers = Answers(
            repositories, mirrors, admission, signatures, highest=highest, fresh_seconds=lambda: polls.interval
        )
        yield Parts(settings, mirrors, usage, repositories, polls, answers, keyring)
