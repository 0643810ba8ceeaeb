"""Hooks run in their phases to their end and are cleaned up as their policies say; waves wait for health."""

import orjson

from tests.parts.delivery import Delivery, config_map, synced, synced_to
from tests.sync.hooks import FINALIZER, HOOK, POLICY, WAVE, Obj, annotated, ended, job, operation, results


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
    seen = await delivery.until(ended("Failed"))
    assert results(seen) == [("PreSync", "migrate", "Failed"), ("SyncFail", "rescue", "Succeeded")]
    assert await delivery.get("ConfigMap", "a") is None


async def test_a_generated_name_is_filled_in(delivery: Delivery) -> None:
    delivery.begin({"app/a.json": config_map("a"), "app/pre.json": job("migrate-", {HOOK: "PreSync"})})
    await delivery.apply(delivery.application(automated={}))
    app = await delivery.until(synced)
    revision = app["status"]["sync"]["revision"]
    assert results(app)[0][1].startswith(f"migrate-{revision[:7]}-presync-")


async def test_what_failed_is_kept_or_deleted_as_the_policies_say(delivery: Delivery) -> None:
    delivery.begin(
        {
            "app/a.json": config_map("a"),
            "app/1.json": job("kept", {HOOK: "PreSync", WAVE: "-1", POLICY: "HookSucceeded"}),
            "app/2.json": job("goes", {HOOK: "PreSync", WAVE: "-1", POLICY: "HookFailed"}),
            "app/3.json": job("fails", {HOOK: "PreSync", POLICY: "HookSucceeded,HookFailed"}, simulate="fail"),
            "app/4.json": job("stays", {HOOK: "PreSync"}, simulate="fail"),
            "app/5.json": job("rescue", {HOOK: "SyncFail", POLICY: "HookFailed"}),
        }
    )
    app = delivery.application(automated={})
    app["spec"]["syncPolicy"]["retry"] = {"limit": 0}
    await delivery.apply(app)
    seen = await delivery.until(ended("Failed"))
    assert {name: phase for _, name, phase in results(seen)} == {
        "kept": "Succeeded",
        "goes": "Succeeded",
        "fails": "Failed",
        "stays": "Failed",
        "rescue": "Succeeded",
    }
    left = {name for name in ("kept", "goes", "fails", "stays", "rescue") if await delivery.get("Job", name, "batch")}
    assert left == {"kept", "stays"}, "a failed sync deletes the hooks that say HookFailed"


async def test_a_hook_of_two_phases_runs_in_both_and_is_made_anew_by_the_next_sync(delivery: Delivery) -> None:
    delivery.begin({"app/a.json": config_map("a"), "app/both.json": job("both", {HOOK: "PreSync, PostSync"})})
    await delivery.apply(delivery.application(automated={}))
    app = await delivery.until(synced)
    assert results(app) == [
        ("PreSync", "both", "Succeeded"),
        ("Sync", "a", "Succeeded"),
        ("PostSync", "both", "Succeeded"),
    ]
    first = await delivery.get("Job", "both", "batch")
    commit = await delivery.push({"app/a.json": config_map("a", version="2")})
    await delivery.until(synced_to(commit))
    second = await delivery.get("Job", "both", "batch")
    assert first
    assert second
    assert first["metadata"]["uid"] != second["metadata"]["uid"]


async def test_a_hook_that_argo_cd_left_with_its_finalizer_is_freed(delivery: Delivery) -> None:
    delivery.begin({"app/a.json": config_map("a")})
    await delivery.apply(delivery.application(automated={}))
    await delivery.until(synced)
    old: Obj = orjson.loads(job("migrate", {HOOK: "PreSync"}, simulate="pending"))
    old["metadata"] |= {"namespace": delivery.namespace, "finalizers": [FINALIZER]}
    before = await delivery.apply(old)
    commit = await delivery.push({"app/pre.json": job("migrate", {HOOK: "PreSync"})})
    await delivery.patch({"operation": {"sync": {"revision": commit}}})
    await delivery.until(lambda app: ended("Succeeded")(app) and results(app)[0] == ("PreSync", "migrate", "Succeeded"))
    after = await delivery.get("Job", "migrate", "batch")
    assert after
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    assert "finalizers" not in after["metadata"], "ours carry none"


async def test_helm_hooks_run_by_weight_and_unknown_ones_never(delivery: Delivery) -> None:
    helm, weight, policy = "helm.sh/hook", "helm.sh/hook-weight", "helm.sh/hook-delete-policy"
    delivery.begin(
        {
            "app/1.json": job("heavy", {helm: "pre-install,pre-upgrade", weight: "5"}),
            "app/2.json": job("light", {helm: "pre-upgrade", weight: "-5", policy: "hook-succeeded"}),
            "app/3.json": job("post", {helm: "post-install"}),
            "app/4.json": job("test", {helm: "test-success"}),
            "app/5.json": job("unheard-of", {helm: "pre-breakfast"}),
            "app/6.json": annotated("definition", {helm: "crd-install"}),
        }
    )
    await delivery.apply(delivery.application(automated={}))
    app = await delivery.until(synced)
    assert [(phase, name) for phase, name, _ in results(app)] == [
        ("PreSync", "light"),
        ("PreSync", "heavy"),
        ("Sync", "definition"),
        ("PostSync", "post"),
    ]
    assert await delivery.get("Job", "light", "batch") is None
    assert await delivery.get("Job", "heavy", "batch") is not None


async def test_a_hook_that_someone_deletes_has_failed(delivery: Delivery) -> None:
    delivery.begin({"app/a.json": config_map("a"), "app/pre.json": job("pre", {HOOK: "PreSync"}, simulate="pending")})
    app = delivery.application(automated={})
    app["spec"]["syncPolicy"]["retry"] = {"limit": 0}
    await delivery.apply(app)
    await delivery.until(lambda app: results(app) == [("PreSync", "pre", "Running")])
    await delivery.delete("Job", "pre", "batch")
    await delivery.until(ended("Failed", "Job/pre", "deleted before it ended"))
    assert await delivery.get("ConfigMap", "a") is None


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
    app = await delivery.until(lambda app: len(results(app)) == 1)
    assert operation(app)["phase"] == "Running"
    assert await delivery.get("Deployment", "second", "apps") is None
    assert await delivery.get("Deployment", "first", "apps") is not None
    commit = await delivery.push({"app/1.json": deployment("first", "1")})
    await delivery.until(synced_to(commit))
    assert await delivery.get("Deployment", "second", "apps") is not None
