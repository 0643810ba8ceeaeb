"""`Replace` and `Force`: what is put in place, what is deleted and made again, and what never is.

Replace of kinds with allocated fields (a Service's address) is left to the API server, which keeps them.
"""

from typing import Any

import pytest

from shared.kube import verbs
from tests.write.conftest import Desk

Obj = dict[str, Any]
CRD = "customresourcedefinition"


def config_map(immutable: bool = False, **data: str) -> Obj:
    obj: Obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "it"}, "data": data}
    return {**obj, "immutable": True} if immutable else obj


def uid(desk: Desk, kind: str = "configmap", name: str = "it") -> str:
    return str(desk.get(kind, name)["metadata"]["uid"])


async def test_replace_leaves_nothing_of_what_others_set(desk: Desk) -> None:
    desk.kubectl_apply(config_map(a="1", others="2"))
    await desk.seen(desk.target(config_map()))
    before = uid(desk)
    outcome = await desk.write(desk.target(config_map(a="1"), "Replace=true"))
    assert (outcome.status, outcome.message) == ("Synced", "configmap/it replaced")
    live = desk.get("configmap", "it")
    assert (live["data"], live["metadata"]["uid"]) == ({"a": "1"}, before)
    await desk.write(desk.target(config_map(), "Replace=false"), ["Replace=true"])
    assert "a" not in (desk.get("configmap", "it").get("data") or {}), (
        "what was replaced is ours, and so goes when it should"
    )


async def test_replace_makes_what_is_not_there_and_writes_even_what_is_in_sync(desk: Desk) -> None:
    target = desk.target(config_map(a="1"))
    await desk.write(target, ["Replace=true"])
    version = desk.get("configmap", "it")["metadata"]["resourceVersion"]
    assert (await desk.write(target, settled=lambda _key: True)).message == "configmap/it unchanged"
    both = ["Replace=true", "ApplyOutOfSyncOnly=true"]
    assert (await desk.write(target, both, settled=lambda _key: True)).message == "configmap/it unchanged"
    assert (await desk.write(target, ["Replace=true"], settled=lambda _key: True)).message == "configmap/it replaced"
    assert desk.get("configmap", "it")["metadata"]["resourceVersion"] == version, "the same again changes nothing"


async def test_replace_with_force_deletes_and_makes_again(desk: Desk) -> None:
    await desk.write(desk.target(config_map(a="1")))
    before = uid(desk)
    target = desk.target(config_map(a="2"), "Replace=true,Force=true")
    assert (await desk.write(target, dry_run=True)).message == "configmap/it replaced (server dry run)"
    assert uid(desk) == before
    await desk.write(target)
    assert (uid(desk) != before, desk.get("configmap", "it")["data"]) == (True, {"a": "2"})


@pytest.mark.parametrize("how", ["option", "strategy"])
async def test_force_makes_again_only_what_can_not_be_changed(desk: Desk, how: str) -> None:
    force: Obj = {"force": True} if how == "strategy" else {"options": ["Force=true"]}
    await desk.write(desk.target(config_map(a="1")))
    before = uid(desk)
    await desk.write(desk.target(config_map(immutable=True, a="2")), **force)
    assert uid(desk) == before
    changed = desk.target(config_map(immutable=True, a="3"))
    assert "immutable" in (await desk.write(changed)).message
    assert (await desk.write(changed, **force)).message == "configmap/it replaced"
    assert (uid(desk) != before, desk.get("configmap", "it")["data"]) == (True, {"a": "3"})


async def test_what_could_not_be_made_again_is_not_deleted(desk: Desk) -> None:
    service: Obj = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "it"},
        "spec": {"ports": [{"port": 80}]},
    }
    await desk.write(desk.target(service))
    before = uid(desk, "service")
    broken = {**service, "spec": {"ports": [{"port": 80_000}]}}
    for options in (["Force=true"], ["Force=true", "Replace=true"]):
        outcome = await desk.write(desk.target(broken), options)
        assert (outcome.status, "could not be made" in outcome.message) == ("SyncFailed", True)
    assert uid(desk, "service") == before


async def test_a_namespace_and_a_crd_are_never_deleted_for_it(desk: Desk) -> None:
    space: Obj = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": desk.namespace, "labels": {"a": "b"}}}
    group, options = f"{desk.namespace}.example.com", ["Replace=true", "Force=true"]
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    names = {"kind": "Widget", "plural": "widgets", "singular": "widget", "listKind": "WidgetList"}
    crd: Obj = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
    crd["metadata"] = {"name": f"widgets.{group}", "namespace": ""}
    crd["spec"] = {"group": group, "scope": "Namespaced", "names": names, "versions": [version]}
    space["metadata"]["namespace"] = ""
    before = uid(desk, "namespace", desk.namespace)
    await desk.seen(desk.target(space))
    assert (await desk.write(desk.target(space), options)).message.endswith("replaced")
    assert desk.get("namespace", desk.namespace)["metadata"]["labels"]["a"] == "b"
    assert uid(desk, "namespace", desk.namespace) == before
    await desk.write(desk.target(crd))
    before = uid(desk, CRD, f"widgets.{group}")
    crd["metadata"]["labels"] = {"a": "b"}
    assert (await desk.write(desk.target(crd), options)).message.endswith("replaced")
    assert uid(desk, CRD, f"widgets.{group}") == before
    resource = await desk.destination.resource(desk.target(crd).key.group_kind)
    await verbs.delete(desk.destination.cluster, resource, None, f"widgets.{group}")
