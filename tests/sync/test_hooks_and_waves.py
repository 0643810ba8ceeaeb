"""Hooks run in their phases to their end, waves wait for health. PreDelete and PostDelete hooks are not built yet."""

from typing import Any

import orjson

from tests.parts.delivery import Delivery, config_map, synced, synced_to

Obj = dict[str, Any]
HOOK = "argocd.argoproj.io/hook"
POLICY = "argocd.argoproj.io/hook-delete-policy"
WAVE = "argocd.argoproj.io/sync-wave"


def job(name: str, annotations: dict[str, str], *, simulate: str = "") -> bytes:
    pod_meta = {"annotations": {"tiphys.dev/simulate": simulate}} if simulate else {}
    pod = {"restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox"}]}
    spec = {"backoffLimit": 0, "template": {"metadata": pod_meta, "spec": pod}}
    metadata: Obj = {"annotations": annotations}
    metadata |= {"generateName": name} if name.endswith("-") else {"name": name}
    return orjson.dumps({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec})


def results(app: Obj) -> list[tuple[str, str, str]]:
    found = app["status"]["operationState"]["syncResult"]["resources"]
    return [(one["syncPhase"], one["name"], one["hookPhase"]) for one in found if one["kind"] != "Namespace"]


async def test_hooks_run_before_and_after_and_are_cleaned_up(delivery: Delivery) -> None:
    delivery.begin(
        {
            "app/a.json": config_map("a"),
            "app/pre.json": job("migrate", {HOOK: "PreSync", POLICY: "HookSucceeded"}),
            "app/post.json": job("notify", {HOOK: "PostSync"}),
            "app/fail.json": job("rescue", {HOOK: "SyncFail"}),
            "app/skip.json": job("never", {HOOK: "Skip"}),
        }
    )
    await delivery.apply(delivery.application(automated={}))
    app = await delivery.until(synced)
    assert results(app) == [
        ("PreSync", "migrate", "Succeeded"),
        ("Sync", "a", "Succeeded"),
        ("PostSync", "notify", "Succeeded"),
    ]
    assert await delivery.get("Job", "migrate", "batch") is None
    assert await delivery.get("Job", "notify", "batch") is not None
    assert await delivery.get("Job", "rescue", "batch") is None
    assert [one["name"] for one in app["status"]["resources"]] == ["a"]


async def test_a_hook_that_fails_stops_the_sync_and_runs_the_syncfail_hook(delivery: Delivery) -> None:
    delivery.begin(
        {
            "app/a.json": config_map("a"),
            "app/pre.json": job("migrate", {HOOK: "PreSync"}, simulate="fail"),
            "app/fail.json": job("rescue", {HOOK: "SyncFail"}),
        }
    )
    app = delivery.application(automated={})
    app["spec"]["syncPolicy"]["retry"] = {"limit": 0}
    await delivery.apply(app)
    seen = await delivery.until(
        lambda app: ((app.get("status") or {}).get("operationState") or {}).get("phase") == "Failed", seconds=60
    )
    assert results(seen) == [("PreSync", "migrate", "Failed"), ("SyncFail", "rescue", "Succeeded")]
    assert await delivery.get("ConfigMap", "a") is None


async def test_a_generated_name_is_filled_in(delivery: Delivery) -> None:
    delivery.begin({"app/a.json": config_map("a"), "app/pre.json": job("migrate-", {HOOK: "PreSync"})})
    await delivery.apply(delivery.application(automated={}))
    app = await delivery.until(synced)
    revision = app["status"]["sync"]["revision"]
    assert results(app)[0][1].startswith(f"migrate-{revision[:7]}-presync-")


async def test_a_later_wave_waits_for_health_and_a_new_commit_ends_the_wait(delivery: Delivery) -> None:
    def deployment(name: str, wave: str, simulate: str = "") -> bytes:
        labels = {"app": name}
        pod = {"metadata": {"labels": labels, "annotations": {"tiphys.dev/simulate": simulate} if simulate else {}}}
        pod["spec"] = {"terminationGracePeriodSeconds": 0, "containers": [{"name": "c", "image": "nginx"}]}  # type: ignore[dict-item]
        spec = {"selector": {"matchLabels": labels}, "template": pod}
        metadata = {"name": name, "annotations": {WAVE: wave}}
        return orjson.dumps({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec})

    delivery.begin({"app/1.json": deployment("first", "1", "pending"), "app/2.json": deployment("second", "2")})
    await delivery.apply(delivery.application(automated={}))
    app = await delivery.until(
        lambda app: len(results(app)) == 1 if "operationState" in app.get("status", {}) else False
    )
    assert app["status"]["operationState"]["phase"] == "Running"
    assert await delivery.get("Deployment", "second", "apps") is None
    assert await delivery.get("Deployment", "first", "apps") is not None
    commit = await delivery.push({"app/1.json": deployment("first", "1")})
    await delivery.until(synced_to(commit))
    assert await delivery.get("Deployment", "second", "apps") is not None
