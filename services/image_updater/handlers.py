"""One function for each thing that the image updater hears. Each notes what changed and queues whom it concerns."""

from services.image_updater import measures
from services.image_updater.keys import AppKey
from services.image_updater.parts import Parts
from services.image_updater.ruling import Rule, rule_for
from services.image_updater.view import AppView
from shared.events import ImagePushed
from shared.kinds.imageupdater import ImageUpdater
from shared.telemetry import get_logger

log = get_logger()


async def on_pushed(the: Parts, event: ImagePushed) -> None:
    """Only the Applications that use this image are looked at."""
    the.registry.note(event)
    concerned = the.index.get(event.image, set())
    for key in concerned:
        the.queue.add(key)
    measures.pushed.labels("used" if concerned else "unused").inc()
    log.info("image pushed", image=event.image, tag=event.tag, applications=len(concerned))


def on_application(the: Parts, key: AppKey, view: AppView | None) -> None:
    """An Application appeared, changed in what concerns images, or is gone."""
    if view is None:
        the.views.pop(key, None)
        _take_rule(the, key)
        if the.book.images_of(key):
            the.queue.add(key)
        return
    if the.views.get(key) == view:
        return
    the.views[key] = view
    if _take_rule(the, key):
        the.queue.add(key)


def on_updater(the: Parts, key: AppKey, updater: ImageUpdater | None) -> None:
    """A rule changed: the Applications of its namespace are matched anew, those with another rule are looked at."""
    before = the.updaters.get(key)
    if updater is None:
        the.updaters.pop(key, None)
        the.recent.pop(key, None)
    else:
        the.updaters[key] = updater
    if updater is not None and updater.metadata.deletion_timestamp:
        the.tell_owner(key)  # it waits for its finalizer
    if before is not None and updater is not None and before.spec == updater.spec:
        return
    for app in [one for one in the.views if one.namespace == key.namespace]:
        known = the.rules.get(app)
        if _take_rule(the, app) and the.rules.get(app) != known:
            the.queue.add(app)
    if updater is not None:
        the.tell_owner(key)


def _take_rule(the: Parts, key: AppKey) -> bool:
    """Match an Application anew; False: nothing is to be done for it."""
    view, known = the.views.get(key), the.rules.get(key)
    updaters = the.updaters_in(key.namespace)
    alone = the.settings.annotations_alone
    rule = None if view is None else rule_for(view, updaters, annotations_alone=alone)
    if rule == known:
        return rule is not None
    if known is not None:
        _forget(the, key, known)
    if rule is None:
        the.states.pop(key, None)
        return False
    the.rules[key] = rule
    for image in rule.images:
        if image.image:
            the.index[image.image].add(key)
    for owner in _owners(rule):
        the.owned[owner].add(key)
    aliases = {image.alias for image in rule.images}
    the.states[key] = {alias: state for alias, state in the.states[key].items() if alias in aliases}
    the.watch(key, rule)
    return True


def _forget(the: Parts, key: AppKey, rule: Rule) -> None:
    del the.rules[key]
    for image in rule.images:
        the.index[image.image].discard(key)
        if not the.index[image.image]:
            del the.index[image.image]
    for owner in _owners(rule):
        the.owned[owner].discard(key)
        the.tell_owner(owner)
    the.watch(key, rule)


def _owners(rule: Rule) -> list[AppKey]:
    return [owner for owner in (rule.updater, *rule.others) if owner is not None]
