"""One pass over one Application: decide for each image, write what is to be written, note what became of it.

Every refusal ends here, as the state of its image, an Event and a log line; one that may pass is tried again later.
"""

from services.image_updater import parts
from services.image_updater.assigning import slot
from services.image_updater.changing import Change
from services.image_updater.deciding import UPDATE, Decision, decide
from services.image_updater.forgetting import forget_gone
from services.image_updater.keys import AppKey, ImageKey
from services.image_updater.parts import ImageState, Parts
from services.image_updater.permitting import check_permitted
from services.image_updater.placing import ARGOCD, Branches, Kind, Place, method_of, place_of, source_for
from services.image_updater.policy import WantedImage
from services.image_updater.refusals import FIRST_RETRY, Refused
from services.image_updater.reporting import note, refuse, report
from services.image_updater.ruling import Rule
from services.image_updater.specwrite import write_to_spec
from services.image_updater.view import AppView, live_versions
from services.image_updater.writer import Outcome
from shared.clock import now
from shared.telemetry.trace import traced


async def reconcile(the: Parts, key: AppKey) -> float | None:
    """Gives the seconds after which to look again."""
    view, rule = the.views.get(key), the.rules.get(key)
    if view is None:
        await forget_gone(the, key)
    if view is None or rule is None or view.metadata.deletionTimestamp:
        return None
    waits = list[float]()
    for image in rule.images:
        wait = await write(the, view, rule, image)
        waits += [] if wait is None else [wait]
    await note(the, view, rule)
    return min(waits, default=None)


async def write(the: Parts, view: AppView, rule: Rule, image: WantedImage) -> float | None:
    """Look at one image, and write what is chosen."""
    try:
        decision = await _decided(the, view, rule, image)
        if decision.what == UPDATE:
            await _update(the, view, rule, image, decision)
    except Refused as refused:
        refuse(the, view, image, refused)
        return max(refused.retry_after, FIRST_RETRY) if refused.retriable else None
    return decision.due


async def look(the: Parts, view: AppView, rule: Rule, image: WantedImage) -> None:
    """Look at one image, and write nothing."""
    try:
        await _decided(the, view, rule, image)
    except Refused as refused:
        refuse(the, view, image, refused)


async def _decided(the: Parts, view: AppView, rule: Rule, image: WantedImage) -> Decision:
    decision = await decide(the, view, rule, image)
    what = parts.OUTDATED if decision.what == UPDATE else decision.what
    state = ImageState(what, decision.live, decision.chosen, message=decision.why, at=now())
    known = the.state(key := ImageKey(view.key, image.alias))
    if not (known and known.what == parts.WRITTEN and what == parts.OUTDATED and known.chosen == state.chosen):
        the.keep(key, state)
    return decision


async def _update(the: Parts, view: AppView, rule: Rule, image: WantedImage, decision: Decision) -> None:
    in_object = method_of(rule.config) == ARGOCD
    place = _in_object(view, image) if in_object else _in_git(the, view, rule, image)
    _check_slot(view, rule, image, place)
    check_permitted(view, place, the.projects.get(view.project), argo=the.namespace)
    key = ImageKey(view.key, image.alias)
    change = Change(
        key,
        image,
        decision.live,
        decision.chosen,
        place,
        rule.namespace,
        decision.delivery,
        decision.labels,
    )
    if not in_object:
        the.writer.submit([change])
        return
    with traced(decision.delivery):
        if await write_to_spec(the, view, change):
            await report(the, Outcome((change,)))


def _check_slot(view: AppView, rule: Rule, image: WantedImage, place: Place) -> None:
    """Two images that take turns in one place would never come to rest."""
    mine = slot(image, place.source_type)
    for other in rule.images:
        used = other.force or bool(live_versions(view, other.image))
        if place.kind is not Kind.SETTERS and other is not image and used and slot(other, place.source_type) == mine:
            why = f"{image.alias} and {other.alias} both want {mine}: give each image its own key"
            raise Refused("KeyConflict", why)


def _in_git(the: Parts, view: AppView, rule: Rule, image: WantedImage) -> Place:
    return place_of(view, image, rule.config, namespace=rule.namespace, argo=the.namespace)


def _in_object(view: AppView, image: WantedImage) -> Place:
    """The path is the position of the source."""
    found = source_for(view, image)
    return Place("", view.spec.project, Branches("", ""), Kind.OVERRIDES, str(found.position), found.type)
