"""`argocd-cm` as Tiphys understands it.

In: the ConfigMap's data. Out: one frozen value with every setting at its default or as written, and `problems`: a
sentence for each value that couldn't be read, whose default then holds. Keys that nobody here reads stay in `data`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self, TypeVar, get_args

import yaml

from shared.kinds.customizations import Customization, Ignored, read_customizations
from shared.kinds.durations import seconds
from shared.kinds.exclusions import DEFAULTS, Filter, Unreadable, excluded, read_filters
from shared.kinds.refs import GroupKind
from shared.kinds.tracking import INSTANCE_LABEL, Method, Tracking

Value = TypeVar("Value")
METHODS: tuple[Method, ...] = get_args(Method)
_SCHEMES: tuple[str, ...] = ("http", "https")
_TRACKING = Tracking()
KNOWN_TYPES = {GroupKind("argoproj.io", "Rollout"): (("spec.template.spec", "core/v1/PodSpec"),)}
_NO_FILTERS: tuple[Filter, ...] = ()


@dataclass(frozen=True)
class CompareOptions:
    ignore_aggregated_roles: bool = False
    ignore_resource_status_field: str = "all"
    ignore_differences_on_resource_updates: bool = True


@dataclass(frozen=True)
class GlobalProject:
    project: str
    selector: dict[str, Any]


_NO_PROJECTS: tuple[GlobalProject, ...] = ()


@dataclass(frozen=True)
class ArgoSettings:
    """All settings; `ArgoSettings()` is what holds without any ConfigMap."""

    data: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    tracking: Tracking = _TRACKING
    exclusions: tuple[Filter, ...] = DEFAULTS
    inclusions: tuple[Filter, ...] = ()
    customizations: Mapping[str, Customization] = field(default_factory=dict)
    compare: CompareOptions = CompareOptions()
    reconciliation_seconds: float = 120.0
    reconciliation_jitter_seconds: float = 60.0
    hard_reconciliation_seconds: float = 0.0
    helm_enabled: bool = True
    kustomize_enabled: bool = True
    jsonnet_enabled: bool = True
    helm_values_schemes: tuple[str, ...] = _SCHEMES
    kustomize_build_options: str = ""
    global_projects: tuple[GlobalProject, ...] = ()
    impersonation_enabled: bool = False
    ignore_resource_updates_enabled: bool = True
    jq_seconds: float = 1.0
    respect_rbac: str = ""

    @classmethod
    def from_configmap(cls, data: Mapping[str, str] | None) -> Self:
        """Read the ConfigMap's `data`; never fails."""
        reader = _Reader(data or {})
        customizations, problems = read_customizations(reader.data)
        return cls(
            data=dict(reader.data),
            customizations=customizations,
            **_own(reader),
            problems=(*reader.problems, *problems),
        )

    def excludes(self, kind: GroupKind, server: str) -> bool:
        """Tell whether Applications leave this kind alone."""
        known = self._excluded.get((kind, server))
        if known is None:
            known = self._excluded[kind, server] = excluded(kind, server, self.exclusions, self.inclusions)
        return known

    @cached_property
    def _excluded(self) -> dict[tuple[GroupKind, str], bool]:
        return {}

    def customized(self, kind: GroupKind) -> tuple[Customization, ...]:
        """Give what is set for a kind, the most exact pattern first."""
        known = self._customized.get(kind)
        if known is None:
            found = [one for one in self.customizations.values() if one.covers(kind)]
            known = tuple(sorted(found, key=lambda one: ("*" in one.pattern, -len(one.pattern))))
            self._customized[kind] = known
        return known

    @cached_property
    def _customized(self) -> dict[GroupKind, tuple[Customization, ...]]:
        return {}

    def health_script(self, kind: GroupKind) -> Customization | None:
        """Give the customization whose health script judges a kind."""
        return next((one for one in self.customized(kind) if one.health_lua.strip()), None)

    def ignored_differences(self, kind: GroupKind) -> tuple[Ignored, ...]:
        return tuple(one.ignore_differences for one in self.customized(kind) if one.ignore_differences is not None)

    def scripted_actions(self, kind: GroupKind) -> Customization | None:
        """Give the customization that holds the actions of a kind."""
        return next((one for one in self.customized(kind) if one.actions is not None), None)

    def known_types(self, kind: GroupKind) -> tuple[tuple[str, str], ...]:
        """Give where Kubernetes' own types stand in a custom kind: field and type."""
        written = [one for custom in self.customized(kind) for one in custom.known_type_fields]
        return (*KNOWN_TYPES.get(kind, ()), *((one.field, one.type) for one in written))

    def ignored_updates(self, kind: GroupKind) -> tuple[Ignored, ...]:
        return tuple(
            one.ignore_resource_updates for one in self.customized(kind) if one.ignore_resource_updates is not None
        )


