"""What a sync refuses, leaves out, or brings from elsewhere: shared objects, missing kinds, what is in sync, namesakes,
manifests from somebody's disk. How one object is written: tests/write.
"""

from typing import Any

import orjson

from shared.kube import verbs
from tests.parts.delivery import ARGO, Delivery, config_map, synced

Obj = dict[str, Any]
WIDGET: Obj = {"apiVersion": "nobody.example.com/v1", "kind": "Widget", "metadata": {"name": "w"}}


def ended(phase: str, *words: str) -> Any:
    def holds(app: Obj) -> bool:
        state = app["status"]["operationState"]
        return state["phase"] == phase and all(word in state["message"] for word in words)

    return holds


def results(app: Obj) -> set[str]:
    found = app["status"]["operationState"]["syncResult"].get("resources") or ()
    return {one["name"] for one in found if one["kind"] != "Namespace"}


def operation(app: Obj) -> Obj:
    found: Obj = app["status"]["operationState"]["operation"]["sync"]
    return found


async def sync(delivery: Delivery, **sync: Any) -> None:
    await delivery.patch({"operation": {"sync": sync}})


async def test_an_object_that_another_application_has_may_stop_the_sync(delivery: Delivery) -> None:
    delivery.begin({"app/a.json": config_map("a")})
    other = delivery.application(automated={})
    other["metadata"]["name"] = f"{delivery.app}-first"
    try:
        await delivery.apply(other)
        await delivery.until_object("", "ConfigMap", "a", bool)
        await delivery.apply(delivery.application())
        await delivery.until(lambda app: "SharedResourceWarning" in str(app["status"]["conditions"]))
        await sync(delivery, syncOptions=["FailOnSharedResource=true"])
        await delivery.until(ended("Error", "Shared resource found: ", f"{delivery.app}-first"))
        live = await delivery.get("ConfigMap", "a")
        assert live
        assert f"{delivery.app}-first:" in live["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"]
    finally:
        await delivery.stack.kubectl("delete", "application", f"{delivery.app}-first", "-n", ARGO, "--wait=false")


async def test_a_kind_that_is_missing_stops_everything_unless_it_may_come_later(delivery: Delivery) -> None:
    delivery.begin({"app/a.json": config_map("a"), "app/w.json": orjson.dumps(WIDGET)})
    await delivery.apply(delivery.application())
    await sync(delivery)
    await delivery.until(ended("Failed", "does not know the kind nobody.example.com"))
    assert await delivery.get("ConfigMap", "a") is None
    await sync(delivery, syncOptions=["SkipDryRunOnMissingResource=true"])
    await delivery.until(lambda app: ended("Failed", "does not know the kind")(app) and results(app) == {"a", "w"})
    assert await delivery.get("ConfigMap", "a") is not None


async def test_only_what_is_out_of_sync_may_be_applied(delivery: Delivery) -> None:
    delivery.begin({"app/a.json": config_map("a"), "app/b.json": config_map("b")})
    await delivery.apply(delivery.application(automated={}))
    await delivery.until(synced)
    await delivery.delete("ConfigMap", "b")
    await delivery.until(lambda app: app["status"]["sync"]["status"] == "OutOfSync")
    await sync(delivery, syncOptions=["ApplyOutOfSyncOnly=true"])
    app = await delivery.until(lambda app: synced(app) and results(app) != {"a", "b"})
    assert results(app) == {"b"}


async def test_healing_one_object_leaves_its_namesake_in_another_namespace_alone(delivery: Delivery) -> None:
    there = f"{delivery.namespace}-too"
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": there}}
    twin = config_map("a", k="git").replace(b'"name":"a"', f'"name":"a","namespace":"{there}"'.encode())
    files = {"a": config_map("a", k="git"), "space": orjson.dumps(space), "twin": twin}
    delivery.begin({f"app/{name}.json": content for name, content in files.items()})
    rule = {"group": "", "kind": "ConfigMap", "namespace": there, "jsonPointers": ["/data/k"]}
    await delivery.apply(delivery.application(automated={"selfHeal": True}, ignoreDifferences=[rule]))
    await delivery.until(synced)
    resource = await delivery.discovery.resource("", "ConfigMap")
    for namespace in (there, delivery.namespace):
        await verbs.patch(delivery.cluster, resource, namespace, "a", {"data": {"k": "hand"}})
    await delivery.until_object("", "ConfigMap", "a", lambda obj: obj["data"]["k"] == "git")
    app = await delivery.until(lambda app: synced(app) and "resources" in operation(app))
    (only,) = operation(app)["resources"]
    assert only["namespace"] == delivery.namespace
    left = await verbs.get(delivery.cluster, resource, there, "a")
    assert left["data"]["k"] == "hand"


async def test_manifests_from_somebodys_disk_are_synced_but_not_against_the_policy(delivery: Delivery) -> None:
    delivery.begin({"app/a.json": config_map("a", k="git")})
    await delivery.apply(delivery.application(automated={}))
    await delivery.until(synced)
    mine = [config_map("a", k="disk").decode(), config_map("b").decode()]
    await sync(delivery, manifests=mine)
    await delivery.until(ended("Error", "Cannot use local sync when Automatic Sync Policy is enabled"))
    await sync(delivery, manifests=mine, dryRun=True)
    await delivery.until(lambda app: results(app) == {"a", "b"} and ended("Succeeded")(app))
    assert await delivery.get("ConfigMap", "b") is None
    await delivery.patch({"spec": {"syncPolicy": {"automated": None}}})
    await sync(delivery, manifests=["{"])
    await delivery.until(ended("Error", "manifests[0] is no JSON"))
    await sync(delivery, manifests=mine)
    await delivery.until_object("", "ConfigMap", "b", bool)
    app = await delivery.until(lambda app: ended("Succeeded")(app) and app["status"]["sync"]["status"] == "OutOfSync")
    live = await delivery.get("ConfigMap", "a")
    assert (live and live["data"]["k"], len(app["status"]["history"])) == ("disk", 1)
