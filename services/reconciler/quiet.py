"""Did a live object change in nothing that matters (`ignoreResourceUpdates` of argocd-cm)? Then nothing is looked at.

In: the settings, an object before and after. Out: yes or no. Pure. A change of the object's health, links, owner or
deletion always matters; of a kind with a health script every change does that the script might see. jq expressions that
are more than paths are not followed here: what they select counts as changed.
"""

from collections.abc import Iterable
from typing import Any

from services.reconciler.assess import state_of
from services.reconciler.links import external_urls
from services.reconciler.live import Live
from shared.health import health
from shared.kinds.customizations import Ignored
from shared.kinds.ignoring import fields_of
from shared.kinds.settings import ArgoSettings
from shared.merge import without_ignored

Obj = dict[str, Any]
STAMPED = ("resourceVersion", "generation", "managedFields")


def quiet(settings: ArgoSettings, old: Live, new: Live) -> bool:
    """Tell whether a change concerns nobody."""
    kind = new.key.group_kind
    rules = settings.ignored_updates(kind) if settings.ignore_resource_updates_enabled else ()
    if not rules or identity(old) != identity(new):
        return False
    if settings.compare.ignore_differences_on_resource_updates:
        rules += settings.ignored_differences(kind)
    before, after = old.load(), new.load()
    if face(before, rules) != face(after, rules) or external_urls(before) != external_urls(after):
        return False
    if settings.health_script(kind) is not None:
        return state_of(before) == state_of(after)
    return health(before) == health(after)


def identity(live: Live) -> tuple[str, str, bool, bool]:
    return live.uid, live.instance, live.owned, live.deleting


def face(obj: Obj, rules: Iterable[Ignored]) -> Obj:
    """Give the object without what is ignored of its changes."""
    left = obj
    for rule in rules:
        left = without_ignored(left, obj, fields_of(rule))
    metadata = {name: value for name, value in (left.get("metadata") or {}).items() if name not in STAMPED}
    return {**left, "metadata": metadata}
