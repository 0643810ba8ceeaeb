"""Which differences of one object are ignored: the Application's `ignoreDifferences` and the settings' customizations.

In: rules and the key of an object. Out: what of them holds for that object, as one `Ignored`.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from shared.kinds.customizations import Ignored
from shared.kinds.globs import matches
from shared.kinds.refs import ResourceKey
from shared.kinds.settings import ArgoSettings

NOTHING = Ignored()
_FIELDS = ("jsonPointers", "jqPathExpressions", "managedFieldsManagers")


def ignored_for(key: ResourceKey, rules: Iterable[Mapping[str, Any]], settings: ArgoSettings) -> Ignored:
    """Give what is ignored of an object. `rules` are those of the spec, as they stand there."""
    found = [_of_rule(rule) for rule in rules if _means(rule, key)]
    found += settings.ignored_differences(key.group_kind)
    return together(found)


def together(parts: Iterable[Ignored]) -> Ignored:
    every = list(parts)
    if not every:
        return NOTHING
    return Ignored(
        tuple(dict.fromkeys(one for part in every for one in part.json_pointers)),
        tuple(dict.fromkeys(one for part in every for one in part.jq_path_expressions)),
        tuple(dict.fromkeys(one for part in every for one in part.managed_fields_managers)),
    )


def _means(rule: Mapping[str, Any], key: ResourceKey) -> bool:
    """Group and kind are globs; a name or namespace that is left out means any."""
    return (
        matches(str(rule.get("group") or ""), key.group)
        and matches(str(rule.get("kind") or ""), key.kind)
        and rule.get("name") in {None, "", key.name}
        and rule.get("namespace") in {None, "", key.namespace}
    )


def _of_rule(rule: Mapping[str, Any]) -> Ignored:
    return Ignored(*(tuple(map(str, rule.get(field) or ())) for field in _FIELDS))
