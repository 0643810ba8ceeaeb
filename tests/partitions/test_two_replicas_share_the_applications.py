"""Two real reconciler processes share 100 Applications. One is killed, later one is frozen and thawed: its partitions
move in time, every change arrives, and no object is written twice for one revision.

Writes are counted by the proxy through which both reach the API server. What is asked over the bus, either may hear: it
answers also for what the other holds.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest
import yaml

from services.reconciler.membership import read_table
from services.reconciler.process import Process
from shared.bus import Bus, Kv, connect
from shared.events import AskClusters, ListActions, ResourceRef
from shared.kube import Informer, verbs
from tests.parts.delivery import config_map, read, synced
from tests.parts.faultproxy import FaultProxy, Seen, faulty
from tests.parts.separate import Parts, separate

Obj = dict[str, Any]
APPS = [f"app-{number}" for number in range(100)]
FIRST = ("gateway", "git_watcher", "renderer")
PAIR = ("reconciler-1", "reconciler-2")
IN_TIME = 40.0  # nearer to the takeover's seven seconds than to the minute that the entry of a dead one lives
ACTION = yaml.safe_dump(
    {"discovery.lua": 'return {["mark"] = {}}', "definitions": [{"name": "mark", "action.lua": "return obj"}]}
)


def files(version: str) -> dict[str, bytes]:
    return {f"{app}/map.json": config_map(app, version=version) for app in APPS}


def application(url: str, name: str) -> Obj:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name, "namespace": "argocd"},
        "spec": {
            "project": "default",
            "source": {"repoURL": url, "path": name, "targetRevision": "main"},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "default"},
            "syncPolicy": {"automated": {"prune": True, "selfHeal": True}},
        },
    }


@dataclass
class Field:
    """What the test looks at: Applications and ConfigMaps, the table of partitions, who wrote what."""

    parts: Parts
    proxy: FaultProxy
    bus: Bus
    leases: Kv
    members: Kv
    applications: Informer[Obj]
    maps: Informer[Obj]
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    counted: tuple[int, int] = (0, 0)

    async def until(self, holds: Callable[[], bool], what: str, seconds: float = 90) -> None:
        try:
            async with asyncio.timeout(seconds):
                while not holds():
                    self.changed.clear()
                    await self.changed.wait()
        except TimeoutError:
            states = [app.get("status") for app in self.applications.store.values() if not synced(app)][:3]
            raise AssertionError(f"not {what}: {orjson.dumps(states).decode()[:3000]}\n{self.parts.logs()}") from None

    async def shares(self) -> dict[str, int]:
        """How many partitions each of the processes holds."""
        holders = Counter((await read_table(self.leases)).holders)
        names = {one.pid: part for part, one in self.parts.processes.items()}
        found = {}
        for name, entry in (await self.members.snapshot()).items():
            pid = msgspec.json.decode(entry.value, type=Process).pid
            if pid in names:
                found[names[pid]] = holders[name]
        return found

    async def until_shared(self, wanted: dict[str, int], seconds: float = 120) -> float:
        """Wait until the partitions are shared like this; gives the seconds it took."""
        begun = time.monotonic()
        while (found := await self.shares()) != wanted:
            assert time.monotonic() - begun < seconds, f"{found}\n{self.parts.logs()}"
            await asyncio.sleep(0.1)
        return time.monotonic() - begun

    def all_at(self, commit: str) -> bool:
        apps = self.applications.store.values()
        return len(apps) == len(APPS) and all(
            synced(app) and app["status"]["sync"]["revision"] == commit for app in apps
        )

    def live(self, version: str) -> int:
        return sum(obj.get("data") == {"version": version} for obj in self.maps.store.values())

    def not_once(self) -> dict[str, int]:
        """How often those ConfigMaps were applied since the last call that were not applied once.

        One whose answer never reached the replica that was killed may be applied again: the other can't know.
        """
        seen, cut_off = self.proxy.seen[self.counted[0] :], self.proxy.cut_off[self.counted[1] :]
        self.counted = len(self.proxy.seen), len(self.proxy.cut_off)
        applied, lost = (Counter(applies(some)) for some in (seen, cut_off))
        return {name: applied[name] for name in APPS if not 1 <= applied[name] <= 1 + lost[name]}


def applies(requests: list[Seen]) -> list[str]:
    return [one.name for one in requests if one.resource == "configmaps" and one.verb == "apply"]


@asynccontextmanager
async def field_of_two(folder: Path) -> AsyncIterator[Field]:
    async with (
        separate(folder, FIRST) as parts,
        faulty(parts.control_plane.kubeconfig) as proxy,
        connect(parts.bus.url, service="tests") as bus,
        asyncio.TaskGroup() as tasks,
    ):
        applications = Informer(parts.cluster, await parts.discovery.resource("argoproj.io", "Application"), read)
        maps = Informer(parts.cluster, await parts.discovery.resource("", "ConfigMap"), read, namespace="default")
        leases, members = await bus.kv("leases"), await bus.kv("members", lifetime=60)
        found = Field(parts, proxy, bus, leases, members, applications, maps)
        watching = [tasks.create_task(one.run(lambda *_event: found.changed.set())) for one in (applications, maps)]
        for part in PAIR:
            parts.kubeconfigs[part] = proxy.kubeconfig
            await parts.start(part)
        yield found
        for task in watching:
            task.cancel()


async def ask(found: Field) -> None:
    """Ask for the actions of everything, and how many Applications a cluster has, of whoever hears it."""
    parts, maps = found.parts, found.maps.resource
    settings = {"metadata": {"name": "argocd-cm", "namespace": "argocd"}, "apiVersion": "v1", "kind": "ConfigMap"}
    wanted = settings | {"data": {"resource.customizations.actions.ConfigMap": ACTION}}
    await verbs.apply(parts.cluster, maps, wanted, manager="t", force=True)
    offers = 0
    while offers < len(APPS):  # both replicas hear of the settings by themselves
        answers = await asyncio.gather(*(found.bus.request(ListActions(**about(app)), timeout=60) for app in APPS))
        offers = sum(bool(one.actions) for one in answers)
    asked = [await found.bus.request(AskClusters(), timeout=60) for _ in range(8)]
    assert [one.clusters[0].applications for one in asked] == [len(APPS)] * 8


def about(app: str) -> dict[str, Any]:
    resource = ResourceRef(kind="ConfigMap", namespace="default", name=app)
    return {"namespace": "argocd", "name": app, "resource": resource}


@pytest.mark.timeout(900)
async def test_what_a_replica_held_goes_on_with_the_other_and_nothing_is_done_twice(tmp_path: Path) -> None:
    first, second = PAIR
    async with field_of_two(tmp_path) as found:
        parts = found.parts
        url = parts.git.create("apps")
        commit = await parts.git.commit("apps", files("0"), message="Begin")
        await found.until_shared({first: 32, second: 32})
        for name in APPS:
            await verbs.apply(
                parts.cluster, found.applications.resource, application(url, name), manager="t", force=True
            )
        await found.until(lambda: found.all_at(commit), "synced at first")
        assert found.not_once() == {}
        await ask(found)

        commit = await parts.git.commit("apps", files("1"), message="While one is killed")
        await found.until(lambda: found.live("1") > 10, "begun")
        await parts.kill(second)
        assert await found.until_shared({first: 64}) < IN_TIME
        await found.until(lambda: found.all_at(commit), "synced after one was killed")
        assert found.not_once() == {}

        await parts.start(second)
        await found.until_shared({first: 32, second: 32})
        parts.freeze(first)
        commit = await parts.git.commit("apps", files("2"), message="While one is frozen")
        assert await found.until_shared({first: 0, second: 64}) < IN_TIME
        await found.until(lambda: found.all_at(commit), "synced while one was frozen")
        parts.thaw(first)
        await found.until_shared({first: 32, second: 32})
        assert found.not_once() == {}
        commit = await parts.git.commit("apps", files("3"), message="Shared again")
        await found.until(lambda: found.all_at(commit), "synced at the end")
        assert found.not_once() == {}
        assert not [one for one in found.proxy.seen if one.verb.startswith("delete")]
