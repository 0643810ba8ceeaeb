"""Answers to people and other parts: what is known of images, explanations, a look now, holds.

A question about what is not there is a `RequestError` that says what there is.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from services.image_updater import parts
from services.image_updater.book import Hold, rule_of
from services.image_updater.choosing import Choice
from services.image_updater.deciding import choose_now
from services.image_updater.keys import AppKey, ImageKey
from services.image_updater.parts import Parts
from services.image_updater.policy import WantedImage
from services.image_updater.reconcile import look, write
from services.image_updater.refusals import Refused
from services.image_updater.reporting import show_holds
from services.image_updater.ruling import Rule
from services.image_updater.view import live_versions
from services.image_updater.wanted import wanted_image
from shared.clock import now, rfc3339
from shared.events import RequestError
from shared.events.updater import (
    CheckImages,
    ExplainImage,
    Explanation,
    HoldImage,
    ImageStatus,
    ImageStatuses,
    ListImages,
    ResumeImage,
    TagVerdict,
    TryImage,
)
from shared.kinds.imageupdater import FilterTags, UpdateSettings, WriteBackConfig

QUEUE = "image_updater"
MOST_TAGS = 2000
MOST_LISTED = 5000


async def serve(the: Parts) -> None:
    """Until cancelled."""
    answers: tuple[tuple[Any, Callable[[Parts, Any], Awaitable[Any]]], ...] = (
        (ListImages, listed),
        (CheckImages, checked),
        (ExplainImage, explained),
        (TryImage, tested),
        (HoldImage, held),
        (ResumeImage, resumed),
    )
    async with asyncio.TaskGroup() as tasks:
        for question, answer in answers:
            tasks.create_task(the.bus.serve(question, partial(_refusals_told, the, answer), queue=QUEUE))


async def _refusals_told(the: Parts, answer: Callable[[Parts, Any], Awaitable[Any]], question: Any) -> Any:
    try:
        return await answer(the, question)
    except Refused as refused:
        raise RequestError(refused.reason, refused.message, retriable=refused.retriable) from refused


async def listed(the: Parts, question: ListImages) -> ImageStatuses:
    keys = [_app(the, question.application)] if question.application else sorted(the.rules)
    found = [_status(the, key, the.rules[key], image) for key in keys for image in the.rules[key].images]
    return ImageStatuses(images=tuple(found[:MOST_LISTED]))


async def checked(the: Parts, question: CheckImages) -> ImageStatuses:
    key = _app(the, question.application)
    rule, view = the.rules[key], the.views[key]
    images = [_image(the, key, question.alias)] if question.alias else list(rule.images)
    for image in images:
        if question.write:
            await write(the, view, rule, image)
        else:
            await look(the, view, rule, image)
    return ImageStatuses(images=tuple(_status(the, key, rule, image) for image in images))


async def explained(the: Parts, question: ExplainImage) -> Explanation:
    key = _app(the, question.application)
    image, rule = _image(the, key, question.alias), the.rules[key]
    explanation = await _explanation(the, rule, image)
    await look(the, the.views[key], rule, image)
    return explanation.model_copy(update={"status": _status(the, key, rule, image)})


async def tested(the: Parts, question: TryImage) -> Explanation:
    filters = FilterTags(pattern=question.tag_pattern, extract=question.tag_extract) if question.tag_pattern else None
    settings = UpdateSettings(
        update_strategy=question.strategy,
        allow_tags=question.allow_tags or None,
        ignore_tags=question.ignore_tags or None,
        platforms=question.platforms or None,
        pull_secret=question.pull_secret or None,
        filter_tags=filters,
    )
    namespace = question.namespace or the.namespace
    image = wanted_image("", question.image, settings, None)
    return await _explanation(the, Rule(None, namespace, (image,), WriteBackConfig()), image)


async def _explanation(the: Parts, rule: Rule, image: WantedImage) -> Explanation:
    if image.problem:
        raise Refused("InvalidImage", image.problem)
    found = await choose_now(the, rule, image)
    verdicts = list(_verdicts(found.choice))
    return Explanation(
        image=image.image,
        strategy=image.policy.strategy,
        constraint=image.policy.constraint,
        winner=found.choice.winner,
        why=found.choice.why if found.choice.winner else "no tag fits the policy",
        tags=tuple(verdicts[:MOST_TAGS]),
        left_out=max(0, len(verdicts) - MOST_TAGS),
        seen_at=now(),
    )


def _verdicts(choice: Choice) -> list[TagVerdict]:
    ranked = [TagVerdict(tag=tag, rank=at, why="" if at > 1 else choice.why) for at, tag in enumerate(choice.ranked, 1)]
    return [*ranked, *(TagVerdict(tag=tag, why=why) for tag, why in sorted(choice.dropped.items()))]


async def held(the: Parts, question: HoldImage) -> ImageStatus:
    key = _app(the, question.application)
    image, rule, view = _image(the, key, question.alias), the.rules[key], the.views[key]
    at = str(next(iter(live_versions(view, image.image)), ""))
    why = f"held{f' by {question.by}' if question.by else ''}: resume it, or write a new constraint"
    written = str(the.book.memory(ImageKey(key, image.alias)).version)
    hold = Hold(*key, image.alias, at, written, rule_of(image.policy), why, question.by, rfc3339(now()))
    await the.book.hold(hold)
    await look(the, view, rule, image)
    await show_holds(the, view)
    return _status(the, key, rule, image)


async def resumed(the: Parts, question: ResumeImage) -> ImageStatus:
    key = _app(the, question.application)
    image = _image(the, key, question.alias)
    if not await the.book.release(ImageKey(key, image.alias)):
        raise Refused("NotHeld", f"{image.alias} of {key} is not held: `tiphys image list {key}` shows what is")
    await show_holds(the, the.views[key])
    the.queue.add(key)
    return _status(the, key, the.rules[key], image)


def _app(the: Parts, text: str) -> AppKey:
    namespace, _, name = text.rpartition("/")
    key = AppKey(namespace or the.namespace, name)
    if key not in the.rules:
        why = (
            "no ImageUpdater matches it, and it has no image-list annotation" if key in the.views else "it is not there"
        )
        raise Refused("NotFound", f"no images of Application {key} are followed: {why}")
    return key


def _image(the: Parts, key: AppKey, name: str) -> WantedImage:
    images = the.rules[key].images
    found = [one for one in images if one.alias == name] or [one for one in images if name in (one.written, one.image)]
    if not found:
        raise Refused(
            "NotFound", f"{key} has no image {name!r}: it has {', '.join(one.alias for one in images) or 'none'}"
        )
    return found[0]


def _status(the: Parts, key: AppKey, rule: Rule, image: WantedImage) -> ImageStatus:
    state = the.state(ImageKey(key, image.alias)) or parts.ImageState("")
    live = state.live if any(state.live) else next(iter(live_versions(the.views[key], image.image)), state.live)
    return ImageStatus(
        application=str(key),
        alias=image.alias,
        image=image.image or image.written,
        strategy=image.policy.strategy,
        constraint=image.policy.constraint,
        state=state.what,
        live=str(live),
        chosen=str(state.chosen),
        reason=state.reason,
        message=state.message,
        updater=str(rule.updater or ""),
        checked_at=state.at,
    )
