"""Deletion with the resources finalizer takes the objects along, wave by wave from the last, between the hooks that run
before and after it; without the finalizer they stay.
"""

import asyncio
from typing import Any

import orjson
import pytest

from shared.kube import Informer
from tests.parts.delivery import ARGO, Delivery, complains, config_map, read, synced

Obj = dict[str, Any]
FINALIZER = "resources-finalizer.argocd.argoproj.io"
PRE, POST = "pre-delete-finalizer.argocd.argoproj.io", "post-delete-finalizer.argocd.argoproj.io"
HOOK, POLICY = "argocd.argoproj.io/hook", "argocd.argoproj.io/hook-delete-policy"
WAVE, OPTIONS = "argocd.argoproj.io/sync-wave", "argocd.argoproj.io/sync-options"


def annotated(name: str, **annotations: str) -> bytes:
    metadata = {"name": name, "annotations": {key.replace("__", "/"): text for key, text in annotations.items()}}
    return orjson.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})


def job(name: str, phase: str, policy: str = "", *, simulate: str = "") -> bytes:
    pod_meta = {"annotations": {"tiphys.dev/simulate": simulate}} if simulate else {}
    pod = {"restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox"}]}
    annotations = {HOOK: phase} | ({POLICY: policy} if policy else {})
    spec = {"backoffLimit": 0, "template": {"metadata": pod_meta, "spec": pod}}
    metadata = {"name": name, "annotations": annotations}
    return orjson.dumps({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec})


async def delete(delivery: Delivery) -> None:
    await delivery.stack.kubectl("delete", "application", delivery.app, "-n", ARGO, "--wait=false")


async def gone(delivery: Delivery) -> None:
    await delivery.until_gone("argoproj.io", "Application", delivery.app, ARGO)


@pytest.mark.parametrize("suffix", ["", "/foreground", "/background"])
async def test_with_the_finalizer_its_objects_go_first(delivery: Delivery, suffix: str) -> None:
    helm = annotated("helms", **{"helm.sh__resource-policy": "keep"})
    keeps = annotated("keeps", **{OPTIONS: "Delete=false"})
    delivery.begin({"app/a.json": config_map("a"), "app/keeps.json": keeps, "app/helms.json": helm})
    app = delivery.application(automated={})
    app["metadata"]["finalizers"] = [FINALIZER + suffix]
    await delivery.apply(app)
    await delivery.until(synced)
    await delete(delivery)
    await gone(delivery)
    assert await delivery.get("ConfigMap", "a") is None
    assert await delivery.get("ConfigMap", "keeps") is not None
    assert await delivery.get("ConfigMap", "helms") is not None


async def test_without_a_finalizer_they_stay(delivery: Delivery) -> None:
    delivery.begin({"app/a.json": config_map("a")})
    app = delivery.application(automated={})
    app["metadata"]["finalizers"] = []
    await delivery.apply(app)
    await delivery.until(synced)
    await delete(delivery)
    await gone(delivery)
    assert await delivery.get("ConfigMap", "a") is not None


async def test_hooks_run_before_and_after_and_the_waves_go_backwards(delivery: Delivery) -> None:
    delivery.begin(
        {
            "app/1.json": annotated("one", **{WAVE: "1"}),
            "app/2.json": annotated("two", **{WAVE: "2"}),
            "app/3.json": annotated("three", **{WAVE: "3", "argocd.argoproj.io/hook": "Sync"}),
            "app/pre.json": job("before", "PreDelete", "HookSucceeded"),
            "app/post.json": job("after", "PostDelete"),
        }
    )
    await delivery.apply(delivery.application(automated={}))
    app = await delivery.until(lambda app: synced(app) and f"{POST}/cleanup" in app["metadata"]["finalizers"])
    assert app["metadata"]["finalizers"] == [FINALIZER, PRE, f"{PRE}/cleanup", POST, f"{POST}/cleanup"]
    assert await delivery.get("Job", "before", "batch") is None
    assert await delivery.get("Job", "after", "batch") is None
    versions: dict[str, int] = {}
    moved = asyncio.Event()

    def take(type_: Any, _key: Any, obj: Obj, _old: Any) -> None:
        done = obj["kind"] == "Job" and (obj.get("status") or {}).get("succeeded")
        word = "-" if type_ == "DELETED" else "done " if done else "+"
        if obj["metadata"]["name"] in NAMES:
            versions.setdefault(f"{word}{obj['metadata']['name']}", int(obj["metadata"]["resourceVersion"]))
            moved.set()

    kinds = (await delivery.discovery.resource("", "ConfigMap"), await delivery.discovery.resource("batch", "Job"))
    informers = [Informer(delivery.cluster, kind, read, namespace=delivery.namespace) for kind in kinds]
    async with asyncio.TaskGroup() as tasks:
        watching = [tasks.create_task(informer.run(take)) for informer in informers]
        for informer in informers:
            await informer.synced.wait()
        await delete(delivery)
        await gone(delivery)
        async with asyncio.timeout(90):
            while not {"-one", "done after"} <= versions.keys():
                moved.clear()
                await moved.wait()
        for task in watching:
            task.cancel()
    happened = sorted(versions, key=versions.__getitem__)  # two watches have no order between them, versions have
    assert [event for event in happened if not event.startswith("+")][:5] == [
        "done before",
        "-before",
        "-three",
        "-two",
        "-one",
    ]
    assert happened.index("+before") < happened.index("-three") < happened.index("-one") < happened.index("+after")


NAMES = {"one", "two", "three", "before", "after"}


async def test_a_predelete_hook_that_fails_holds_the_deletion_until_it_is_run_again(delivery: Delivery) -> None:
    delivery.begin({"app/a.json": config_map("a"), "app/pre.json": job("backup", "PreDelete", simulate="fail")})
    await delivery.apply(delivery.application(automated={}))
    await delivery.until(lambda app: synced(app) and PRE in app["metadata"]["finalizers"])
    await delete(delivery)
    await delivery.until(complains("DeletionError", "PreDelete hook Job/backup failed"))
    assert await delivery.get("ConfigMap", "a") is not None
    first = await delivery.get("Job", "backup", "batch")
    assert first is not None
    await delivery.push({"app/pre.json": job("backup", "PreDelete")})
    await delivery.patch({"metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}}})
    await delivery.stack.kubectl("delete", "job", "backup", "-n", delivery.namespace)
    await gone(delivery)
    assert await delivery.get("ConfigMap", "a") is None


async def test_hooks_that_leave_git_take_their_finalizers_along(delivery: Delivery) -> None:
    delivery.begin({"app/a.json": config_map("a"), "app/post.json": job("after", "PostDelete")})
    await delivery.apply(delivery.application(automated={}))
    await delivery.until(lambda app: synced(app) and POST in app["metadata"]["finalizers"])
    await delivery.push({}, remove=("app/post.json",))
    await delivery.until(lambda app: app["metadata"]["finalizers"] == [FINALIZER])


async def test_finalizers_are_dropped_when_the_cluster_is_not_configured(delivery: Delivery) -> None:
    delivery.begin({"app/a.json": config_map("a")})
    app = delivery.application(destination={"server": "https://gone.example", "namespace": delivery.namespace})
    app["metadata"]["finalizers"] = [FINALIZER, PRE, POST]
    await delivery.apply(app)
    await delivery.until(lambda app: app["status"]["conditions"])
    await delete(delivery)
    await gone(delivery)
