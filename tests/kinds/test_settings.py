"""argocd-cm: what is written counts, what can't be read is said and leaves the default."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kinds.customizations import Ignored, KnownTypeField
from shared.kinds.durations import seconds
from shared.kinds.refs import GroupKind
from shared.kinds.settings import ArgoSettings

LOCAL = "https://kubernetes.default.svc"
DEPLOYMENT = GroupKind("apps", "Deployment")


def script(settings: ArgoSettings, kind: GroupKind) -> str:
    found = settings.health_script(kind)
    return found.health_lua if found else ""


def test_without_a_configmap_the_defaults_of_3_x_hold() -> None:
    found = ArgoSettings.from_configmap(None)
    assert found == ArgoSettings()
    assert found.tracking == ("annotation", "app.kubernetes.io/instance", "")
    assert (found.reconciliation_seconds, found.reconciliation_jitter_seconds) == (120.0, 60.0)
    assert found.helm_values_schemes == ("http", "https")


def test_everything_that_is_written_is_read() -> None:
    found = ArgoSettings.from_configmap(
        {
            "application.resourceTrackingMethod": "annotation+label",
            "application.instanceLabelKey": "argocd.argoproj.io/instance",
            "installationID": "west",
            "timeout.reconciliation": "3m",
            "timeout.reconciliation.jitter": "0",
            "kustomize.enable": "false",
            "kustomize.buildOptions": "--enable-helm --load-restrictor LoadRestrictionsNone",
            "helm.valuesFileSchemes": "https, s3",
            "resource.compareoptions": "ignoreAggregatedRoles: true\nignoreResourceStatusField: crd\n",
            "globalProjects": "- projectName: base\n  labelSelector: {matchLabels: {a: b}}\n",
        }
    )
    assert found.problems == ()
    assert found.tracking == ("annotation+label", "argocd.argoproj.io/instance", "west")
    assert (found.reconciliation_seconds, found.reconciliation_jitter_seconds) == (180.0, 0.0)
    assert (found.kustomize_enabled, found.helm_enabled) == (False, True)
    assert found.helm_values_schemes == ("https", "s3")
    assert (found.compare.ignore_aggregated_roles, found.compare.ignore_resource_status_field) == (True, "crd")
    assert found.global_projects[0].project == "base"
    assert found.data["kustomize.buildOptions"].startswith("--enable-helm")


BAD = [
    ("application.resourceTrackingMethod", "labels", "'labels' is none of annotation, label, annotation+label"),
    ("timeout.reconciliation", "soon", "'soon' is no duration: write it as 120s, 3m or 1h30m"),
    ("timeout.reconciliation", "-3s", "'-3s' is negative"),
    ("helm.enable", "maybe", "'maybe' is neither true nor false"),
    ("resource.exclusions", "apiGroups: []", "must be a list of apiGroups, kinds and clusters"),
    ("resource.exclusions", "- kinds: Secret", "kinds must be a list of texts"),
    ("resource.inclusions", "[", "while parsing"),
    ("globalProjects", "- {}", "must be a list of labelSelector and projectName"),
    ("resource.compareoptions", "ignoreResourceStatusField: some", "is none of all, crd, none"),
    ("resource.customizations", "- a", "must be a map from group/Kind to its customizations"),
    ("resource.customizations", "apps/Deployment: text", "must be a map"),
    ("resource.customizations.ignoreDifferences.apps_Deployment", "- a", "must be a map with jsonPointers"),
    ("resource.customizations.helth.apps_Deployment", "x", "'helth' is none of health, actions"),
]


@pytest.mark.parametrize(("key", "value", "problem"), BAD)
def test_a_bad_value_is_named_and_leaves_the_default(key: str, value: str, problem: str) -> None:
    found = ArgoSettings.from_configmap({key: value, "installationID": "kept"})
    (said,) = found.problems
    assert said.startswith(f"argocd-cm {key}: ")
    assert problem in said
    assert found.tracking == ("annotation", "app.kubernetes.io/instance", "kept")
    assert found.exclusions == ArgoSettings().exclusions


EXCLUDED = [
    (GroupKind("coordination.k8s.io", "Lease"), True),
    (GroupKind("discovery.k8s.io", "EndpointSlice"), True),
    (GroupKind("", "Endpoints"), True),
    (GroupKind("cilium.io", "CiliumIdentity"), True),
    (GroupKind("", "Event"), True),
    (GroupKind("metrics.k8s.io", "PodMetrics"), True),
    (GroupKind("", "ConfigMap"), False),
    (DEPLOYMENT, False),
]


@pytest.mark.parametrize(("kind", "expected"), EXCLUDED)
def test_noisy_kinds_are_left_alone_by_default(kind: GroupKind, *, expected: bool) -> None:
    assert ArgoSettings().excludes(kind, LOCAL) is expected


def test_own_exclusions_replace_the_defaults_but_not_events() -> None:
    found = ArgoSettings.from_configmap(
        {"resource.exclusions": "- apiGroups: ['*.example.org']\n  kinds: ['*']\n  clusters: ['https://prod*']\n"}
    )
    assert found.excludes(GroupKind("a.example.org", "X"), "https://prod-1")
    assert not found.excludes(GroupKind("a.example.org", "X"), LOCAL)
    assert not found.excludes(GroupKind("coordination.k8s.io", "Lease"), LOCAL)
    assert found.excludes(GroupKind("", "Event"), LOCAL)


def test_with_inclusions_only_these_are_looked_at() -> None:
    found = ArgoSettings.from_configmap({"resource.inclusions": "- apiGroups: [apps]\n  kinds: [Deployment]\n"})
    assert not found.excludes(DEPLOYMENT, LOCAL)
    assert found.excludes(GroupKind("apps", "StatefulSet"), LOCAL)


def test_customizations_of_both_forms_are_read() -> None:
    found = ArgoSettings.from_configmap(
        {
            "resource.customizations": "example.org/Thing:\n  health.lua: return 1\n  ignoreDifferences: |\n"
            "    jsonPointers: [/spec/a]\n",
            "resource.customizations.health.apps_Deployment": "return 2",
            "resource.customizations.useOpenLibs.apps_Deployment": "true",
            "resource.customizations.actions.apps_Deployment": "discovery.lua: |\n  return {}\n",
            "resource.customizations.ignoreDifferences.all": "managedFieldsManagers: [hpa]\n",
            "resource.customizations.ignoreResourceUpdates.all": "jsonPointers: [/status]\n",
            "resource.customizations.knownTypeFields.example.org_Thing": "- {field: spec.a, type: core/v1/PodSpec}\n",
        }
    )
    assert found.problems == ()
    assert script(found, GroupKind("example.org", "Thing")) == "return 1"
    assert script(found, DEPLOYMENT) == "return 2"
    assert found.health_script(GroupKind("", "ConfigMap")) is None
    assert found.ignored_differences(GroupKind("example.org", "Thing")) == (
        Ignored(json_pointers=("/spec/a",)),
        Ignored(managed_fields_managers=("hpa",)),
    )
    assert found.ignored_updates(DEPLOYMENT) == (Ignored(json_pointers=("/status",)),)
    assert found.customizations["example.org/Thing"].known_type_fields == (KnownTypeField("spec.a", "core/v1/PodSpec"),)
    assert found.customizations["apps/Deployment"].use_open_libs


def test_the_most_exact_pattern_gives_the_health_script() -> None:
    found = ArgoSettings.from_configmap(
        {
            "resource.customizations.health.*.example.org_*": "return any",
            "resource.customizations.health.a.example.org_Thing": "return exact",
        }
    )
    assert script(found, GroupKind("a.example.org", "Thing")) == "return exact"
    assert script(found, GroupKind("b.example.org", "Thing")) == "return any"


@pytest.mark.parametrize(
    ("text", "value"), [("120s", 120), ("1h30m", 5400), ("500ms", 0.5), ("1.5h", 5400), ("0", 0), ("-1s", -1)]
)
def test_durations_are_gos(text: str, value: float) -> None:
    assert seconds(text) == value


KEYS = st.sampled_from([key for key, _, _ in BAD] + ["resource.customizations.health.all", "unknown"])


@given(st.dictionaries(KEYS, st.text("[]{}-: \nab01", max_size=20)))
def test_no_configmap_can_stop_us(data: dict[str, str]) -> None:
    assert ArgoSettings.from_configmap(data).data == data
