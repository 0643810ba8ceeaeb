"""What the API server and its controllers make of an object is no difference, whoever applied it; a change is one.

Every manifest goes the way of the reconciler: prepared, applied, judged locally, and by a dry run where that is unsure.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from services.reconciler.compare import judge, judge_prediction, live_digest
from services.reconciler.desired import Scope, Target, target_of
from shared.kinds.ignoring import NOTHING, PLAIN, aggregated, counting_for
from shared.kinds.settings import ArgoSettings
from shared.kinds.tracking import Tracking
from shared.yamlio import load_all
from tests.parts.cluster import ClusterUnderTest

Obj = dict[str, Any]
FOLDER = Path(__file__).parent
CLUSTER_WIDE = {
    *("ClusterRole", "ValidatingWebhookConfiguration", "CustomResourceDefinition", "PriorityClass"),
    *("StorageClass", "IngressClass", "PersistentVolume"),
}
CLIENT = ("apply",)
SERVER = ("apply", "--server-side", "--force-conflicts", "--field-manager", "argocd-controller")
SETTINGS = ArgoSettings.from_configmap({"resource.compareoptions": "ignoreAggregatedRoles: true\n"})


def targets(namespace: str, *names: str) -> list[Target]:
    """Everything in the files, prepared for a namespace as the reconciler does."""
    scope = Scope(
        namespace,
        Tracking(),
        "app",
        lambda kind: kind.kind not in CLUSTER_WIDE,
        lambda _kind: False,
        lambda _key, obj: aggregated(obj, SETTINGS),
        lambda obj: counting_for(obj, {}, SETTINGS),
    )
    texts = [(FOLDER / name).read_text().replace("UNIQUE", namespace) for name in names]
    return [target_of(obj, scope) for text in texts for obj in load_all(text.encode(), "manifests")]


def listed(objects: list[Obj]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})


def apply(cluster: ClusterUnderTest, how: tuple[str, ...], objects: list[Obj], *more: str) -> None:
    cluster.kubectl(*how, *more, "-f", "-", stdin=listed(objects))


def items(cluster: ClusterUnderTest, words: tuple[str, ...], objects: list[Obj]) -> list[Obj]:
    text = cluster.kubectl(*words, "-o", "json", "--show-managed-fields", "-f", "-", stdin=listed(objects))
    found = json.loads(text)
    result: list[Obj] = found.get("items", [found])
    return result


def verdicts(cluster: ClusterUnderTest, wanted: list[Target]) -> dict[str, str]:
    """How each stands, by kind and name."""
    objects = [target.obj for target in wanted]
    lives = items(cluster, ("get",), objects)
    predicted = items(cluster, (*SERVER, "--dry-run=server"), objects)
    found: dict[str, str] = {}
    for target, live, after in zip(wanted, lives, predicted, strict=True):
        sum_ = live_digest(live)
        verdict = judge(target, live, sum_) or judge_prediction(target, live, sum_, after)
        found[f"{target.key.kind}/{target.key.name}"] = verdict.status
    return found


@pytest.mark.parametrize("how", [CLIENT, SERVER], ids=["by kubectl", "by us"])
def test_what_was_applied_is_in_sync_whoever_did_it(
    cluster: ClusterUnderTest, namespace: str, how: tuple[str, ...]
) -> None:
    wanted = targets(namespace, "manifests.yaml", "more_manifests.yaml")
    apply(cluster, how, [target.obj for target in wanted])
    assert {name: status for name, status in verdicts(cluster, wanted).items() if status != "Synced"} == {}
    away = [target.obj for target in wanted if target.key.kind in CLUSTER_WIDE]
    cluster.kubectl("delete", "--wait=false", "-f", "-", stdin=listed(away))


CHANGES: list[tuple[str, str, Obj]] = [
    ("secret", "plain", {"data": {"a": "b3RoZXI="}}),
    ("horizontalpodautoscaler", "old", {"spec": {"maxReplicas": 4}}),
    ("service", "balanced", {"spec": {"selector": {"a": "c"}}}),
    ("daemonset", "everywhere", {"spec": {"template": {"spec": {"hostNetwork": None}}}}),
]


def test_every_change_of_what_is_wanted_is_a_difference(cluster: ClusterUnderTest, namespace: str) -> None:
    names = {name for _, name, _ in CHANGES}
    wanted = [target for target in targets(namespace, "more_manifests.yaml") if target.key.name in names]
    apply(cluster, SERVER, [target.obj for target in wanted])
    for kind, name, patch in CHANGES:
        cluster.kubectl("patch", kind, name, "-n", namespace, "--type=merge", "-p", json.dumps(patch))
    assert set(verdicts(cluster, wanted).values()) == {"OutOfSync"}


def test_what_leaves_git_is_a_difference_even_where_a_default_takes_its_place(
    cluster: ClusterUnderTest, namespace: str
) -> None:
    (target,) = (one for one in targets(namespace, "more_manifests.yaml") if one.key.name == "once")
    apply(cluster, SERVER, [target.obj])
    spec = {key: value for key, value in target.obj["spec"].items() if key != "backoffLimit"}
    less = Target(target.key, {**target.obj, "spec": spec}, "less", ignored=NOTHING, counting=PLAIN)
    assert verdicts(cluster, [less]) == {"Job/once": "OutOfSync"}
