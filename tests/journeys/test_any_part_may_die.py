"""Kill any one part with SIGKILL in the middle of a sync, start it again: the end is as without the kill.

The middle: a commit that changes eight Applications has been pushed and the first of its objects is live. Every part is
killed once, against the same stack, one after the other.
"""

import asyncio
from pathlib import Path
from typing import Any

import orjson
import pytest

from shared.kube import Informer, Key, verbs
from tests.parts.delivery import config_map, read, synced
from tests.parts.separate import SERVICES, Parts, separate

Obj = dict[str, Any]
APPS = [f"app-{number}" for number in range(8)]
MAPS = [f"map-{number}" for number in range(6)]
ALL = len(APPS) * len(MAPS)


def files(version: str) -> dict[str, bytes]:
    return {f"{app}/{name}.json": config_map(name, version=version) for app in APPS for name in MAPS}


def application(url: str, name: str) -> Obj:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name, "namespace": "argocd"},
        "spec": {
            "project": "default",
            "source": {"repoURL": url, "path": name, "targetRevision": "main"},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": name},
            "syncPolicy": {"automated": {"prune": True, "selfHeal": True}, "syncOptions": ["CreateNamespace=true"]},
        },
    }


class Watch:
    """Applications and ConfigMaps as they are, and waiting for them; it outlives a dead API server."""

    def __init__(self, applications: Informer[Obj], maps: Informer[Obj]) -> None:
        self.applications, self.maps = applications, maps
        self.changed = asyncio.Event()

    def take(self, *_event: object) -> None:
        self.changed.set()

    def live(self, version: str) -> int:
        """How many of the objects have this version."""
        return sum(obj.get("data") == {"version": version} for obj in self.maps.store.values())

    def uids(self) -> dict[Key, str]:
        """Of what the commits hold: the cluster puts a ConfigMap of its own into each namespace, when it likes."""
        return {key: obj["metadata"]["uid"] for key, obj in self.maps.store.items() if key.name in MAPS}

    def all_synced(self, commit: str) -> bool:
        apps = self.applications.store.values()
        return len(apps) == len(APPS) and all(synced(app) and at(app) == commit for app in apps)

    async def until(self, holds: Any, what: str, parts: Parts) -> None:
        try:
            async with asyncio.timeout(90):
                while not holds():
                    self.changed.clear()
                    await self.changed.wait()
        except TimeoutError:
            states = {key.name: app.get("status") for key, app in self.applications.store.items()}
            raise AssertionError(f"not {what}: {orjson.dumps(states).decode()[:4000]}\n{parts.logs()}") from None


def at(app: Obj) -> str:
    return str(app["status"]["sync"].get("revision"))


@pytest.mark.timeout(900)
async def test_the_end_is_the_same_whichever_part_dies_in_the_middle(tmp_path: Path) -> None:
    async with separate(tmp_path) as parts, asyncio.TaskGroup() as tasks:
        url = parts.git.create("apps")
        commit = await parts.git.commit("apps", files("0"), message="Begin")
        resource = await parts.discovery.resource("argoproj.io", "Application")
        applications = Informer(parts.cluster, resource, read)
        maps = Informer(parts.cluster, await parts.discovery.resource("", "ConfigMap"), read)
        watch = Watch(applications, maps)
        watching = [tasks.create_task(one.run(watch.take)) for one in (applications, maps)]
        for name in APPS:
            await verbs.apply(parts.cluster, resource, application(url, name), manager="the-test", force=True)
        await watch.until(lambda: watch.all_synced(commit), "synced at first", parts)
        await watch.until(lambda: watch.live("0") == ALL, "live at first", parts)
        uids = watch.uids()
        for number, part in enumerate((*SERVICES, "nats-server", "kube-apiserver"), start=1):
            version = str(number)
            commit = await parts.git.commit("apps", files(version), message=f"Version {version}")
            if part in {"reconciler", "kube-apiserver"}:
                await watch.until(lambda version=version: watch.live(version) > 0, f"begun with {part}", parts)
            await parts.kill(part)
            await parts.start(part)
            await watch.until(lambda commit=commit: watch.all_synced(commit), f"synced after killing {part}", parts)
            await watch.until(lambda version=version: watch.live(version) == ALL, f"live after killing {part}", parts)
        assert watch.uids() == uids, "nothing was deleted and made anew"
        for task in watching:
            task.cancel()
