"""Writes the status of ImageUpdaters, where it differs; and lets go of one that is being deleted."""

from services.image_updater.keys import AppKey, ImageKey
from services.image_updater.parts import Parts
from services.image_updater.status import Findings, differs, status_of
from shared.clock import now
from shared.kinds.imageupdater import FINALIZER, ImageUpdater
from shared.kube import NotFound, verbs


async def report_updater(the: Parts, key: AppKey) -> float | None:
    """Raises ApiError: the queue tries again."""
    updater = the.updaters.get(key)
    if updater is None:
        return None
    if updater.metadata.deletion_timestamp:
        await _let_go(the, updater)
        return None
    before = updater.status.to_wire()
    after = status_of(before, updater.metadata.generation, findings(the, key), now())
    if not differs(before, after, least_seconds=the.settings.sweep_seconds / 2, now=now()):
        return None
    try:
        written = await verbs.patch_status(the.cluster, the.image_updaters, *key, after)
    except NotFound:
        return None
    the.updaters[key] = ImageUpdater.parse(written)
    return None


def findings(the: Parts, key: AppKey) -> Findings:
    apps = sorted(the.owned.get(key, ()))
    mine = [app for app in apps if (rule := the.rules.get(app)) is not None and rule.updater == key]
    states = {ImageKey(app, alias): state for app in mine for alias, state in the.states[app].items()}
    warnings = sorted({text for app in mine for text in the.rules[app].warnings})
    warnings += sorted({text for app in mine for image in the.rules[app].images for text in image.warnings})
    shared = [str(app) for app in apps if app not in set(mine)]
    return Findings(len(mine), states, list(the.recent.get(key, ())), warnings, shared)


async def _let_go(the: Parts, updater: ImageUpdater) -> None:
    """Argo CD Image Updater's finalizer: there is nothing to clean up."""
    left = [one for one in updater.metadata.finalizers if one != FINALIZER]
    if len(left) != len(updater.metadata.finalizers):
        where = (updater.namespace, updater.name)
        await verbs.patch(the.cluster, the.image_updaters, *where, {"metadata": {"finalizers": left or None}})
