"""Kill the reconciler with SIGKILL at each step of a sync of three waves with hooks, and start it again.

Two Applications go through every round: one that its policy syncs, one that is synced by an `operation`. The steps are
those that can be seen from outside: the operation is recorded, a hook is made, it has ended, a wave is written. After
every round no hook has run twice (the test counts the uids that its own watch brings), none was left out, and each
operation has ended as the one that it began as.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pytest

from shared.kube import EventType, Informer, Key, verbs
from shared.kube.conditions import is_true
from tests.parts.delivery import ARGO, read
from tests.parts.separate import Parts, separate

Obj = dict[str, Any]
APPS = ("automated", "manual")
HOOKS = ("before", "among", "after")
ANNOTATIONS = {
    "before": {"argocd.argoproj.io/hook": "PreSync", "argocd.argoproj.io/hook-delete-policy": "BeforeHookCreation"},
    "among": {"argocd.argoproj.io/hook": "Sync", "argocd.argoproj.io/sync-wave": "1"},
    "after": {"argocd.argoproj.io/hook": "PostSync", "argocd.argoproj.io/hook-delete-policy": "HookSucceeded"},
}


def manifest(version: str) -> bytes:
    """Three waves and three hooks in one file."""
    pod = {"restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox"}]}
    jobs = [
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": name, "annotations": ANNOTATIONS[name]},
            "spec": {"backoffLimit": 0, "template": {"spec": pod}},
        }
        for name in HOOKS
    ]
    maps = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": f"wave-{wave}", "annotations": {"argocd.argoproj.io/sync-wave": str(wave)}},
            "data": {"version": version},
        }
        for wave in range(3)
    ]
    return orjson.dumps({"apiVersion": "v1", "kind": "List", "items": [*jobs, *maps]})


def application(url: str, name: str) -> Obj:
    policy: Obj = {"syncOptions": ["CreateNamespace=true"], "retry": {"limit": 0}}
    policy |= {"automated": {}} if name == "automated" else {}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name, "namespace": ARGO},
        "spec": {
            "project": "default",
            "source": {"repoURL": url, "path": "app", "targetRevision": "main"},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": name},
            "syncPolicy": policy,
        },
    }


class Seen:
    """What the test's own watches have brought; of the Jobs, every one that ever was."""

    def __init__(self) -> None:
        self.apps: dict[str, Obj] = {}
        self.maps: dict[Key, Obj] = {}
        self.jobs: dict[Key, Obj] = {}
        self.runs: dict[Key, set[str]] = defaultdict(set)
        self.ended: set[str] = set()
        self.changed = asyncio.Event()

    def take_app(self, _type: EventType, key: Key, obj: Obj, _old: Obj | None) -> None:
        self.apps[key.name] = obj
        self.changed.set()

    def take_map(self, _type: EventType, key: Key, obj: Obj, _old: Obj | None) -> None:
        self.maps[key] = obj
        self.changed.set()

    def take_job(self, _type: EventType, key: Key, obj: Obj, _old: Obj | None) -> None:
        uid = obj["metadata"]["uid"]
        self.jobs[key] = obj
        self.runs[key].add(uid)
        if is_true((obj.get("status") or {}).get("conditions") or [], "Complete"):
            self.ended.add(uid)
        self.changed.set()

    async def until(self, holds: Callable[[], bool], what: str, parts: Parts) -> None:
        try:
            async with asyncio.timeout(90):
                while not holds():
                    self.changed.clear()
                    await self.changed.wait()
        except TimeoutError:
            states = {name: app.get("status", {}).get("operationState") for name, app in self.apps.items()}
            raise AssertionError(f"not {what}: {orjson.dumps(states).decode()[:4000]}\n{parts.logs()}") from None

    def operation(self, app: str) -> Obj:
        state: Obj = (self.apps.get(app, {}).get("status") or {}).get("operationState") or {}
        return state

    def done(self, app: str, commit: str) -> bool:
        state = self.operation(app)
        over = state.get("phase") not in {None, "Running", "Terminating"} and "operation" not in self.apps[app]
        return bool(over and state["syncResult"]["revision"] == commit)


class Round(NamedTuple):
    """One push, and what was there before it."""

    seen: Seen
    version: str
    runs: dict[Key, set[str]]
    starts: dict[str, str]

    def begun(self, app: str) -> bool:
        return bool(self.seen.operation(app).get("startedAt", "") != self.starts[app])

    def made(self, app: str, hook: str) -> set[str]:
        return self.seen.runs[Key(app, hook)] - self.runs.get(Key(app, hook), set())

    def ended(self, app: str, hook: str) -> bool:
        return bool(self.made(app, hook) & self.seen.ended)

    def written(self, app: str, wave: int) -> bool:
        found = self.seen.maps.get(Key(app, f"wave-{wave}"))
        return bool(found is not None and found["data"]["version"] == self.version)

    def complete(self, app: str) -> bool:
        """All hooks have ended and all waves are written; the three watches have no order between them."""
        return all(self.ended(app, hook) for hook in HOOKS) and all(self.written(app, wave) for wave in range(3))


