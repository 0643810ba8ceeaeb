"""Which differences of one object are ignored: the Application's `ignoreDifferences` and the settings' customizations.

In: rules and the key of an object. Out: what of them holds for that object, as one `Ignored`.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from shared.kinds.customizations import Ignored
from shared.kinds.globs import matches
from shared.kinds.options import compare_options
from shared.kinds.refs import GroupKind, ResourceKey
from shared.kinds.settings import ArgoSettings

NOTHING = Ignored()
AGGREGATED = Ignored(("/rules",))
_FIELDS = ("jsonPointers", "jqPathExpressions", "managedFieldsManagers")


def ignored_for(key: ResourceKey, rules: Iterable[Mapping[str, Any]], settings: ArgoSettings) -> Ignored:
    """Give what is ignored of an object. `rules` are those of the spec, as they stand there."""
    found = [_of_rule(rule) for rule in rules if _means(rule, key)]
    found += settings.ignored_differences(key.group_kind)
    return together(found)


class Counting(NamedTuple):
    """What counts of an object beside its fields: its status, what webhooks make of it, where known types stand; and
    whether only the API server may say that it is in sync.
    """

    status: bool = False
    webhooks: bool = False
    types: tuple[tuple[str, str], ...] = ()
    server_side: bool = False


PLAIN = Counting()


def counting_for(obj: Mapping[str, Any], options: Mapping[str, str], settings: ArgoSettings) -> Counting:
    """Give what counts of a wanted object. `options` are the Application's compare options, its own go before them."""
    kind = GroupKind.of(obj)
    ignored = settings.compare.ignore_resource_status_field
    status = ignored == "none" or (ignored == "crd" and kind.kind != "CustomResourceDefinition")
    own = {**options, **compare_options(obj)}
    webhooks = own.get("IncludeMutationWebhook", "").lower() == "true"
    server_side = own.get("ServerSideDiff", "").lower() == "true"
    return Counting(status and "status" in obj, webhooks, settings.known_types(kind), server_side)


def aggregated(obj: Mapping[str, Any], settings: ArgoSettings) -> Ignored:
    """The rules of an aggregated ClusterRole are its controller's, where the settings say so."""
    role = GroupKind.of(obj) == ("rbac.authorization.k8s.io", "ClusterRole") and obj.get("aggregationRule")
    return AGGREGATED if role and settings.compare.ignore_aggregated_roles else NOTHING


def fields_of(ignored: Ignored) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Give the JSON pointers, jq expressions and managers."""
    return ignored.json_pointers, ignored.jq_path_expressions, ignored.managed_fields_managers


def together(parts: Iterable[Ignored]) -> Ignored:
    every = [part for part in parts if part != NOTHING]
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
