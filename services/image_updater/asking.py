"""Questions to registry_watcher, asked once for all who want to know the same at the same time.

In: an image, what is needed of its tags. Out: the tags, or `Refused` in the words of the registry. An answer is kept
for some seconds, and forgotten when its image is pushed; what was pushed is known at once.
"""

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

from services.image_updater.policy import Policy, Strategy, WantedImage
from services.image_updater.refusals import Refused
from shared.bus import Bus, RequestError
from shared.events import Asks, ImagePushed, ListTags, ResolveTag, Tag, TagDigest, TagList, VerifyImage
from shared.events.registry import Need

KEPT_SECONDS = 5.0
PUSHED_SECONDS = 600.0
REGISTRY_SECONDS = 120.0
Reply = TypeVar("Reply")


class Registry:
    """One instance a process."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._answers: dict[tuple[str, bytes], tuple[float, asyncio.Future[Any]]] = {}
        self._pushed: dict[str, dict[str, tuple[float, Tag]]] = {}

    def note(self, event: ImagePushed) -> None:
        """An image was pushed: old answers about it don't count any more."""
        self._answers = {known: kept for known, kept in self._answers.items() if known[0] != event.image}
        tag = Tag(name=event.tag, digest=event.digest, created=event.created)
        self._pushed.setdefault(event.image, {})[event.tag] = (time.monotonic(), tag)

    async def tags(
        self, image: WantedImage, namespace: str, needs: tuple[Need, ...] = (), only: Sequence[str] | None = None
    ) -> TagList:
        question = ListTags(
            image=image.image,
            pull_secret=image.pull_secret,
            namespace=namespace,
            needs=needs,
            platforms=image.policy.platforms if needs else (),
            only=None if only is None else tuple(only),
        )
        found = await self._asked(image.image, question)
        return found if needs else self._with_pushed(image.image, found)

    def _with_pushed(self, image: str, found: TagList) -> TagList:
        """Tags that were pushed a moment ago may be younger than the list."""
        recent = {name: tag for name, (at, tag) in self._pushed.get(image, {}).items() if _young(at, PUSHED_SECONDS)}
        missing = [tag for name, tag in recent.items() if all(one.name != name for one in found.tags)]
        return found.model_copy(update={"tags": (*found.tags, *missing)}) if missing else found

    async def digest(self, image: WantedImage, namespace: str, tag: str, *, labels: bool = False) -> TagDigest:
        """What a tag means now. `labels` costs more requests."""
        question = ResolveTag(
            image=image.image,
            pull_secret=image.pull_secret,
            namespace=namespace,
            tag=tag,
            needs=("digest", "created") if labels else ("digest",),
            platforms=image.policy.platforms if labels else (),
        )
        return await self._asked(image.image, question)

    async def verify(self, image: WantedImage, namespace: str, digest: str, key: str) -> None:
        """Raises Refused where no signature of this key is found."""
        question = VerifyImage(
            image=image.image, pull_secret=image.pull_secret, namespace=namespace, digest=digest, key=key
        )
        answer = await self._asked(image.image, question)
        if not answer.verified:
            raise Refused("SignatureInvalid", f"{image.written}@{digest} has no valid signature: {answer.why}")

    async def _asked(self, image: str, question: Asks[Reply]) -> Reply:
        known = (image, type(question).__name__.encode() + question.to_bytes())
        at, future = self._answers.get(known, (0.0, None))
        if future is None or not _young(at, KEPT_SECONDS):
            self._forget_old()
            future = asyncio.ensure_future(self._bus.request(question, timeout=REGISTRY_SECONDS))
            self._answers[known] = (time.monotonic(), future)
        try:
            found: Reply = await asyncio.shield(future)
        except RequestError as error:
            self._answers.pop(known, None)
            raise Refused(
                f"Registry{error.reason}",
                error.message,
                retriable=error.retriable,
                retry_after=error.retry_after or 0.0,
            ) from error
        return found

    def _forget_old(self) -> None:
        if len(self._answers) > 1000:
            self._answers = {known: kept for known, kept in self._answers.items() if _young(kept[0], KEPT_SECONDS)}


def _young(at: float, seconds: float) -> bool:
    return time.monotonic() - at < seconds


def needs_of(policy: Policy) -> tuple[Need, ...]:
    return ("created",) if policy.strategy is Strategy.NEWEST_BUILD else ()


def dates(tags: Sequence[Tag]) -> dict[str, datetime | None]:
    return {tag.name: tag.created for tag in tags}
