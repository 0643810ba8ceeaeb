"""The one writer of each branch: what comes in a short window becomes one commit for all Applications.

In: changes. Out: an `Outcome` for each, told to `report`; this never raises to who submits. A commit is built on the
remote's tip; when somebody else was faster it is built anew on theirs. What the tip has already is no commit, so a
crash at any step ends in exactly one.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from services.image_updater import measures
from services.image_updater.branching import Remote, Tips, Ways, tips_of
from services.image_updater.building import Built, build, survey
from services.image_updater.changing import Change
from services.image_updater.forges import Forges, Wish
from services.image_updater.keys import ImageKey, Version
from services.image_updater.messages import CommitStyle, message_of
from services.image_updater.placing import Branches
from services.image_updater.refusals import Refused
from shared.bus import BusError
from shared.engines.client import Engines
from shared.engines.errors import EngineFailure
from shared.events import delivery_of
from shared.git.access import Access, shown
from shared.git.changes import describe
from shared.git.commits import Draft, commit_on
from shared.git.errors import AuthenticationFailed, BranchMoved, GitFailure
from shared.git.mirrors import Mirrors
from shared.git.push import Push
from shared.git.tree import GitTree
from shared.kinds.imageupdater import PullRequest
from shared.kinds.secretdata import InvalidSecret
from shared.kinds.urls import normalise_url
from shared.kube import ApiError
from shared.telemetry import get_logger

log = get_logger()
FIRST_PAUSE = 0.05
UNHEARD_PAUSE = 0.5


class Bucket(NamedTuple):
    """What goes into one commit: the same repository, branches, credentials and, where the name asks for it, app."""

    repo: str
    branches: Branches
    secret: str
    project: str
    forge: str
    app: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of changes. `commit` empty: the branch has them since before. `refused` None: they are written."""

    changes: tuple[Change, ...]
    repo: str = ""
    branch: str = ""
    commit: str = ""
    pull_request: str = ""
    refused: Refused | None = None


Report = Callable[[Outcome], Awaitable[None]]
Held = Callable[[Mapping[ImageKey, Version], Sequence[Change]], Awaitable[set[ImageKey]]]


@dataclass
class Waiting:
    changes: dict[ImageKey, Change] = field(default_factory=dict)
    since: float = field(default_factory=time.monotonic)


@dataclass(frozen=True, slots=True)
class Window:
    """Seconds that a commit waits, and at most; `busy`: more may be coming."""

    seconds: float
    longest: float
    busy: Callable[[], bool]


class Unheard(Exception):
    """A push that may have arrived: whether it did is seen at the next look, before the cluster has run it for long."""

    def __init__(self, failure: GitFailure) -> None:
        super().__init__(str(failure))
        self.failure = failure


def _pause(attempt: int, first: float) -> float:
    return first * float(1 << attempt) * random.uniform(0.5, 1.5)  # noqa: S311


