"""One repository: look at its remote, fetch what moved, announce it, remember it.

Whoever wants to know joins the look that begins next: one that runs already may have missed what they heard of. So any
number of webhooks and questions for one repository cost at most two looks. After a failure nobody looks for a while.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from services.git_watcher import known as store
from services.git_watcher import measures, pauses
from services.git_watcher.known import Known, Movement
from shared.clock import now
from shared.events import Event, GitFailed, GitRevision, delivery_of, git_delivery
from shared.git.access import Access, shown
from shared.git.changes import changed_paths, describe, forced
from shared.git.errors import GitFailure, RepositoryCorrupt, RevisionNotFound
from shared.git.mirrors import Mirrors
from shared.git.remote import RemoteRefs
from shared.git.revisions import HEADS, TAGS, find_ref, is_sha, is_short_sha
from shared.telemetry import get_logger

log = get_logger()
KEPT = (HEADS, TAGS, "HEAD")  # hosts have refs without end for pull requests
Source = Literal["webhook", "poll", "request"]


class Way(NamedTuple):
    """The address to dial, how to get in, and the target revisions that Applications use."""

    url: str
    access: Access
    targets: frozenset[str]


@dataclass
class Look:
    """Why someone wants a look, and how it ended."""

    source: Source
    at: datetime = field(default_factory=now)
    wants: tuple[str, ...] = ()
    delivery: str = ""
    done: bool = False
    failure: GitFailure | None = None


class Repository:
    """`way` is asked at each look, because credentials and Applications change."""

    def __init__(
        self, name: str, mirrors: Mirrors, way: Callable[[], Way], publish: Callable[[Event], Awaitable[object]]
    ) -> None:
        self.name = name
        self.mirror = mirrors.path_of(name)
        self.known = self._saved = store.load(self._file)
        self._saving = asyncio.Lock()
        self.failure: GitFailure | None = None
        self.asked_at = time.monotonic()
        self._mirrors, self._way, self._publish = mirrors, way, publish
        self._turn = asyncio.Lock()
        self._waiting: list[Look] = []
        self._failures = 0
        self._held_until = 0.0
        self._seen_at: float | None = None

    @property
    def _file(self) -> Path:
        return self.mirror.with_suffix(".json")

    def age(self) -> float:
        """Seconds since the remote was last looked at; infinite before the first time."""
        return float("inf") if self._seen_at is None else time.monotonic() - self._seen_at

    def held(self) -> float:
        """Seconds for which a failed repository is left alone."""
        return max(0.0, self._held_until - time.monotonic())

    def release(self) -> None:
        """Something has changed, credentials perhaps: the next one who asks may look."""
        self._held_until = 0.0

    async def look(self, look: Look) -> Known:
        """Raises a `GitFailure`."""
        if self.failure is not None and self.held():
            raise self.failure.with_traceback(None)
        self._waiting.append(look)
        async with self._turn:
            if not look.done:
                await self._lead(look)
        if look.failure is not None:
            raise look.failure.with_traceback(None)
        assert self.known is not None
        return self.known

    async def erase(self) -> None:
        """Nobody uses it any more: the mirror and what is known of it go."""
        await self._mirrors.discard(self.name)
        await self._mirrors.call(store.remove, self._file)

    async def track(self, ref: str) -> None:
        """Somebody uses this ref: from now on its movements are fetched and announced."""
        if self.known is None or ref in self.known.tracked or ref not in self.known.refs:
            return
        self.known = msgspec.structs.replace(self.known, tracked=self.known.tracked | {ref})
        await self._save()

    async def _lead(self, leader: Look) -> None:
        """Looks for everybody who waits; if the leader is called off, the next one leads the others."""
        crowd, self._waiting = self._waiting, []
        try:
            failure = await self._attempt(crowd)
        except BaseException:
            self._waiting = [look for look in (*crowd, *self._waiting) if look is not leader]
            raise
        for look in crowd:
            look.done, look.failure = True, failure

    async def _attempt(self, crowd: list[Look]) -> GitFailure | None:
        try:
            await self._look(crowd)
        except GitFailure as failure:
            await self._fail(failure)
            if isinstance(failure, RepositoryCorrupt):
                await self._mirrors.discard(self.name)
            return failure
        return None

    async def _look(self, crowd: list[Look]) -> None:
        way = self._way()
        wants = frozenset(want for look in crowd for want in look.wants)
        chosen: set[str] = set()

        def choose(seen: RemoteRefs) -> Iterable[str]:
            chosen.clear()
            chosen.update(to_fetch(seen, self.known, way.targets, wants))
            return chosen

        with measures.looks.time():
            seen = await self._mirrors.visit(self.name, way.url, way.access, choose)
        before = self.known.tracked if self.known else frozenset()
        followed = before | to_fetch(seen, self.known, way.targets, ())
        if self.known or any(look.source != "request" for look in crowd):
            for move in store.movements(self.known, seen, followed):
                await self._announce(move, way, crowd)
        since = self.known.tracked if self.known else frozenset()
        refs = {name: at for name, at in seen.refs.items() if name in chosen or name.startswith(KEPT)}
        await self._remember(Known(self.name, refs, seen.head, (followed | chosen | since).intersection(refs)))

    async def _remember(self, known: Known) -> None:
        self.known = known
        await self._save()
        self._seen_at = time.monotonic()
        self._failures, self._held_until, self.failure = 0, 0.0, None

    async def _save(self) -> None:
        """One write after the other, each of what is known by then: looks and questions come together."""
        async with self._saving:
            if (known := self.known) is not None and known != self._saved:
                await self._mirrors.call(store.save, self._file, known)
                self._saved = known

    async def _announce(self, move: Movement, way: Way, crowd: list[Look]) -> None:
        hook = next((look for look in crowd if look.source == "webhook"), None)
        event = await self._mirrors.call(self._event, move, hook or crowd[0])
        await self._publish(event)
        measures.movements.labels(event.source).inc()
        if hook is not None:
            measures.announced.observe(max(0.0, (now() - hook.at).total_seconds()))
        log.info("ref moved", repo=shown(way.url), ref=move.ref, old=move.old, new=move.new, forced=event.forced)

    def _event(self, move: Movement, look: Look) -> GitRevision:
        """On git's threads. What the mirror can't tell (a tag that nobody uses isn't fetched) is left open."""
        facts: dict[str, object] = {}
        try:
            if move.new:
                commit = describe(self.mirror, move.new)
                facts |= {"author": commit.author, "subject_line": commit.subject, "committed_at": commit.committed_at}
                if continued := delivery_of(commit.message):
                    facts["delivery"] = continued
            if move.new and move.old:
                facts["forced"] = forced(self.mirror, move.old, move.new)
                facts["changed"] = changed_paths(self.mirror, move.old, move.new)
        except RevisionNotFound:
            pass
        return GitRevision.model_validate(
            {
                "delivery": git_delivery(self.name, move.new or move.old or ""),
                "repo": self.name,
                "ref": move.ref,
                "old": move.old,
                "new": move.new,
                "received_at": look.at,
                "source": "webhook" if look.source == "webhook" else "poll",
                **facts,
            }
        )

    async def _fail(self, failure: GitFailure) -> None:
        """Visible once for each way of failing; the pause grows with each failure."""
        same = self.failure is not None and self.failure.reason == failure.reason
        self._failures += 1
        self._held_until = time.monotonic() + pauses.hold(failure, self._failures)
        self.failure = failure
        if same:
            return
        log.warning("repository can't be read", reason=failure.reason, why=str(failure))
        await self._publish(
            GitFailed(
                delivery=git_delivery(self.name, "failed"),
                repo=self.name,
                reason=failure.reason,
                message=str(failure),
                retriable=failure.retriable,
            )
        )


def to_fetch(seen: RemoteRefs, known: Known | None, targets: Iterable[str], wants: Iterable[str]) -> set[str]:
    """The refs and commits that must be in the mirror: those in use, and what somebody asks for now."""
    tracked = {name for name in (known.tracked if known else ()) if name in seen.refs}
    named = {found.ref for target in (*targets, *wants) if (found := find_ref(target, seen))}
    return tracked | named | {want for want in wants if is_sha(want)} | _for_short_shas(seen, wants)


def _for_short_shas(seen: RemoteRefs, wants: Iterable[str]) -> set[str]:
    """Nobody can ask a remote for a shortened SHA: the branches are fetched, and their history is searched."""
    if any(is_short_sha(target) and find_ref(target, seen) is None for target in wants):
        return {name for name in seen.refs if name.startswith((HEADS, TAGS))}
    return set()
