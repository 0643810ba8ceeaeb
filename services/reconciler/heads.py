"""What each (repository, target revision) means now, kept so that 5,000 Applications of one project ask once.

In: questions for a source, and the news that a branch moved. Out: a `Head`. The news is a hint only: where it does
not follow from what is known, git is asked; it is asked, too, when Applications come that another replica has worked
on. `on_late` takes moves that were found so. Never: rendering, or knowing which Applications care (index.py does).
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from services.reconciler.index import Branch
from shared.bus import Bus
from shared.events import ChangedPaths, GitRevision, ResolveChart, ResolveRevision
from shared.kinds.urls import normalise_url

RESOLVE_TIMEOUT = 120.0
TAGS = "refs/tags/"
DEFAULT = "HEAD"


class Target(NamedTuple):
    """What a source asks for."""

    url: str
    revision: str
    chart: str
    tag_prefix: str
    project: str

    @classmethod
    def of(cls, source: dict[str, Any], project: str) -> Self:
        """Read it from a source of an Application; another project may not be let into the repository."""
        url, chart, prefix = (str(source.get(name) or "") for name in ("repoURL", "chart", "tagPrefix"))
        return cls(url, str(source.get("targetRevision") or DEFAULT), chart, prefix, project)


@dataclass(frozen=True, slots=True)
class Head:
    """A source resolved. `branch` None: a commit, which can't move, or a chart, which may (`floating`) without anyone
    telling us.
    """

    revision: str
    branch: Branch | None = None
    floating: bool = False


@dataclass(frozen=True, slots=True)
class Moved:
    """A branch went from one commit to another. `changed` None: any path may differ."""

    branch: Branch
    new: str | None
    changed: tuple[str, ...] | None


def is_chart(source: dict[str, Any]) -> bool:
    """Tell whether a source is a chart or an OCI artifact, not a path in git."""
    return bool(source.get("chart")) or str(source.get("repoURL", "")).startswith("oci://")


class Heads:
    """The revisions in use. One instance a process."""

    def __init__(self, bus: Bus, on_late: Callable[[Moved], None] = lambda _moved: None) -> None:
        self._bus = bus
        self._on_late = on_late
        self._doubted: dict[Branch, asyncio.Task[None] | None] = {}
        self._targets: dict[Target, Head] = {}
        self._commits: dict[Branch, str] = {}
        self._urls: dict[str, tuple[str, str]] = {}
        self._asking: dict[Target, asyncio.Task[Head]] = {}
        self._defaults: set[Branch] = set()

    def commit(self, head: Head) -> str:
        """Give the commit a head stands at now, which may be newer than when it was resolved."""
        return self._commits.get(head.branch, head.revision) if head.branch else head.revision

    def known(self, branch: Branch) -> str | None:
        """Give the last known commit of a branch."""
        return self._commits.get(branch)

    def doubt(self) -> None:
        """Take nothing for granted: before a branch is used to render again, git is asked where it stands.

        Another replica may have heard sooner than we do, and what it has synced since must not be taken back.
        """
        self._doubted = dict.fromkeys(self._commits)

    async def resolve(self, source: dict[str, Any], project: str, *, refresh: bool = False) -> Head:
        """Give the head of a source; concurrent questions share one request. Raises RequestError."""
        key = Target.of(source, project)
        while not refresh and (head := self._targets.get(key)) and head.branch:
            if head.branch not in self._doubted:
                return head
            await self._sure_of(head.branch)
        task = self._asking.get(key)
        if task is None or refresh:
            task = asyncio.create_task(self._ask(key, source, project, refresh=refresh))
            self._asking[key] = task
            task.add_done_callback(lambda done: self._asked(key, done))
        return await asyncio.shield(task)

    async def _sure_of(self, branch: Branch) -> None:
        """Wait until git has been asked about a branch; all who need it share one question."""
        task = self._doubted[branch]
        if task is None:
            task = self._doubted[branch] = asyncio.create_task(self._review(branch))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        await asyncio.shield(task)

    async def _review(self, branch: Branch) -> None:
        me = asyncio.current_task()
        try:
            moved = await self.catch_up(branch)
        except BaseException:
            if self._doubted.get(branch) is me:
                self._doubted[branch] = None
            raise
        if self._doubted.get(branch) is me:
            del self._doubted[branch]
        if moved is not None:
            self._on_late(moved)

    def _asked(self, key: Target, task: asyncio.Task[Head]) -> None:
        if self._asking.get(key) is task:
            del self._asking[key]
        if not task.cancelled():
            task.exception()

    async def _ask(self, key: Target, source: dict[str, Any], project: str, *, refresh: bool) -> Head:
        url = key.url
        if is_chart(source):
            question = ResolveChart(
                repo_url=url, chart=key.chart, constraint=source.get("targetRevision") or "", project=project
            )
            return Head((await self._bus.request(question, timeout=RESOLVE_TIMEOUT)).version, floating=True)
        asked = ResolveRevision(
            repo_url=url, target_revision=key.revision, tag_prefix=key.tag_prefix, project=project, refresh=refresh
        )
        found = await self._bus.request(asked, timeout=RESOLVE_TIMEOUT)
        if not found.ref:
            return Head(found.revision)
        branch = Branch(normalise_url(url), found.ref)
        self._urls[branch.repo] = (url, project)
        self._targets[key] = head = Head(found.revision, branch)
        self._commits.setdefault(branch, found.revision)
        if key.revision == DEFAULT:
            self._defaults.add(branch)
        return head

    async def moved(self, event: GitRevision) -> Moved | None:
        """Take the news of a moved branch; None when it is no news. Raises RequestError when git can't be asked."""
        branch = Branch(event.repo, event.ref)
        known = self._commits.get(branch)
        if known is None:
            return self._new_tag(branch)
        if known == event.new:
            return None
        if event.new is None:
            return self._lose(branch)
        if known == event.old:
            self._commits[branch] = event.new
            return Moved(branch, event.new, event.changed)
        return await self.catch_up(branch)

    async def catch_up(self, branch: Branch) -> Moved | None:
        """Ask git where a branch stands, and what differs from what was known.

        One that somebody follows as the default branch is asked for as such: a host may choose another.
        """
        known = self._commits.get(branch)
        if known is None or branch.repo not in self._urls:
            return None
        url, project = self._urls[branch.repo]
        target = DEFAULT if branch in self._defaults else branch.ref
        question = ResolveRevision(repo_url=url, target_revision=target, project=project)
        found = await self._bus.request(question, timeout=RESOLVE_TIMEOUT)
        if found.ref != branch.ref:
            return self._lose(branch)
        new = found.revision
        if new == self._commits.get(branch):
            return None
        asked = ChangedPaths(repo_url=url, old=known, new=new, project=project)
        changed = (await self._bus.request(asked, timeout=RESOLVE_TIMEOUT)).changed
        if self._commits.get(branch) != known:  # an event was faster
            return await self.catch_up(branch)
        self._commits[branch] = new
        return Moved(branch, new, changed)

    def _new_tag(self, tag: Branch) -> Moved | None:
        """A new tag may be what a version range (`1.*`) means now: the ranges of its repository are asked anew."""
        if not tag.ref.startswith(TAGS):
            return None
        for key, head in self._targets.items():
            at, target = head.branch, key.revision
            if (
                at
                and at.repo == tag.repo
                and at.ref.startswith(TAGS)
                and target not in {at.ref, at.ref.removeprefix(TAGS)}
            ):
                return self._lose(at)
        return None

    def _lose(self, branch: Branch) -> Moved:
        self._commits.pop(branch, None)
        self._defaults.discard(branch)
        self._targets = {key: head for key, head in self._targets.items() if head.branch != branch}
        return Moved(branch, None, None)
