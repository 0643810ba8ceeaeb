"""The commands against a running stack: what they write is what the services act on, what they print is so."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest_asyncio

from tests.parts.stack import Ended, Stack

Obj = dict[str, Any]
SETTINGS = """apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
data:
  key: %s
"""
SECRET = """apiVersion: v1
kind: Secret
metadata:
  name: login
stringData:
  password: %s
"""


class App:
    """One Application that syncs only when it is told to, and `tiphys app VERB` on it."""

    def __init__(self, stack: Stack, name: str, repo_url: str) -> None:
        self.stack, self.name, self.repo_url = stack, name, repo_url

    async def __call__(self, verb: str, *words: str) -> Ended:
        return await self.stack.tiphys("app", verb, self.name, *words)

    async def well(self, verb: str, *words: str) -> str:
        ended = await self(verb, *words)
        assert ended.code == 0, f"{verb}: {ended.out}{ended.err}"
        return ended.out

    async def push(self, folder: Path, key: str) -> str:
        commit = await self.stack.push(self.repo_url, folder, {"all/settings.yaml": (SETTINGS % key).encode()}, key)
        await self.well("refresh")
        return commit

    async def live(self) -> str:
        return str((await self.stack.get("configmap", "settings", "-n", self.name))["data"]["key"])


@pytest_asyncio.fixture
async def app(stack: Stack, unique: str) -> App:
    files = {"all/settings.yaml": SETTINGS % "one", "all/login.yaml": SECRET % "canary-one"}
    encoded = {path: text.encode() for path, text in files.items()}
    repo_url = await asyncio.to_thread(stack.repository, unique, encoded)
    manifest = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": unique, "namespace": "argocd"},
        "spec": {
            "project": "default",
            "source": {"repoURL": repo_url, "path": "all", "targetRevision": "main"},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": unique},
            "syncPolicy": {"syncOptions": ["CreateNamespace=true"]},
        },
    }
    applied = await stack.kubectl("apply", "-f", "-", stdin=json.dumps(manifest))
    assert applied.code == 0, applied.err
    made = App(stack, unique, repo_url)
    await made.well("refresh")
    return made


async def test_a_diff_shows_what_a_sync_would_make(app: App) -> None:
    before = await app("diff")
    assert before.code == 1
    assert "+  key: one" in before.out
    assert "canary" not in before.out
    await app.well("sync")
    assert await app.live() == "one"
    after = await app("diff")
    assert (after.code, after.out) == (0, "")


async def test_a_sync_ends_with_what_it_did(app: App) -> None:
    ended = await app("sync")
    assert ended.code == 0
    assert "sync finished" in ended.err
    shown = await app.well("get")
    assert "Synced" in shown
    assert "ConfigMap" in shown
    listed = await app.stack.tiphys("app", "list", "-o", "json")
    statuses = {one["metadata"]["name"]: one["status"]["sync"]["status"] for one in json.loads(listed.out)}
    assert statuses[app.name] == "Synced"


async def test_a_rollback_brings_the_earlier_deployment_back(app: App, tmp_path: Path) -> None:
    await app.well("sync")
    await app.push(tmp_path / "clone", "two")
    await app.well("sync")
    assert await app.live() == "two"
    assert len((await app.well("history")).splitlines()) == 3
    await app.well("rollback")
    assert await app.live() == "one"


async def test_manifests_are_printed_with_their_secrets_hidden(app: App) -> None:
    await app.well("sync")
    for words in (("manifests",), ("manifests", "--live"), ("render", "--revision", "main")):
        printed = await app.well(*words)
        assert "kind: ConfigMap" in printed
        assert "++++++++" in printed
        assert "canary" not in printed


async def test_another_revision_can_be_rendered(app: App, tmp_path: Path) -> None:
    commit = await app.push(tmp_path / "clone", "later")
    first = await app.well("render", "--revision", f"{commit}")
    assert "key: later" in first


async def test_deleting_without_cascade_leaves_the_objects(app: App) -> None:
    await app.well("sync")
    await app.well("delete", "--cascade", "none")
    assert await app.live() == "one"
    assert (await app("get")).code == 3


async def test_deleting_with_cascade_takes_them_along(app: App) -> None:
    await app.well("sync")
    await app.well("delete", "--cascade", "foreground", "--timeout", "60")
    left = await app.stack.kubectl("get", "configmap", "settings", "-n", app.name, "--ignore-not-found", "-o", "name")
    assert left.out == ""


async def test_a_spec_is_changed_by_words(app: App) -> None:
    await app.well("sync")
    await app.well("set", "--revision", "no-such-branch", "--sync-option", "PruneLast=true")
    spec = (await app.stack.get("application", app.name, "-n", "argocd"))["spec"]
    assert spec["source"]["targetRevision"] == "no-such-branch"
    assert spec["syncPolicy"]["syncOptions"] == ["CreateNamespace=true", "PruneLast=true"]
    await app.well("patch", "--patch", '{"spec": {"source": {"targetRevision": "main"}}}')
    again = await app("set", "--revision", "main")
    assert "is so already" in again.err
    refused = await app("set", "--dest-name", "other")
    assert refused.code == 2
    assert "nothing was written" in refused.err
    listed = await app.well("resources", "--kind", "ConfigMap")
    assert "settings" in listed
    assert "login" not in listed
    assert (await app("terminate-op")).code == 1


async def test_an_application_is_created_by_words(app: App) -> None:
    name = f"{app.name}-two"
    words = ("--repo", app.repo_url, "--path", "all", "--dest-namespace", name, "--sync-option", "CreateNamespace=true")
    made = await app.stack.tiphys("app", "create", name, *words, "--set-finalizer")
    assert made.code == 0, made.err
    again = await app.stack.tiphys("app", "create", name, *words)
    assert "--upsert" in again.err
    changed = await app.stack.tiphys("app", "create", name, *words, "--upsert", "--sync-policy", "automated")
    assert changed.code == 0, changed.err
    waited = await app.stack.tiphys("app", "wait", name, "--sync", "--timeout", "60")
    assert waited.code == 0, waited.err
    gone = await app.stack.tiphys("app", "delete", name, "--timeout", "60")
    assert gone.code == 0, gone.err


async def test_sync_windows_are_shown_with_what_they_let_through(app: App) -> None:
    window = {"kind": "deny", "schedule": "* * * * *", "duration": "1h", "applications": [app.name], "manualSync": True}
    project = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": {"name": app.name, "namespace": "argocd"},
        "spec": {"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}], "syncWindows": [window]},
    }
    assert (await app.stack.kubectl("apply", "-f", "-", stdin=json.dumps(project))).code == 0
    await app.well("set", "--project", app.name)
    shown = await app.well("windows")
    assert "automated sync: blocked" in shown
    assert "manual sync: allowed" in shown
    assert "open" in shown


async def test_waiting_for_what_does_not_come_times_out(app: App) -> None:
    waited = await app("wait", "--sync", "--timeout", "3")
    assert waited.code == 4
    assert "sync is OutOfSync" in waited.err


async def test_a_second_stack_in_the_same_folder_is_refused(stack: Stack) -> None:
    second = await stack.tiphys("up", "--listen", "127.0.0.1:0")
    assert second.code == 1
    assert "a stack already runs in" in second.err
