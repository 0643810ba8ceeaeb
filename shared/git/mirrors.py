"""All mirrors of one process: who may visit which remote when.

Comes in: a repository's address, how to reach it, and a pure function that chooses what to fetch. Goes out: the
remote's refs, with the chosen commits in the mirror. Blocking work has its own threads, one visit per
repository at a time. A repository whose last visit failed waits for one of a few slots: hanging remotes never hold all.
"""

import asyncio
import functools
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, ParamSpec, Self, TypeVar

import aiohttp
import pygit2

from shared.git.access import Access, check_address, is_http, shown
from shared.git.errors import GitFailure, RepositoryCorrupt
from shared.git.github_app import Installations
from shared.git.knownhosts import trust_hosts
from shared.git.mirror import mirror_path, remove_mirror
from shared.git.packs import consolidate
from shared.git.push import Push, push
from shared.git.refusals import libgit2_failure
from shared.git.relay import Relay, Ticket
from shared.git.remote import Choose, RemoteRefs, Visit, visit

P = ParamSpec("P")
T = TypeVar("T")
DOUBTFUL_AT_ONCE = 2
GRACE_SECONDS = 5  # libgit2's own timeouts come after the relay's, whose errors say more


class Limits(NamedTuple):
    connect_seconds: float = 10
    idle_seconds: float = 25
    total_seconds: float = 600
    max_bytes: int = 4 * 1024**3
    depth: int = 0
    threads: int = 8


DEFAULTS = Limits()


class Mirrors:
    """`async with Mirrors(folder) as mirrors: refs = await mirrors.visit(url, access, choose)`."""

    def __init__(self, folder: Path, limits: Limits = DEFAULTS) -> None:
        self.folder = folder
        self.limits = limits
        self._relay = Relay(connect_seconds=limits.connect_seconds, idle_seconds=limits.idle_seconds)
        self._threads = ThreadPoolExecutor(limits.threads, thread_name_prefix="git")
        self._apps = Installations(aiohttp.ClientTimeout(total=limits.idle_seconds))
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._doubtful = asyncio.Semaphore(DOUBTFUL_AT_ONCE)
        self._failed: set[str] = set()

    async def __aenter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        pygit2.settings.server_connect_timeout = round((self.limits.connect_seconds + GRACE_SECONDS) * 1000)
        pygit2.settings.server_timeout = round((self.limits.idle_seconds + GRACE_SECONDS) * 1000)
        self.trust_hosts("")
        await self._relay.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._relay.__aexit__(kind, error, trace)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def path_of(self, normalised_url: str) -> Path:
        return mirror_path(self.folder, normalised_url)

    def trust_hosts(self, known_hosts: str) -> None:
        """The SSH host keys that count from now on (argocd-ssh-known-hosts-cm)."""
        trust_hosts(self.folder / "ssh", known_hosts)

    async def visit(self, normalised_url: str, url: str, access: Access, choose: Choose) -> RemoteRefs:
        """Raises a `GitFailure`. A damaged mirror is thrown away and fetched anew, once."""
        check_address(url)
        async with self._locks[normalised_url], self._slot(normalised_url):
            with self._remembering(normalised_url):
                try:
                    return await self._visit_once(normalised_url, url, access, choose)
                except RepositoryCorrupt:
                    await self.call(remove_mirror, self.path_of(normalised_url))
                    return await self._visit_once(normalised_url, url, access, choose)

    async def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """A blocking read of a mirror, on git's own threads; libgit2's errors mean that the mirror is damaged."""
        work = functools.partial(function, *args, **kwargs)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except (pygit2.GitError, KeyError) as error:
            raise RepositoryCorrupt("the mirror is damaged: it is fetched anew at the next visit") from error

    async def tidy(self, normalised_url: str) -> None:
        """Between visits: many small packs become one."""
        async with self._locks[normalised_url]:
            await self.call(consolidate, self.path_of(normalised_url))

    async def discard(self, normalised_url: str) -> None:
        """Forgets a mirror: it is damaged, or nothing uses the repository any more."""
        async with self._locks[normalised_url]:
            await self.call(remove_mirror, self.path_of(normalised_url))

    async def push(self, normalised_url: str, url: str, access: Access, change: Push) -> None:
        """Bring a commit of the mirror to a branch of the remote. Raises a GitFailure, as BranchMoved."""
        check_address(url)
        async with self._locks[normalised_url], self._slot(normalised_url):
            await self._at_remote(normalised_url, url, access, lambda what: push(what, change))

    async def _visit_once(self, normalised_url: str, url: str, access: Access, choose: Choose) -> RemoteRefs:
        return await self._at_remote(normalised_url, url, access, lambda what: visit(what, choose))

    async def _at_remote(self, normalised_url: str, url: str, access: Access, work: Callable[[Visit], T]) -> T:
        mirror, limits, depth = self.path_of(normalised_url), self.limits, access.depth or self.limits.depth
        if not is_http(url):
            what = Visit(mirror, shown(url), url, access, limits.max_bytes, depth)
            return await self._run(what, work, None)
        access = await self.logged_in(url, access)
        with self._relay.ticket(url, access, max_bytes=limits.max_bytes) as ticket:
            what = Visit(mirror, shown(url), ticket.local, access, limits.max_bytes, depth)
            return await self._run(what, work, ticket)

    async def logged_in(self, url: str, access: Access) -> Access:
        """An app's identity becomes a token, which GitHub takes as the password of a user of this name."""
        if access.app is None:
            return access
        return replace(access, username="x-access-token", password=await self._apps.token(access.app, url), app=None)

    async def _run(self, what: Visit, do: Callable[[Visit], T], ticket: Ticket | None) -> T:
        """The thread is always waited for, so that nobody else enters the mirror before it has left."""
        work = asyncio.get_running_loop().run_in_executor(self._threads, do, what)
        try:
            async with asyncio.timeout(self.limits.total_seconds):
                return await asyncio.shield(work)
        except GitFailure as failure:
            raise (ticket and ticket.failure) or failure from failure
        except (asyncio.CancelledError, TimeoutError) as error:
            what.cancelled.set()
            if ticket is not None:
                self._relay.abort(ticket)
            await asyncio.wait([work])
            work.exception()
            if isinstance(error, TimeoutError):
                raise libgit2_failure(what.name, error) from error
            raise

    @contextmanager
    def _remembering(self, normalised_url: str) -> Iterator[None]:
        self._failed.add(normalised_url)
        yield
        self._failed.discard(normalised_url)

    def _slot(self, normalised_url: str) -> AbstractAsyncContextManager[None]:
        return self._doubtful if normalised_url in self._failed else nullcontext()
