"""Manual syncs by the `operation` field, as kubectl, Argo CD's clients and `tiphys app sync` write it; also refresh."""

from typing import Any

from tests.parts.delivery import Delivery, config_map, synced, synced_to

REFRESH = "argocd.argoproj.io/refresh"
Obj = dict[str, Any]


def done(app: Obj) -> bool:
    return "operation" not in app and (app["status"].get("operationState") or {}).get("phase") == "Succeeded"


async def test_without_policy_nothing_is_synced_until_asked(delivery: Delivery) -> None:
    delivery.begin({"app/a.json": config_map("a")})
    await delivery.apply(delivery.application())
    app = await delivery.until(lambda app: app.get("status", {}).get("sync", {}).get("status") == "OutOfSync")
    assert app["status"]["health"]["status"] == "Missing"
    assert await delivery.get("ConfigMap", "a") is None
    await delivery.patch({"operation": {"initiatedBy": {"username": "someone"}, "sync": {"revision": "HEAD"}}})
    app = await delivery.until(done)
    state = app["status"]["operationState"]
    assert state["operation"]["initiatedBy"] == {"username": "someone"}
    assert state["message"] == "successfully synced (all tasks run)"
    assert app["status"]["history"][-1]["initiatedBy"] == {"username": "someone"}
    assert await delivery.get("ConfigMap", "a") is not None


async def test_a_selective_sync_touches_only_what_it_names_and_makes_no_history(delivery: Delivery) -> None:
    delivery.begin({"app/a.json": config_map("a"), "app/b.json": config_map("b")})
    await delivery.apply(delivery.application())
    await delivery.until(lambda app: app.get("status", {}).get("sync", {}).get("status") == "OutOfSync")
    await delivery.patch({"operation": {"sync": {"resources": [{"kind": "ConfigMap", "name": "b"}]}}})
    app = await delivery.until(done)
    assert "history" not in app["status"]
    assert await delivery.get("ConfigMap", "a") is None
    assert await delivery.get("ConfigMap", "b") is not None


async def test_a_dry_run_changes_nothing(delivery: Delivery) -> None:
    delivery.begin({"app/a.json": config_map("a")})
    await delivery.apply(
        delivery.application(syncPolicy={}, destination={"name": "in-cluster", "namespace": "default"})
    )
    await delivery.until(lambda app: app.get("status", {}).get("sync", {}).get("status") == "OutOfSync")
    await delivery.patch({"operation": {"sync": {"dryRun": True}}})
    app = await delivery.until(done)
    assert "dry run" in app["status"]["operationState"]["syncResult"]["resources"][0]["message"]
    assert app["status"]["sync"]["status"] == "OutOfSync"
    assert "history" not in app["status"]


async def test_a_rollback_brings_an_earlier_revision_back(delivery: Delivery) -> None:
    delivery.begin({"app/a.json": config_map("a", version="1")})
    await delivery.apply(delivery.application(automated={}))
    first = await delivery.until(synced)
    commit = await delivery.push({"app/a.json": config_map("a", version="2")})
    await delivery.until(synced_to(commit))
    await delivery.patch({"spec": {"syncPolicy": {"automated": None}}})
    old = first["status"]["history"][-1]
    await delivery.patch({"operation": {"sync": {"revision": old["revision"], "source": old["source"]}}})
    await delivery.until_object("", "ConfigMap", "a", lambda obj: obj["data"] == {"version": "1"})
    app = await delivery.until(lambda app: done(app) and app["status"]["sync"]["status"] == "OutOfSync")
    assert app["status"]["history"][-1]["revision"] == old["revision"]
    assert [entry["id"] for entry in app["status"]["history"]] == [0, 1, 2]


async def test_history_keeps_as_many_entries_as_asked(delivery: Delivery) -> None:
    delivery.begin({"app/a.json": config_map("a", version="0")})
    await delivery.apply(delivery.application(automated={}, revisionHistoryLimit=2))
    await delivery.until(synced)
    for number in range(1, 4):
        commit = await delivery.push({"app/a.json": config_map("a", version=str(number))})
        app = await delivery.until(synced_to(commit))
    assert [entry["id"] for entry in app["status"]["history"]] == [2, 3]


async def test_a_refresh_annotation_is_answered_and_taken_away(delivery: Delivery) -> None:
    delivery.begin({"app/a.json": config_map("a")})
    await delivery.apply(delivery.application(automated={}))
    await delivery.until(synced)
    for how in ("normal", "hard"):
        await delivery.patch({"metadata": {"annotations": {REFRESH: how}}})
        await delivery.until(lambda app: REFRESH not in (app["metadata"].get("annotations") or {}))