STEPS: dict[str, Callable[[Round, str], bool]] = {
    "the operation is recorded": lambda now, app: now.begun(app),
    "the PreSync hook is made": lambda now, app: bool(now.made(app, "before")),
    "the PreSync hook has ended": lambda now, app: now.ended(app, "before"),
    "the first wave is written": lambda now, app: now.written(app, 0),
    "the hook of the second wave is made": lambda now, app: bool(now.made(app, "among")),
    "the hook of the second wave has ended": lambda now, app: now.ended(app, "among"),
    "the third wave is written": lambda now, app: now.written(app, 2),
    "the PostSync hook is made": lambda now, app: bool(now.made(app, "after")),
    "the PostSync hook has ended": lambda now, app: now.ended(app, "after"),
}


async def begin(parts: Parts, commit: str) -> None:
    """Ask for the sync of the one that nobody syncs by itself."""
    resource = await parts.discovery.resource("argoproj.io", "Application")
    asked = {"operation": {"initiatedBy": {"username": "a person"}, "sync": {"revision": commit}}}
    await verbs.patch(parts.cluster, resource, ARGO, "manual", asked)


async def play(parts: Parts, seen: Seen, number: int, step: str) -> None:
    """Push, kill at the step, start again, and check the end."""
    here = Round(
        seen,
        str(number),
        {key: set(uids) for key, uids in seen.runs.items()},
        {app: seen.operation(app).get("startedAt", "") for app in APPS},
    )
    entries = {app: len(seen.apps[app].get("status", {}).get("history") or ()) for app in APPS}
    commit = await parts.git.commit("apps", {"app/all.json": manifest(here.version)}, message=step)
    await begin(parts, commit)
    at = APPS[number % 2]
    await seen.until(lambda: STEPS[step](here, at), f"{step} ({at})", parts)
    begun = {app: seen.operation(app)["startedAt"] for app in APPS if here.begun(app)}
    await parts.kill("reconciler")
    await parts.start("reconciler")
    await seen.until(lambda: all(seen.done(app, commit) for app in APPS), f"done after a kill when {step}", parts)
    await seen.until(lambda: all(here.complete(app) for app in APPS), f"all there after a kill when {step}", parts)
    for app in APPS:
        state = seen.operation(app)
        assert (state["phase"], state.get("retryCount")) == ("Succeeded", None), (step, state)
        assert state["startedAt"] == begun.get(app, state["startedAt"]), f"{step}: {app} is another operation"
        assert len(seen.apps[app]["status"]["history"]) == min(entries[app] + 1, 10)
        made = {hook: len(here.made(app, hook)) for hook in HOOKS}
        assert made == dict.fromkeys(HOOKS, 1), f"{step}: {app} has run its hooks {made} times"
        phases = {one["name"]: one["hookPhase"] for one in state["syncResult"]["resources"] if "hookType" in one}
        assert phases == dict.fromkeys(HOOKS, "Succeeded")


@pytest.mark.timeout(900)
async def test_no_hook_runs_twice_none_is_lost_and_no_operation_is(tmp_path: Path) -> None:
    async with separate(tmp_path) as parts, asyncio.TaskGroup() as tasks:
        url = parts.git.create("apps")
        commit = await parts.git.commit("apps", {"app/all.json": manifest("first")}, message="Begin")
        seen, resource = Seen(), await parts.discovery.resource("argoproj.io", "Application")
        takes = (seen.take_app, seen.take_map, seen.take_job)
        kinds = (
            resource,
            await parts.discovery.resource("", "ConfigMap"),
            await parts.discovery.resource("batch", "Job"),
        )
        watching = [
            tasks.create_task(Informer(parts.cluster, kind, read).run(take))
            for kind, take in zip(kinds, takes, strict=True)
        ]
        for app in APPS:
            await verbs.apply(parts.cluster, resource, application(url, app), manager="the-test", force=True)
        await begin(parts, commit)
        await seen.until(lambda: all(seen.done(app, commit) for app in APPS), "synced at first", parts)
        for number, step in enumerate(STEPS):
            await play(parts, seen, number, step)
        for task in watching:
            task.cancel()
