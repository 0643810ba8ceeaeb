"""deploy/crds comes from the models, looks to users as Argo CD's does, and a real API server takes it."""

from typing import Any

import pytest
import yaml

from shared.kinds.crds import DEFINITIONS, FOLDER, crd, files
from tests.parts.cluster import ClusterUnderTest

Obj = dict[str, Any]
APPLICATION = """
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: web}
spec:
  project: default
  fieldOfTomorrow: {deep: [1]}
  source:
    repoURL: https://git.example.org/apps.git
    path: web
    helm: {valuesObject: {a: {b: [1, x]}}}
    kustomize: {replicas: [{name: a, count: 1}, {name: b, count: "2"}]}
  destination: {server: https://kubernetes.default.svc, namespace: web}
status: {sync: {status: Synced, revision: abcdef}, health: {status: Healthy}}
"""


def test_the_files_are_current() -> None:
    written = {path.name: path.read_text() for path in FOLDER.glob("*.yaml")}
    assert written == files(), "run `make generate`"


def schemas(value: Any) -> Any:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from schemas(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from schemas(inner)


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda one: one.plural)
def test_schemas_are_structural(definition: Any) -> None:
    for schema in schemas(crd(definition)["spec"]["versions"][0]["schema"]):
        assert not {"$ref", "$defs", "oneOf", "allOf"} & schema.keys()
        assert not ("properties" in schema and "additionalProperties" in schema)
        if "anyOf" in schema:
            assert schema["x-kubernetes-int-or-string"]


def test_kubectl_shows_the_same_columns_and_short_names_as_with_argo_cd() -> None:
    found = {one["spec"]["names"]["kind"]: one["spec"] for one in map(yaml.safe_load, files().values())}
    application = found["Application"]
    assert application["versions"][0]["additionalPrinterColumns"] == [
        {"name": "Sync Status", "type": "string", "jsonPath": ".status.sync.status"},
        {"name": "Health Status", "type": "string", "jsonPath": ".status.health.status"},
        {"name": "Revision", "type": "string", "jsonPath": ".status.sync.revision", "priority": 10},
        {"name": "Project", "type": "string", "jsonPath": ".spec.project", "priority": 10},
    ]
    names = {kind: spec["names"]["shortNames"] for kind, spec in found.items()}
    assert names == {
        "Application": ["app", "apps"],
        "AppProject": ["appproj", "appprojs"],
        "ApplicationSet": ["appset", "appsets"],
        "ImageUpdater": ["imgupd", "imgupds"],
        "Rollout": ["ro"],
        "AnalysisRun": ["ar"],
        "AnalysisTemplate": ["at"],
        "ClusterAnalysisTemplate": ["cat"],
        "Experiment": ["exp"],
    }


def test_which_kinds_have_a_status_subresource() -> None:
    found = {one.plural for one in DEFINITIONS if "subresources" in crd(one)["spec"]["versions"][0]}
    assert found == {"applicationsets", "imageupdaters", "rollouts"}


def test_a_rollout_scales_as_argos_does() -> None:
    rollout = next(crd(one) for one in DEFINITIONS if one.plural == "rollouts")["spec"]["versions"][0]
    assert rollout["subresources"]["scale"] == {
        "labelSelectorPath": ".status.selector",
        "specReplicasPath": ".spec.replicas",
        "statusReplicasPath": ".status.HPAReplicas",
    }
    assert [column["name"] for column in rollout["additionalPrinterColumns"]] == [
        "Desired",
        "Current",
        "Up-to-date",
        "Available",
        "Age",
    ]


def test_an_api_server_takes_them_and_keeps_what_they_do_not_know(cluster: ClusterUnderTest, namespace: str) -> None:
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(FOLDER))
    cluster.kubectl("apply", "-n", namespace, "-f", "-", stdin=APPLICATION)
    live = yaml.safe_load(cluster.kubectl("get", "app", "web", "-n", namespace, "-o", "yaml"))
    expected = yaml.safe_load(APPLICATION)
    assert {key: live[key] for key in ("spec", "status")} == {key: expected[key] for key in ("spec", "status")}
    wide = cluster.kubectl("get", "apps", "web", "-n", namespace, "-o", "wide")
    head, row = wide.splitlines()
    assert " ".join(head.split()) == "NAME SYNC STATUS HEALTH STATUS REVISION PROJECT"
    assert row.split() == ["web", "Synced", "Healthy", "abcdef", "default"]


def test_statuses_that_we_alone_write_are_not_checked_field_by_field() -> None:
    application = next(one for one in DEFINITIONS if one.plural == "applications")
    light, whole = (_status(crd(application, whole=whole)) for whole in (False, True))
    kept = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    assert light["operationState"] == light["history"]["items"] == light["sync"]["properties"]["comparedTo"] == kept
    assert whole["operationState"]["required"] == ["operation", "phase", "startedAt"]
    assert light["health"] == whole["health"]


def _status(definition: dict[str, Any]) -> dict[str, Any]:
    schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    found: dict[str, Any] = schema["properties"]["status"]["properties"]
    return found
