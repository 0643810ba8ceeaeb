"""Forgets what was written and held of images that nobody has any more, so that the buckets don't grow for ever.

Of an Application only when the API server itself says that it is gone; of an image whose rule went only when it has
been unwanted for a whole sweep, and never while an ImageUpdater of its namespace can't be read.
"""

from services.image_updater.keys import AppKey, ImageKey
from services.image_updater.parts import Parts
from services.image_updater.reporting import show_holds
from shared.bus import BusError
from shared.kube import ApiError, NotFound, verbs
from shared.telemetry import get_logger

log = get_logger()


async def forget_gone(the: Parts, app: AppKey) -> None:
    """An Application is out of sight: deleted, or only of a namespace that does not count any more."""
    images = the.book.images_of(app)
    if not images:
        return
    try:
        await verbs.get(the.cluster, the.applications, *app)
    except NotFound:
        for image in images:
            await the.book.forget(image)
        log.info("an Application is gone: what was written and held of it is forgotten", app=str(app))
    except ApiError as error:
        log.info("what is known of an Application out of sight is kept", app=str(app), why=error.message)


async def tidy(the: Parts, before: frozenset[ImageKey]) -> frozenset[ImageKey]:
    """At each sweep: gives the images that nobody wants; `before`: those of the last one."""
    for app in the.book.applications() - the.views.keys():
        the.queue.add(app)
    found = unwanted(the)
    try:
        for image in sorted(found & before):
            await the.book.forget(image)
            await show_holds(the, the.views[image.app])
    except BusError as error:
        log.warning("what nobody wants is forgotten later", why=str(error))
    return found


def unwanted(the: Parts) -> frozenset[ImageKey]:
    doubtful = {updater.namespace for updater in the.unreadable}
    apps = [app for app in the.book.applications() & the.views.keys() if app.namespace not in doubtful]
    return frozenset(image for app in apps for image in the.book.images_of(app) if image.alias not in _wanted(the, app))


def _wanted(the: Parts, app: AppKey) -> set[str]:
    rule = the.rules.get(app)
    return set() if rule is None else {image.alias for image in rule.images}
