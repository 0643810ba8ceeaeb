"""Options that annotations and sync policies carry: sync-options, compare-options, waves, and the opt-outs.

In: lists or comma lists as people write them. Out: mappings and answers to single questions. An option of the object
wins over the Application's; options that nobody knows are kept.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal

from shared.clock import parse_rfc3339
from shared.kinds.refs import Obj

SYNC_WAVE = "argocd.argoproj.io/sync-wave"
SYNC_OPTIONS = "argocd.argoproj.io/sync-options"
COMPARE_OPTIONS = "argocd.argoproj.io/compare-options"
IGNORE_HEALTH = "argocd.argoproj.io/ignore-healthcheck"
APPROVED = "argocd.argoproj.io/deletion-approved"
SKIP_RECONCILE = "argocd.argoproj.io/skip-reconcile"
HELM_POLICY = "helm.sh/resource-policy"
HELM_WEIGHT = "helm.sh/hook-weight"

KNOWN = frozenset(
    {
        *(
            "ApplyOutOfSyncOnly",
            "ClientSideApplyMigration",
            "CreateNamespace",
            "Delete",
            "FailOnSharedResource",
            "Force",
        ),
        *("Prune", "PruneLast", "PrunePropagationPolicy", "Replace", "RespectIgnoreDifferences", "ServerSideApply"),
        *("SkipDryRunOnMissingResource", "Validate"),
    }
)
Consent = Literal["yes", "no", "confirm"]


def annotations_of(obj: Mapping[str, Any] | None) -> Mapping[str, Any]:
    return ((obj or {}).get("metadata") or {}).get("annotations") or {}


def read_options(entries: Iterable[str]) -> dict[str, str]:
    """Read `Name=value` entries; each may be a comma list, a bare name means `true`, the last of equal names wins."""
    found: dict[str, str] = {}
    for entry in entries:
        for part in str(entry).split(","):
            name, separator, value = part.strip().partition("=")
            if name:
                found[name.strip()] = value.strip() if separator else "true"
    return found


def unknown_options(entries: Iterable[str]) -> list[str]:
    """Give the names of sync options that mean nothing, most likely for a slip of the pen."""
    return sorted(read_options(entries).keys() - KNOWN)


def sync_options(app_level: Iterable[str] = (), obj: Mapping[str, Any] | None = None) -> dict[str, str]:
    """Give the sync options that hold for an object of an Application; without an object, the Application's."""
    return {**read_options(app_level), **read_options([str(annotations_of(obj).get(SYNC_OPTIONS) or "")])}


def as_entries(options: Mapping[str, str]) -> list[str]:
    """Give options as entries again, as an Application has them."""
    return [f"{name}={value}" for name, value in options.items()]


def compare_options(obj: Mapping[str, Any] | None) -> dict[str, str]:
    return read_options([str(annotations_of(obj).get(COMPARE_OPTIONS) or "")])


def sync_wave(obj: Mapping[str, Any] | None) -> int:
    """Give the wave: Argo's annotation, else Helm's hook weight; what is not an integer counts as 0."""
    annotations = annotations_of(obj)
    text = str(annotations.get(SYNC_WAVE, annotations.get(HELM_WEIGHT, "0"))).strip()
    try:
        return int(text)
    except ValueError:
        return 0


def _consent(obj: Mapping[str, Any] | None, option: str, app_level: Iterable[str]) -> Consent:
    if annotations_of(obj).get(HELM_POLICY) == "keep":
        return "no"
    value = sync_options(app_level, obj).get(option, "true").lower()
    return "no" if value == "false" else "confirm" if value == "confirm" else "yes"


def prune_consent(obj: Mapping[str, Any] | None, app_level: Iterable[str] = ()) -> Consent:
    """May this object be pruned: `yes`, `no`, or only when a person confirms."""
    return _consent(obj, "Prune", app_level)


def delete_consent(obj: Mapping[str, Any] | None, app_level: Iterable[str] = ()) -> Consent:
    """May this object be deleted along with its Application?"""
    return _consent(obj, "Delete", app_level)


def asks_for_confirmation(obj: Mapping[str, Any] | None, app_level: Iterable[str] = ()) -> bool:
    """Tell whether pruning or deleting it waits for a person."""
    return "confirm" in {_consent(obj, "Prune", app_level), _consent(obj, "Delete", app_level)}


def approved(app: Mapping[str, Any], since: datetime) -> bool:
    """Tell whether a person has confirmed, not before `since`, what the Application is about to prune or delete."""
    try:
        return parse_rfc3339(str(annotations_of(app).get(APPROVED) or "")) >= since.replace(microsecond=0)
    except ValueError:
        return False


def may_prune(obj: Obj | None, app_level: Iterable[str] = ()) -> bool:
    """Tell whether it may be pruned at once, without anybody's confirmation."""
    return prune_consent(obj, app_level) == "yes"


def skips_reconcile(obj: Mapping[str, Any] | None) -> bool:
    return str(annotations_of(obj).get(SKIP_RECONCILE, "")).lower() == "true"


def ignores_health(obj: Mapping[str, Any] | None) -> bool:
    return str(annotations_of(obj).get(IGNORE_HEALTH, "")).lower() == "true"
