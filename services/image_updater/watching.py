"""Tells registry_watcher which images matter to whom; webhooks and polls of others cost nothing.

What changed is told soon, once for many changes; everything is told anew at each sweep, in case it was forgotten.
"""

import asyncio

from services.image_updater.parts import Owner, Parts
from services.image_updater.policy import Strategy, WantedImage
from shared.bus import RequestError
from shared.events import WatchedImage, WatchImages
from shared.telemetry import get_logger

TOGETHER_SECONDS, FIRST_PAUSE, LONGEST_PAUSE = 0.1, 1.0, 30.0
log = get_logger()


async def tell(the: Parts) -> None:
    """Until cancelled."""
    pause = FIRST_PAUSE
    while True:
        await the.to_watch.wait()
        await asyncio.sleep(TOGETHER_SECONDS)
        the.to_watch.clear()
        failed = [owner for owner in _taken(the) if not await _told(the, owner)]
        pause = min(pause * 2, LONGEST_PAUSE) if failed else FIRST_PAUSE
        if failed:
            the.unwatched.update(failed)
            await asyncio.sleep(pause)
            the.to_watch.set()


def _taken(the: Parts) -> list[Owner]:
    owners = sorted(the.unwatched)
    the.unwatched.clear()
    return owners


def tell_all(the: Parts) -> None:
    for key, rule in the.rules.items():
        the.watch(key, rule)


async def _told(the: Parts, owner: Owner) -> bool:
    try:
        answer = await the.bus.request(WatchImages(owner=str(owner), images=watched(the, owner)))
    except RequestError as error:
        log.info("registry_watcher could not be told what to watch", owner=str(owner), why=str(error))
        return False
    for image, why in answer.refused.items():
        log.warning("an image can't be watched", owner=str(owner), image=image, why=why)
    return True


def watched(the: Parts, owner: Owner) -> tuple[WatchedImage, ...]:
    """Each repository once for each way to log in."""
    apps = [owner.key] if owner.kind == "application" else the.owned.get(owner.key, set())
    found: dict[tuple[str, str], WatchedImage] = {}
    for app in apps:
        rule = the.rules.get(app)
        if rule is None or (rule.updater is not None) != (owner.kind == "imageupdater"):
            continue
        if rule.updater in (None, owner.key):
            for image in rule.images:
                _join(found, rule.namespace, image)
    return tuple(found[name] for name in sorted(found))


def _join(found: dict[tuple[str, str], WatchedImage], namespace: str, image: WantedImage) -> None:
    if image.problem or not image.image:
        return
    one_tag = image.policy.strategy is Strategy.DIGEST
    known = found.get((image.image, image.pull_secret))
    tags = {*(known.tags if known else ()), *([image.policy.constraint] if one_tag else [])}
    found[image.image, image.pull_secret] = WatchedImage(
        image=image.image,
        pull_secret=image.pull_secret,
        namespace=namespace,
        tags=tuple(sorted(tags)),
        list_tags=not one_tag or bool(known and known.list_tags),
    )
