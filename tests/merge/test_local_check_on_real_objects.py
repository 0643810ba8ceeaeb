"""Objects that were just applied to a real API server are seen in sync without asking it again; drift is not.

`manifests.yaml` is written as people and charts write them: empty maps and lists, nulls, quantities in several forms.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from shared.merge import contains, owns_more
from shared.yamlio import load_all
from tests.parts.cluster import ClusterUnderTest

Obj = dict[str, Any]
US = "argocd-controller"
MANIFESTS = Path(__file__).with_name("manifests.yaml")
OBJECTS: list[Obj] = load_all(MANIFESTS.read_bytes(), MANIFESTS.name)


def apply(cluster: ClusterUnderTest, namespace: str, objects: list[Obj]) -> None:
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    cluster.kubectl(
        "apply", "--server-side", "--field-manager", US, "--force-conflicts", "-n", namespace, "-f", "-", stdin=text
    )


def live(cluster: ClusterUnderTest, namespace: str, *objects: Obj) -> list[Obj]:
    names = [f"{obj['kind']}/{obj['metadata']['name']}" for obj in objects]
    found = json.loads(cluster.kubectl("get", *names, "-n", namespace, "-o", "json", "--show-managed-fields"))
    listed: list[Obj] = found.get("items", [found])
    return listed


def in_sync(desired: Obj, found: Obj) -> bool:
    wanted = {key: value for key, value in desired.items() if key != "status"}
    return contains(wanted, found) and not owns_more(found, US, wanted)


def test_what_was_just_applied_is_in_sync(cluster: ClusterUnderTest, namespace: str) -> None:
    apply(cluster, namespace, OBJECTS)
    pairs = zip(OBJECTS, live(cluster, namespace, *OBJECTS), strict=True)
    assert [desired["kind"] for desired, found in pairs if not in_sync(desired, found)] == []


@pytest.mark.parametrize(
    "drift",
    [
        [{"op": "replace", "path": "/spec/replicas", "value": 2}],
        [{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "nginx:0"}],
        [{"op": "remove", "path": "/metadata/labels/app"}],
        [{"op": "replace", "path": "/spec/template/spec/containers/0/resources/limits/cpu", "value": "999m"}],
        [{"op": "add", "path": "/spec/template/spec/containers/-", "value": {"name": "sidecar", "image": "x"}}],
    ],
)
def test_what_somebody_changed_is_not(cluster: ClusterUnderTest, namespace: str, drift: list[Obj]) -> None:
    deployment = OBJECTS[0]
    apply(cluster, namespace, [deployment])
    cluster.kubectl("patch", "deployment/web", "-n", namespace, "--type=json", "-p", json.dumps(drift))
    assert not in_sync(deployment, *live(cluster, namespace, deployment))


def test_what_others_add_beside_ours_stays_in_sync(cluster: ClusterUnderTest, namespace: str) -> None:
    apply(cluster, namespace, [OBJECTS[0]])
    cluster.kubectl("annotate", "deployment/web", "-n", namespace, "other.example.org/note=1")
    assert in_sync(OBJECTS[0], *live(cluster, namespace, OBJECTS[0]))


def test_what_we_applied_and_no_longer_want_is_not_in_sync(cluster: ClusterUnderTest, namespace: str) -> None:
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "1", "b": "2"}}
    apply(cluster, namespace, [config])
    wanted = {**config, "data": {"a": "1"}}
    (found,) = live(cluster, namespace, config)
    assert contains(wanted, found)
    assert not in_sync(wanted, found)
