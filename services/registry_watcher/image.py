"""One repository: list its tags, look at single ones, announce what is new or has moved, remember it.

Whoever wants to know joins the list or look that begins next (`looks`). After a failure nobody asks for a while. A tag
is announced only after the registry itself has said what it means.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Literal, NamedTuple, TypeVar

from services.registry_watcher import measures
from services.registry_watcher.budget import Budget, Spent
from services.registry_watcher.doors import Doors
from services.registry_watcher.facts import Examiner
from services.registry_watcher.failures import reason_of
from services.registry_watcher.holds import Holds
from services.registry_watcher.interest import Want, Way, tags_of
from services.registry_watcher.known import Facts, Files, Known, encode
from services.registry_watcher.looks import Looks
from shared.clock import now
from shared.events import Event, ImagePushed, image_delivery
from shared.flights import Flights
from shared.oci.errors import NotFound, OciFailure, Refused
from shared.oci.reference import Repository
from shared.oci.registry import Found, Listing, Registry
from shared.telemetry import get_logger

log = get_logger()
MOST_PENDING, MANY_PENDING = 2000, 20  # one list is cheaper than many looks
EARLY_PAUSES = (0.0, 0.05, 0.15, 0.4, 1.0)
T = TypeVar("T")
Publish = Callable[[Event], Awaitable[object]]


class Sight(NamedTuple):
    """Who told of a tag, and when."""

    source: Literal["webhook", "poll"]
    received_at: datetime
    pushed_at: datetime | None = None


class Means(NamedTuple):
    """What all repositories share."""

    files: Files
    doors: Doors
    publish: Publish
    flights: Flights[Facts]


class Image:
    """`wants` is asked each time, because it changes."""

    def __init__(self, repository: Repository, means: Means, wants: Callable[[], tuple[Want, ...]]) -> None:
        self.repository = repository
        self.name = str(repository)
        self.known: Known = means.files.load(self.name)
        self.examiner = Examiner(self.known, means.flights)
        self.holds = Holds()
        self.budget = Budget()
        self.relist = False
        self.listed_at = float("-inf")
        self._means, self._wants = means, wants
        self._lists: Looks[datetime] = Looks()
        self._heads: Looks[Found] = Looks()
        self._sights: dict[str, Sight] = {}
        self._saving = asyncio.Lock()

    async def registry(self, way: Way) -> Registry:
        """The repository as somebody; raises the failure that is not over yet."""
        self.holds.check(way)
        try:
            return await self._means.doors.open(self.repository, way)
        except OciFailure as failure:
            raise self._failed(way, failure) from failure

    async def listed(self, way: Way, since: float) -> datetime:
        """Have a list that began at `since` or later; gives when the registry confirmed it."""
        self.holds.check(way)
        return await self._lists.share(repr(way), since, lambda: self._list(way))

    async def look(self, tag: str, way: Way, since: float, *, budget: Budget | None = None) -> Found:
        """What a tag means now; a look of its own costs of the budget, one that is shared doesn't."""
        self.holds.check(way)

        async def head() -> Found:
            if budget is not None:
                budget.take()
            return await self._head(tag, way)

        return await self._heads.share(f"{way!r} {tag}", since, head)

    async def hinted(self, tag: str, digest: str, sight: Sight) -> None:
        """A webhook tells of a tag, and perhaps of its digest: look at once, while the budget lasts.

        Registries may tell of a tag a moment before they serve it; what isn't there yet is pending for the next poll.
        """
        self.known.told_at = sight.received_at
        self.holds.appeared()
        if len(self.known.pending) >= MOST_PENDING:
            self.relist = True
            return
        self.known.pending.add(tag)
        self._sights[tag] = sight
        before = self.known.digests.get(tag, "")
        for pause in EARLY_PAUSES:
            await asyncio.sleep(pause)
            try:
                found = await self._glimpse(tag)
            except Spent:
                return
            if found is not None and not (digest and found.digest == before != digest):
                await self.observe(tag, found, sight)
                return

    async def _glimpse(self, tag: str) -> Found | None:
        try:
            return await self._look_as_anyone(tag, budget=self.budget)
        except NotFound:
            return None

    async def settle(self, tag: str) -> None:
        """Look at a tag that may be new, and announce it. What fails for now stays pending; what isn't there, not."""
        sight = self._sights.get(tag) or Sight("poll", now())
        try:
            found = await self._look_as_anyone(tag)
        except NotFound:
            self.known.pending.discard(tag)
            self._sights.pop(tag, None)
            raise
        await self.observe(tag, found, sight)

    async def observe(self, tag: str, found: Found, sight: Sight) -> None:
        """Announce what is news, and remember it. Where nothing was known before, only what is pending is news."""
        previous, pending = self.known.digests.get(tag, ""), tag in self.known.pending
        if found.digest != previous or pending:
            self.known.set(tag, found.digest)  # first, so that who hears of it and asks is told the same
            try:
                if found.digest != previous and (previous or pending):
                    await self._announce(tag, found, previous, sight)
            except BaseException:
                self.known.set(tag, previous)
                self.known.pending.add(tag)
                raise
            self.known.pending.discard(tag)
            await self.save()
        self._sights.pop(tag, None)

    async def poll(self, *, full: bool, since: float | None = None) -> None:
        """What is pending; with `full` the list of tags and the tags that are watched, too. Raises an `OciFailure`.

        `since`: a list that began then will do (somebody has just asked), unless a webhook told of something newer.
        """
        wants, at = self._wants(), time.monotonic()
        if since is None or self.relist or self.known.pending:
            since = at
        full = full or self.relist
        if full:
            self.relist, self.listed_at = False, at
        if (full or len(self.known.pending) > MANY_PENDING) and any(want.list_tags for want in wants):
            await self._list_as_anyone(wants, since)
            if since == at:
                self._forget_unlisted(wants)
        tags = self.known.pending | (tags_of(wants) if full else frozenset())
        for tag in sorted(tags):
            try:
                await self.settle(tag)
            except NotFound:
                log.debug("a tag is gone", image=self.name, tag=tag)

    def _forget_unlisted(self, wants: tuple[Want, ...]) -> None:
        self.known.pending &= {*(self.known.tags or ()), *tags_of(wants)}
        self._sights = {tag: sight for tag, sight in self._sights.items() if tag in self.known.pending}

    async def save(self) -> None:
        async with self._saving:
            await asyncio.to_thread(self._means.files.save, self.name, encode(self.known))

    async def erase(self) -> None:
        async with self._saving:
            await asyncio.to_thread(self._means.files.remove, self.name)

    async def _list_as_anyone(self, wants: tuple[Want, ...], since: float) -> None:
        await self._as_anyone([want.way for want in wants if want.list_tags], lambda way: self.listed(way, since))

    async def _look_as_anyone(self, tag: str, *, budget: Budget | None = None) -> Found:
        since = time.monotonic()
        ways = [want.way for want in self._wants()]
        return await self._as_anyone(ways, lambda way: self.look(tag, way, since, budget=budget))

    async def _as_anyone(self, ways: Iterable[Way], ask: Callable[[Way], Awaitable[T]]) -> T:
        """Several may want it, each with credentials of their own: the first that work are enough.

        To some of them a registry may say that there is nothing, which counts when nobody is told otherwise.
        """
        failure: OciFailure | None = None
        for way in dict.fromkeys(ways):
            try:
                return await ask(way)
            except OciFailure as error:
                failure = error if failure is None or isinstance(failure, NotFound) else failure
        raise failure or Refused(f"{self.name}: nobody wants it any more")

    async def _list(self, way: Way) -> datetime:
        registry = await self.registry(way)
        etag = self.holds.etag(way)
        try:
            with measures.lists.time():
                listing = await registry.listing(etag)
        except OciFailure as failure:
            if isinstance(failure, NotFound) and self.known.tags is None:
                self.known.tags = ()  # whatever will be there then is new
            raise self._failed(way, failure) from failure
        self.holds.succeeded(way)
        self.known.seen_at = at = now()
        if listing is not None:
            self.holds.listed(way, listing.etag)
            await self._take(listing)
        return at

    async def _take(self, listing: Listing) -> None:
        """Registries should list in lexical order, and don't all."""
        tags = tuple(sorted(listing.tags))
        if (tags, listing.dropped) == (self.known.tags, self.known.dropped):
            return
        self.known.take_list(tags, listing.dropped, tags_of(self._wants()))
        measures.dropped.inc(listing.dropped)
        await self.save()

    async def _head(self, tag: str, way: Way) -> Found:
        registry = await self.registry(way)
        try:
            with measures.looks.time():
                found = await registry.head(tag)
        except NotFound:
            raise
        except OciFailure as failure:
            raise self._failed(way, failure) from failure
        self.holds.succeeded(way)
        return found

    def _failed(self, way: Way, failure: OciFailure) -> OciFailure:
        measures.failures.labels(reason_of(failure)).inc()
        if isinstance(failure, Refused):
            self._means.doors.refused(self.repository)
        if self.holds.failed(way, failure):
            log.warning("repository can't be read", image=self.name, reason=reason_of(failure), why=str(failure))
        return failure

    async def _announce(self, tag: str, found: Found, previous: str, sight: Sight) -> None:
        facts = self.known.facts.get(found.digest)
        event = ImagePushed(
            delivery=image_delivery(self.name, found.digest),
            registry=self.repository.host,
            repository=self.repository.name,
            tag=tag,
            digest=found.digest,
            previous=previous,
            media_type=found.media_type,
            created=facts.created if facts else None,
            pushed_at=sight.pushed_at,
            received_at=sight.received_at,
            source=sight.source,
        )
        await self._means.publish(event)
        measures.pushed.labels(sight.source).inc()
        log.info("image pushed", image=self.name, tag=tag, digest=found.digest, previous=previous, source=sight.source)