class Writer:
    """`submit` from anywhere; `run` until cancelled."""

    def __init__(
        self,
        mirrors: Mirrors,
        engines: Engines,
        window: Window,
        *,
        access: Callable[[Change], Awaitable[Access]],
        style: Callable[[], CommitStyle],
        held: Held,
        report: Report,
        forges: Forges,
        attempts: int = 6,
    ) -> None:
        self._mirrors, self._engines, self._window = mirrors, engines, window
        self._access, self._style, self._held, self._report = access, style, held, report
        self._forges, self._attempts = forges, attempts
        self._waiting: dict[Bucket, Waiting] = {}
        self._busy: set[Bucket] = set()
        self._filled = asyncio.Event()

    def submit(self, changes: Sequence[Change]) -> None:
        """A newer version of the same image takes the place of one that waits."""
        for change in changes:
            self._waiting.setdefault(bucket_of(change), Waiting()).changes[change.key] = change
        self._filled.set()

    @property
    def idle(self) -> bool:
        return not self._waiting and not self._busy

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._filled.clear()
                for bucket in [one for one in self._waiting if one not in self._busy]:
                    self._busy.add(bucket)
                    tasks.create_task(self._flush(bucket))
                await self._filled.wait()

    async def _flush(self, bucket: Bucket) -> None:
        try:
            await self._collected(bucket)
            changes = list(self._waiting.pop(bucket).changes.values())
            for outcome in await self._written(bucket, changes):
                await self._report(outcome)
        finally:
            self._busy.discard(bucket)
            self._filled.set()

    async def _collected(self, bucket: Bucket) -> None:
        since, step = self._waiting[bucket].since, max(self._window.seconds, 0.01)
        await asyncio.sleep(max(0.0, self._window.seconds - (time.monotonic() - since)))
        while self._window.busy() and time.monotonic() - since < self._window.longest:  # noqa: ASYNC110 - no event says so
            await asyncio.sleep(min(step, 0.05))

    async def _written(self, bucket: Bucket, changes: list[Change]) -> list[Outcome]:
        """Every way of failing becomes an outcome."""
        try:
            return await self._attempts_at(bucket, changes)
        except Refused as refused:
            return [Outcome(tuple(changes), bucket.repo, refused=refused)]
        except InvalidSecret as error:
            return [Outcome(tuple(changes), bucket.repo, refused=Refused("CredentialsUnavailable", str(error)))]
        except GitFailure as failure:
            return [Outcome(tuple(changes), bucket.repo, refused=_explained(failure))]
        except (BusError, ApiError) as error:
            reason = type(error).__name__
            return [Outcome(tuple(changes), bucket.repo, refused=Refused(reason, str(error), retriable=True))]
        except EngineFailure as error:
            reason = getattr(error, "reason", type(error).__name__)
            return [Outcome(tuple(changes), bucket.repo, refused=Refused(reason, f"the commit's template: {error}"))]

    async def _attempts_at(self, bucket: Bucket, changes: list[Change]) -> list[Outcome]:
        unheard: GitFailure | None = None
        for attempt in range(self._attempts):
            if attempt:
                await asyncio.sleep(_pause(attempt - 1, UNHEARD_PAUSE if unheard else FIRST_PAUSE))
            try:
                return await self._attempt(bucket, changes)
            except BranchMoved:
                measures.retries.inc()
            except Unheard as error:
                unheard = error.failure
            except GitFailure as failure:
                if unheard is None or not failure.retriable:
                    raise
        raise unheard or Refused(
            "BranchBusy", f"others moved the branch {self._attempts} times meanwhile: it is tried again", retriable=True
        )

    async def _attempt(self, bucket: Bucket, changes: list[Change]) -> list[Outcome]:
        place = changes[0].place
        remote = Remote(self._mirrors, bucket.repo, place.url, await self._access(changes[0]))
        tips = await tips_of(remote, self._engines, Ways(place.branches, place.pull_request is not None), changes)
        tree = GitTree(remote.mirror, tips.parent)
        held = await self._held(await self._mirrors.call(survey, tree, changes), changes)
        built = await self._mirrors.call(build, tree, [one for one in changes if one.key not in held])
        commit = await self._pushed(remote, tips, built) if built.files else ""
        link = (
            await self._requested(place.pull_request, remote, tips, built) if place.pull_request and built.made else ""
        )
        ours = await self._mirrors.call(_ours, remote.mirror, tips.parent, built.already) if built.already else ""
        return list(_outcomes(bucket.repo, tips, built, Commits(commit, ours), link))

    async def _pushed(self, remote: Remote, tips: Tips, built: Built) -> str:
        style = self._style()
        draft = Draft(built.files, await message_of(self._engines, style, built.made), style.author, style.sign)
        if tips.target:
            known: bool = await self._mirrors.call(_has, remote.mirror, tips.target, draft)
            if known:
                return tips.target
        commit = await self._mirrors.call(commit_on, remote.mirror, tips.parent, draft)
        push = Push(commit, tips.branch, force=tips.force)
        try:
            await self._mirrors.push(remote.repo, remote.url, remote.access, push)
        except GitFailure as failure:
            if failure.retriable and not isinstance(failure, BranchMoved):
                raise Unheard(failure) from failure
            raise
        measures.commits.labels("direct" if tips.branch == tips.base else "branch").inc()
        log.info("commit pushed", repo=shown(remote.url), branch=tips.branch, commit=commit, images=len(built.made))
        return commit

    async def _requested(self, how: PullRequest, remote: Remote, tips: Tips, built: Built) -> str:
        message = await message_of(self._engines, self._style(), built.made)
        wish = Wish(tips.base, tips.branch, message, tuple(sorted(str(change.key) for change in built.made)))
        return await self._forges.request(how, remote.url, remote.access, wish)


def _has(mirror: Path, commit: str, draft: Draft) -> bool:
    """Whether our branch has these files already: a request that is open must not get the same commit again."""
    tree = GitTree(mirror, commit)
    return all(tree.read(path) == data for path, data in draft.files.items())


def _ours(mirror: Path, tip: str, changes: Sequence[Change]) -> str:
    """The tip, when it is the commit of one of these changes: it arrived, and nobody has heard of it yet."""
    delivery = delivery_of(describe(mirror, tip).message)
    return tip if delivery and any(change.delivery == delivery for change in changes) else ""


class Commits(NamedTuple):
    """`made` now, and the one that had it `already`; empty where there is none."""

    made: str
    already: str


def _outcomes(repo: str, tips: Tips, built: Built, commits: Commits, link: str) -> list[Outcome]:
    found = list[Outcome]()
    if built.made:
        found.append(Outcome(tuple(built.made), repo, tips.branch, commits.made, link))
    if built.already:
        found.append(Outcome(tuple(built.already), repo, tips.branch, commits.already))
    return found + [_refusal(repo, built, key, refused) for key, refused in built.refused.items()]


def _refusal(repo: str, built: Built, key: ImageKey, refused: Refused) -> Outcome:
    return Outcome(tuple(one for one in built.given if one.key == key), repo, refused=refused)


def _explained(failure: GitFailure) -> Refused:
    hint = "; the credentials must be allowed to write" if isinstance(failure, AuthenticationFailed) else ""
    retry_after = float(getattr(failure, "retry_after", None) or 0.0)
    return Refused(failure.reason, f"{failure}{hint}", retriable=failure.retriable, retry_after=retry_after)


def bucket_of(change: Change) -> Bucket:
    place = change.place
    how = place.pull_request
    forge = "" if how is None else how.model_dump_json()
    named = str(change.key.app) if ".App" in place.branches.target else ""
    return Bucket(normalise_url(place.url), place.branches, place.secret, place.project, forge, named)