class _Reader:
    """Reads one key after the other; what can't be read is noted and keeps its default."""

    def __init__(self, data: Mapping[str, str]) -> None:
        self.data = {key: str(value) for key, value in data.items()}
        self.problems: list[str] = []

    def read(self, key: str, default: Value, parse: Callable[[str], Value]) -> Value:
        text = self.data.get(key)
        if text is None or (not text.strip() and not isinstance(default, tuple)):
            return default
        try:
            return parse(text)
        except (ValueError, yaml.YAMLError) as error:
            self.problems.append(f"argocd-cm {key}: {' '.join(str(error).split())}")
            return default


def _own(reader: _Reader) -> dict[str, Any]:
    read = reader.read
    return {
        "tracking": _tracking(reader),
        "exclusions": read("resource.exclusions", DEFAULTS, lambda text: read_filters(parsed(text))),
        "inclusions": read("resource.inclusions", _NO_FILTERS, lambda text: read_filters(parsed(text))),
        "compare": read("resource.compareoptions", CompareOptions(), _compare),
        "reconciliation_seconds": read("timeout.reconciliation", 120.0, _positive),
        "reconciliation_jitter_seconds": read("timeout.reconciliation.jitter", 60.0, _positive),
        "hard_reconciliation_seconds": read("timeout.hard.reconciliation", 0.0, _positive),
        "helm_enabled": read("helm.enable", default=True, parse=_flag),
        "kustomize_enabled": read("kustomize.enable", default=True, parse=_flag),
        "jsonnet_enabled": read("jsonnet.enable", default=True, parse=_flag),
        "helm_values_schemes": read("helm.valuesFileSchemes", _SCHEMES, _names),
        "kustomize_build_options": read("kustomize.buildOptions", "", str.strip),
        "global_projects": read("globalProjects", _NO_PROJECTS, _global_projects),
        "impersonation_enabled": read("application.sync.impersonation.enabled", default=False, parse=_flag),
        "ignore_resource_updates_enabled": read("resource.ignoreResourceUpdatesEnabled", default=True, parse=_flag),
        "jq_seconds": read("ignore.normalizer.jq.timeout", 1.0, _positive),
        "respect_rbac": read("resource.respectRBAC", "", _respect),
    }


def parsed(text: str) -> Any:
    """These texts are an administrator's: PyYAML's own safe reader is enough."""
    return yaml.load(text, Loader=yaml.CSafeLoader)


def _tracking(reader: _Reader) -> Tracking:
    return Tracking(
        reader.read("application.resourceTrackingMethod", "annotation", _method),
        reader.read("application.instanceLabelKey", INSTANCE_LABEL, str.strip),
        reader.read("installationID", "", str.strip),
    )


def _method(text: str) -> Method:
    for method in METHODS:
        if method == text.strip():
            return method
    raise Unreadable(f"{text!r} is none of {', '.join(METHODS)}")


def _flag(text: str) -> bool:
    word = text.strip().lower()
    if word not in {"true", "false", "1", "0", "t", "f"}:
        raise Unreadable(f"{text!r} is neither true nor false")
    return word in {"true", "1", "t"}


def _positive(text: str) -> float:
    value = seconds(text)
    if value < 0:
        raise Unreadable(f"{text!r} is negative")
    return value


def _names(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (part.strip().lower() for part in text.split(","))))


def _respect(text: str) -> str:
    if text.strip() not in {"normal", "strict"}:
        raise Unreadable(f"{text!r} is neither normal nor strict")
    return text.strip()


def _mapping(text: str) -> dict[str, Any]:
    value = parsed(text) or {}
    if not isinstance(value, dict):
        raise Unreadable("must be a map")
    return value


def _compare(text: str) -> CompareOptions:
    value = _mapping(text)
    given = value.get("ignoreResourceStatusField")
    status = "none" if given in (False, "off") else str(given or "all")  # YAML reads off as false
    if status not in {"all", "crd", "none"}:
        raise Unreadable(f"ignoreResourceStatusField {status!r} is none of all, crd, none")
    return CompareOptions(
        value.get("ignoreAggregatedRoles") is True,
        status,
        value.get("ignoreDifferencesOnResourceUpdates", True) is not False,
    )


def _global_projects(text: str) -> tuple[GlobalProject, ...]:
    value = parsed(text) or []
    if not isinstance(value, list) or not all(isinstance(one, dict) and one.get("projectName") for one in value):
        raise Unreadable("must be a list of labelSelector and projectName")
    return tuple(GlobalProject(str(one["projectName"]), dict(one.get("labelSelector") or {})) for one in value)
