"""Real-world-like manifests go in with kubectl and only the objects are read back: Argo's fields, as its clients
expect.

Skipped on purpose: what needs charts or registries of others (tests/render has them); sync windows (not built yet).
"""

import asyncio
from pathlib import Path
from typing import Any

import pytest_asyncio

from services.stack.demo import world
from tests.parts.stack import Stack

Obj = dict[str, Any]
MANIFESTS = Path(__file__).with_name("real_world") / "applications.yaml"
AUTOMATED = ("guestbook", "helm", "kustomize", "several")
SETTINGS = b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: %s-manual\ndata:\n  key: value\n"


class Applied:
    """The applied set, and reading its objects."""

    def __init__(self, stack: Stack, unique: str, repo_url: str) -> None:
        self.stack, self.unique, self.repo_url = stack, unique, repo_url

    async def application(self, name: str) -> Obj:
        return await self.stack.get("application", f"{self.unique}-{name}", "-n", self.stack.state.namespace)

    async def until(self, name: str, path: str, value: str) -> None:
        resource = f"application/{self.unique}-{name}"
        condition = f"--for=jsonpath={{{path}}}={value}"
        waited = await self.stack.kubectl("wait", resource, "-n", "argocd", condition, "--timeout=90s")
        assert waited.code == 0, f"{waited.err}\n{(await self.application(name)).get('status')}"

    async def healthy(self, name: str) -> Obj:
        await self.until(name, ".status.sync.status", "Synced")
        await self.until(name, ".status.health.status", "Healthy")
        await self.until(name, ".status.operationState.phase", "Succeeded")
        return await self.application(name)


@pytest_asyncio.fixture
async def applied(stack: Stack, unique: str) -> Applied:
    extra = {
        "settings/several.yaml": b"replicas: 1\nlevel: error\n",
        "manual/settings.yaml": SETTINGS % unique.encode(),
        "plain/ignored/broken.yaml": b"{{ not yaml",
    }
    repo_url = await asyncio.to_thread(stack.repository, unique, {**world.seed(), **extra})
    text = MANIFESTS.read_text().replace("REPO", repo_url).replace("ID-", f"{unique}-").replace("ARGO", "argocd")
    done = await stack.kubectl("apply", "-f", "-", stdin=text)
    assert done.code == 0, done.err
    return Applied(stack, unique, repo_url)


async def test_automated_applications_become_synced_and_healthy(applied: Applied) -> None:
    found = [await applied.healthy(name) for name in AUTOMATED]
    for app in found:
        assert app["status"]["operationState"]["phase"] == "Succeeded"
        assert app["status"]["operationState"]["operation"]["initiatedBy"] == {"automated": True}
        assert app["status"]["reconciledAt"].endswith("Z")
        assert not app["status"].get("conditions")
        assert "operation" not in app


async def test_each_tool_is_recognised_and_its_objects_are_listed(applied: Applied) -> None:
    guestbook, helm, kustomize, several = [(await applied.healthy(name))["status"] for name in AUTOMATED]
    assert (guestbook["sourceType"], helm["sourceType"], kustomize["sourceType"]) == ("Directory", "Helm", "Kustomize")
    assert several["sourceTypes"][0] == "Helm"
    assert {item["kind"] for item in guestbook["resources"]} >= {"Deployment", "Service", "ConfigMap"}
    assert all(item["status"] == "Synced" for item in guestbook["resources"] if not item.get("hook"))
    assert kustomize["summary"]["images"] == ["nginx:1.29.1-alpine"]


async def test_overrides_of_every_tool_reach_the_cluster(applied: Applied) -> None:
    for name in AUTOMATED:
        await applied.healthy(name)
    get, unique = applied.stack.get, applied.unique
    api = await get("deployment", "api", "-n", f"{unique}-helm")
    worker = await get("deployment", "blue-worker", "-n", f"{unique}-kustomize")
    assert api["spec"]["replicas"] == 2
    assert (await get("configmap", "api", "-n", f"{unique}-helm"))["data"]["LEVEL"] == "info"
    assert worker["spec"]["replicas"] == 2
    assert worker["spec"]["template"]["metadata"]["labels"]["stage"] == "blue"
    assert (await get("configmap", "several", "-n", f"{unique}-several"))["data"]["LEVEL"] == "error"
    assert (await get("namespace", f"{unique}-kustomize"))["metadata"]["labels"]["owner"] == "team-two"


async def test_history_tells_what_was_deployed(applied: Applied) -> None:
    app = await applied.healthy("guestbook")
    entry = app["status"]["history"][-1]
    assert entry["revision"] == app["status"]["sync"]["revision"]
    assert entry["source"]["path"] == "plain"
    assert entry["initiatedBy"] == {"automated": True}
    assert entry["deployedAt"] >= entry["deployStartedAt"]


async def test_live_objects_carry_argos_tracking_id(applied: Applied) -> None:
    await applied.healthy("guestbook")
    found = await applied.stack.get("deployment", "web", "-n", f"{applied.unique}-guestbook")
    expected = f"{applied.unique}-guestbook:apps/Deployment:{applied.unique}-guestbook/web"
    assert found["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"] == expected


async def test_printed_columns_are_argos(applied: Applied) -> None:
    await applied.healthy("guestbook")
    shown = await applied.stack.kubectl("get", "app", f"{applied.unique}-guestbook", "-n", "argocd")
    assert shown.out.splitlines()[0].split() == ["NAME", "SYNC", "STATUS", "HEALTH", "STATUS"]
    assert shown.out.splitlines()[1].split()[1:] == ["Synced", "Healthy"]


async def test_a_manual_application_waits_for_an_operation(applied: Applied) -> None:
    await applied.until("manual", ".status.sync.status", "OutOfSync")
    operation = '{"operation":{"initiatedBy":{"username":"ada"},"sync":{}}}'
    name = f"{applied.unique}-manual"
    patched = await applied.stack.kubectl("patch", "app", name, "-n", "argocd", "--type=merge", "-p", operation)
    assert patched.code == 0, patched.err
    await applied.until("manual", ".status.operationState.phase", "Succeeded")
    app = await applied.healthy("manual")
    assert app["status"]["operationState"]["operation"]["initiatedBy"]["username"] == "ada"


async def test_deleting_with_the_finalizer_takes_the_objects_along(applied: Applied) -> None:
    await applied.healthy("guestbook")
    name = f"{applied.unique}-guestbook"
    gone = await applied.stack.kubectl("delete", "app", name, "-n", "argocd", "--timeout=90s")
    assert gone.code == 0, gone.err
    left = await applied.stack.kubectl("get", "deployment,service,configmap", "-n", name, "-o", "name")
    assert set(left.out.split()) <= {"configmap/kube-root-ca.crt"}, "but for the cluster's own"
