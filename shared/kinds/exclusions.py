"""Which kinds Argo CD leaves alone (`resource.exclusions`, `resource.inclusions`), with the defaults of 3.x."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from shared.kinds.globs import matches
from shared.kinds.refs import GroupKind


class Unreadable(ValueError):
    """A setting that has another shape than it must have."""


class Filter(NamedTuple):
    """One entry: empty lists mean all. Groups and clusters are globs, kinds are names or `*`."""

    groups: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()

    def covers(self, kind: GroupKind, server: str) -> bool:
        return (
            _any(self.groups, kind.group)
            and (not self.kinds or kind.kind in self.kinds or "*" in self.kinds)
            and _any(self.clusters, server)
        )


def _any(patterns: tuple[str, ...], text: str) -> bool:
    return not patterns or any(matches(pattern, text) for pattern in patterns)


ALWAYS = (Filter(("events.k8s.io", "metrics.k8s.io"), ("*",)), Filter(("",), ("Event",)))
_REVIEWS = "SelfSubjectReview TokenReview LocalSubjectAccessReview SelfSubjectAccessReview SelfSubjectRulesReview"
_REPORTS = (
    "PolicyReport ClusterPolicyReport EphemeralReport ClusterEphemeralReport AdmissionReport ClusterAdmissionReport "
    "BackgroundScanReport ClusterBackgroundScanReport UpdateRequest"
)
DEFAULTS: tuple[Filter, ...] = (
    Filter(("", "discovery.k8s.io"), ("Endpoints", "EndpointSlice")),
    Filter(("coordination.k8s.io",), ("Lease",)),
    Filter(("authentication.k8s.io", "authorization.k8s.io"), (*_REVIEWS.split(), "SubjectAccessReview")),
    Filter(("certificates.k8s.io",), ("CertificateSigningRequest",)),
    Filter(("cert-manager.io",), ("CertificateRequest",)),
    Filter(("cilium.io",), ("CiliumIdentity", "CiliumEndpoint", "CiliumEndpointSlice")),
    Filter(("kyverno.io", "reports.kyverno.io", "wgpolicyk8s.io"), tuple(_REPORTS.split())),
)


def read_filters(value: Any) -> tuple[Filter, ...]:
    """Read the list as it is in argocd-cm. Raises ValueError."""
    if value is None:
        return ()
    if not isinstance(value, list):
        raise Unreadable("must be a list of apiGroups, kinds and clusters")
    return tuple(map(_filter, value))


def _filter(entry: Any) -> Filter:
    if not isinstance(entry, Mapping):
        raise Unreadable("holds an entry that is no map of apiGroups, kinds and clusters")
    return Filter(*(_names(entry, key) for key in ("apiGroups", "kinds", "clusters")))


def _names(entry: Mapping[str, Any], key: str) -> tuple[str, ...]:
    values = entry.get(key) or ()
    if not isinstance(values, list | tuple) or not all(isinstance(value, str) for value in values):
        raise Unreadable(f"{key} must be a list of texts")
    return tuple(values)


def excluded(kind: GroupKind, server: str, exclusions: Iterable[Filter], inclusions: Iterable[Filter]) -> bool:
    """Tell whether a kind is left alone: what is excluded always is, and with inclusions whatever they don't name."""
    if any(one.covers(kind, server) for one in (*ALWAYS, *exclusions)):
        return True
    only = tuple(inclusions)
    return bool(only) and not any(one.covers(kind, server) for one in only)
