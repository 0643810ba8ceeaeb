"""Answers to `registry.tags`, `registry.digest` and `registry.verify`: from what is known while it is fresh."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import wraps
from typing import TypeVar

from services.registry_watcher.facts import Made
from services.registry_watcher.failures import told
from services.registry_watcher.image import Image, Sight
from services.registry_watcher.images import Images
from services.registry_watcher.interest import Way
from services.registry_watcher.signatures import verify
from shared.clock import now
from shared.events import (
    ListTags,
    Message,
    PlatformImage,
    ResolveTag,
    Tag,
    TagDigest,
    TagList,
    Verification,
    VerifyImage,
)
from shared.oci.errors import OciFailure, Unreachable
from shared.oci.reference import checked_reference, is_digest
from shared.oci.registry import Found, Registry

Question = TypeVar("Question", bound=Message)
Answer = TypeVar("Answer", bound=Message)
AT_ONCE = 500


def _told(
    answer: Callable[["Answers", Question], Awaitable[Answer]],
) -> Callable[["Answers", Question], Awaitable[Answer]]:
    """A registry's failure becomes the failure of the request, with its reason."""

    @wraps(answer)
    async def in_words(self: "Answers", question: Question) -> Answer:
        try:
            return await answer(self, question)
        except OciFailure as failure:
            raise told(failure) from failure

    return in_words


class Answers:
    """`watch`: what is asked about is polled for a while."""

    def __init__(self, images: Images, watch: Callable[[Image], None]) -> None:
        self._images, self._watch = images, watch
        self._slots = asyncio.Semaphore(images.settings.look_concurrency)

    def _image(self, name: str, way: Way) -> Image:
        image = self._images.asked(name, way)
        self._watch(image)
        return image

    @_told
    async def tags(self, question: ListTags) -> TagList:
        way = Way(question.pull_secret, question.namespace)
        image = self._image(question.image, way)
        at = time.monotonic()
        seen_at = await image.listed(way, at if question.fresh else at - self._images.settings.fresh_seconds)
        names = image.known.tags or ()
        tags: tuple[Tag, ...] = tuple(Tag(name=name) for name in names)
        if question.needs:
            tags = await self._known_of(image, way, question, names)
        return TagList(image=image.name, tags=tags, dropped=image.known.dropped, seen_at=seen_at)

    @_told
    async def digest(self, question: ResolveTag) -> TagDigest:
        way = Way(question.pull_secret, question.namespace)
        image = self._image(question.image, way)
        tag = checked_reference(question.tag)
        found = await image.look(tag, way, time.monotonic())
        if not is_digest(tag):
            await image.observe(tag, found, Sight("poll", now()))
        reply = TagDigest(image=image.name, tag=tag, digest=found.digest, media_type=found.media_type)
        if "created" not in question.needs:
            return reply.model_copy(update={"index": found.is_index})
        return await self._examined(image, way, question, found, reply)

    @_told
    async def verify(self, question: VerifyImage) -> Verification:
        way = Way(question.pull_secret, question.namespace)
        image = self._image(question.image, way)
        return await verify(await image.registry(way), question.digest, question.key)

    async def _examined(
        self, image: Image, way: Way, question: ResolveTag, found: Found, reply: TagDigest
    ) -> TagDigest:
        registry = await image.registry(way)
        facts = await image.examiner.of(registry, found.digest)
        made = await image.examiner.made(registry, found.digest, facts, question.platforms)
        await image.save()
        images = tuple(PlatformImage(platform=p.platform, digest=p.digest, created=p.created) for p in made.parts)
        more = {"index": facts.index, "created": made.created, "images": images, "labels": dict(made.labels)}
        return TagDigest.model_validate(reply.model_dump() | more)

    async def _known_of(self, image: Image, way: Way, question: ListTags, names: tuple[str, ...]) -> tuple[Tag, ...]:
        """Each tag with what was asked of it. What was learnt is kept even if the asker gives up on the way."""
        registry = await image.registry(way)
        chosen = set(names if question.only is None else question.only)
        wanted = [name for name in names if name in chosen]
        known: dict[str, Tag] = {}
        for start in range(0, len(wanted), AT_ONCE):
            before = image.known.size
            try:
                batch = [_tag(image, registry, name, question) for name in wanted[start : start + AT_ONCE]]
                known.update({tag.name: tag for tag in await _together(batch, self._slots)})
            finally:
                if image.known.size != before:
                    await image.save()
        return tuple(known.get(name) or Tag(name=name) for name in names)


async def _together(work: Sequence[Awaitable[Tag]], slots: asyncio.Semaphore) -> list[Tag]:
    """All of them, or the first failure, which ends the others."""

    async def in_turn(each: Awaitable[Tag]) -> Tag:
        async with slots:
            return await each

    tasks = [asyncio.ensure_future(in_turn(each)) for each in work]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


async def _tag(image: Image, registry: Registry, name: str, question: ListTags) -> Tag:
    """One tag; what is wrong with it alone is said in it, what is wrong with the registry is raised."""
    try:
        return await _learn(image, registry, name, question)
    except Unreachable:
        raise
    except OciFailure as failure:
        return Tag(name=name, digest=image.known.digests.get(name, ""), problem=str(failure)[:300])


async def _learn(image: Image, registry: Registry, name: str, question: ListTags) -> Tag:
    digest = image.known.digests.get(name, "")
    if "created" not in question.needs:
        if not digest:
            digest = image.known.digests[name] = (await registry.head(name)).digest
        return Tag(name=name, digest=digest)
    if digest:
        facts = await image.examiner.of(registry, digest)
    else:
        digest, facts = await image.examiner.of_tag(registry, name)
        image.known.digests[name] = digest
    made = await image.examiner.made(registry, digest, facts, question.platforms)
    return Tag(name=name, digest=digest, created=made.created, problem=_problem(made, question.platforms))


def _problem(made: Made, platforms: tuple[str, ...]) -> str:
    if not made.parts:
        return f"no image for {' or '.join(platforms) or 'any platform'}"
    return "" if made.created else "it does not say when it was created"
