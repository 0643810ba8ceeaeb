"""Who owns which field: what `kubectl apply` made before us, what `RespectIgnoreDifferences` leaves to others, and what
`Validate=false` lets pass.
"""

import json
from typing import Any

import pytest

from services.reconciler.compare import FIELD_MANAGER, judge, live_digest
from services.reconciler.desired import Target
from services.reconciler.expressions import leads
from services.reconciler.ways import CLIENTS
from shared.engines.client import Engines
from shared.kinds.customizations import Ignored
from shared.kube import verbs
from tests.write.conftest import Desk

Obj = dict[str, Any]
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
MIGRATION = "argocd.argoproj.io/client-side-apply-migration-manager"


def config_map(*, annotations: dict[str, str] | None = None, **data: str) -> Obj:
    metadata = {"name": "it", "annotations": annotations or {}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def deployment(replicas: int, **wrong: Any) -> Obj:
    pod = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "nginx", **wrong}]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": {"a": "b"}}, "template": pod, **wrong}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "it"}, "spec": spec}


def managers(obj: Obj) -> set[tuple[str, str]]:
    return {(entry["manager"], entry["operation"]) for entry in obj["metadata"]["managedFields"]}


async def test_what_kubectl_applied_before_us_goes_when_git_does_not_have_it(desk: Desk) -> None:
    desk.kubectl_apply(config_map(a="1", b="2"))
    target = desk.target(config_map(a="1"))
    await desk.seen(target)
    live = desk.get("configmap", "it")
    verdict = judge(target, live, live_digest(live), former=CLIENTS)
    assert (verdict.status if verdict else "") == "OutOfSync"
    await desk.write(target)
    live = desk.get("configmap", "it")
    assert live["data"] == {"a": "1"}
    assert managers(live) == {(FIELD_MANAGER, "Apply")}
    assert LAST_APPLIED not in (live["metadata"].get("annotations") or {})
    version = live["metadata"]["resourceVersion"]
    await desk.write(target)
    assert desk.get("configmap", "it")["metadata"]["resourceVersion"] == version, "once is enough"


async def test_what_argo_cd_applied_from_the_client_is_taken_over_too_defaults_and_all(desk: Desk) -> None:
    words = ("apply", "-n", desk.namespace, "--field-manager", FIELD_MANAGER, "-f", "-")
    made = deployment(2)
    made["spec"]["template"]["spec"]["containers"][0]["args"] = ["x"]
    desk.cluster.kubectl(*words, stdin=json.dumps(made))
    target = desk.target(deployment(2))
    await desk.seen(target)
    before = desk.get("deployment", "it")
    await desk.write(target)
    after = desk.get("deployment", "it")
    del before["spec"]["template"]["spec"]["containers"][0]["args"]
    assert after["spec"] == before["spec"]
    assert (FIELD_MANAGER, "Update") not in managers(after)


async def test_taking_over_may_be_refused(desk: Desk) -> None:
    desk.kubectl_apply(config_map(a="1", b="2"))
    target = desk.target(config_map(a="1"))
    await desk.seen(target)
    await desk.write(target, ["ClientSideApplyMigration=false"])
    assert desk.get("configmap", "it")["data"] == {"a": "1", "b": "2"}


@pytest.mark.parametrize("where", ["object", "application"])
async def test_another_former_manager_may_be_named(desk: Desk, where: str) -> None:
    words = ("apply", "-n", desk.namespace, "--field-manager", "an-old-tool", "-f", "-")
    desk.cluster.kubectl(*words, stdin=json.dumps(config_map(a="1", b="2")))
    named = {MIGRATION: "an-old-tool"} if where == "object" else None
    target = desk.target(config_map(annotations=named, a="1"))
    await desk.seen(target)
    await desk.write(target, former="" if named else "an-old-tool")
    assert desk.get("configmap", "it")["data"] == {"a": "1"}


IGNORED = [Ignored(json_pointers=("/spec/replicas",)), Ignored(managed_fields_managers=("a-scaler",))]


@pytest.mark.parametrize("ignored", IGNORED, ids=["pointer", "manager"])
async def test_ignored_fields_are_left_as_they_live_when_that_is_asked_for(desk: Desk, ignored: Ignored) -> None:
    target = desk.target(deployment(1), ignored=ignored)
    await desk.write(target)
    resource = await desk.destination.resource(target.key.group_kind)
    scaled = {"spec": {"replicas": 3}}
    await verbs.patch(desk.destination.cluster, resource, desk.namespace, "it", scaled, manager="a-scaler")
    await desk.until(target, lambda live: live is not None and live.load()["spec"]["replicas"] == 3)
    await desk.write(target, ["RespectIgnoreDifferences=true"])
    assert desk.get("deployment", "it")["spec"]["replicas"] == 3
    await desk.write(target)
    assert desk.get("deployment", "it")["spec"]["replicas"] == 1


async def test_what_is_left_may_be_named_by_a_jq_expression(desk: Desk, engines: Engines) -> None:
    async def get() -> Engines:
        return engines

    def where(target: Target) -> Any:
        return leads(get, target.ignored, target.obj, 5.0)

    image = '.spec.template.spec.containers[] | select(.name == "c") | .image'
    target = desk.target(deployment(1), ignored=Ignored(jq_path_expressions=(image,)))
    await desk.write(target)
    resource = await desk.destination.resource(target.key.group_kind)
    other = [{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "other"}]
    cluster, json_patch = desk.destination.cluster, verbs.JSON_PATCH
    await verbs.patch(cluster, resource, desk.namespace, "it", other, content_type=json_patch)
    await desk.until(target, lambda live: live is not None and b'"image":"other"' in live.raw)
    await desk.write(target, ["RespectIgnoreDifferences=true"], leads=where)
    assert desk.get("deployment", "it")["spec"]["template"]["spec"]["containers"][0]["image"] == "other"


async def test_unknown_fields_are_refused_unless_validation_is_off(desk: Desk) -> None:
    target = desk.target(deployment(1, nonsense=1))
    outcome = await desk.write(target)
    assert (outcome.status, "nonsense" in outcome.message) == ("SyncFailed", True)
    assert (await desk.write(target, ["Validate=false"])).status == "Synced"
    assert "nonsense" not in str(desk.get("deployment", "it")["spec"])
