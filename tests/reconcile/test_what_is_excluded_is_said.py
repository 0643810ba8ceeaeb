"""Kinds that the settings exclude are left out of what an Application wants, and that is said."""

from services.reconciler.desired import Scope, prepare
from shared.kinds.refs import GroupKind
from shared.kinds.settings import ArgoSettings
from shared.kinds.tracking import Tracking

EXCLUDED = "- apiGroups: ['batch']\n  kinds: ['*']\n  clusters: ['*']\n"


def test_an_excluded_kind_is_left_out_with_a_warning() -> None:
    argo = ArgoSettings.from_configmap({"resource.exclusions": EXCLUDED})

    def excluded(kind: GroupKind) -> bool:
        return argo.excludes(kind, "https://kubernetes.default.svc")

    manifests = [
        {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "job"}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "map"}},
    ]
    found = prepare(manifests, Scope("ns", Tracking(), "app", lambda _kind: True, excluded), "digest")
    assert [key.kind for key in found.objects] == ["ConfigMap"]
    assert [one.type for one in found.conditions] == ["ExcludedResourceWarning"]
    assert "batch/Job" in found.conditions[0].message
