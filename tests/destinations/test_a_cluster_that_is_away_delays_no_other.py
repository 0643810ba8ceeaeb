"""Two real clusters, one of which stops answering: the other delivers as ever, and nothing is lost on the one that is
away.
"""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from services.stack import cluster as embedded
from shared.kube import Informer, Key
from tests.parts.cluster import quiet
from tests.parts.delivery import ARGO, Delivery, complains, config_map, read, synced, synced_to
from tests.parts.destination import far_away

Obj = dict[str, Any]
MANY = 70  # more than the passes that one destination may have at a time


def far_files(names: list[str], version: str) -> dict[str, bytes]:
    return {f"{name}/map.json": config_map(name, v=version) for name in names}


def version(wanted: str) -> Callable[[Obj], bool]:
    return lambda obj: obj["data"] == {"v": wanted}


away = complains("ComparisonError", "can't be reached")


class Everybody:
    """All Applications of a test."""

    def __init__(self, informer: Informer[Obj]) -> None:
        self.informer = informer
        self.changed = asyncio.Event()

    def take(self, *_event: object) -> None:
        self.changed.set()

    async def until(self, holds: Any, names: list[str], seconds: float = 90) -> None:
        async with asyncio.timeout(seconds):
            while not all((app := self.informer.store.get(Key(ARGO, name))) and holds(app) for name in names):
                self.changed.clear()
                await self.changed.wait()


@pytest.mark.timeout(900)
async def test_a_cluster_that_hangs_delays_no_other_and_recovers_by_itself(delivery: Delivery, tmp_path: Path) -> None:
    names = [f"{delivery.app}-{number}" for number in range(MANY)]
    delivery.begin({"app/a.json": config_map("a", v="1"), **far_files(names, "1")})
    async with (
        embedded.running(tmp_path / "second", node="none", report=quiet) as other,
        far_away(delivery, other.kubeconfig) as far,
        asyncio.TaskGroup() as tasks,
    ):
        applications = await delivery.discovery.resource("argoproj.io", "Application")
        informer = Informer(delivery.cluster, applications, read, label_selector=f"test={delivery.app}")
        everybody = Everybody(informer)
        watching = tasks.create_task(informer.run(everybody.take))
        await delivery.apply(delivery.application(automated={"selfHeal": True, "prune": True}))
        for name in names:
            await delivery.apply(far.application(name, source={"path": name}, automated={"prune": True}))
        await everybody.until(synced, names)
        await delivery.until(synced)

        far.proxy.hang("")
        await far.proxy.cut()
        commit = await delivery.push({"app/a.json": config_map("a", v="2"), **far_files(names, "2")})
        begun = time.monotonic()
        await delivery.until_object("", "ConfigMap", "a", version("2"))
        took = time.monotonic() - begun
        given_up = any(away(app) for app in informer.store.values())
        await delivery.until(synced_to(commit))
        await everybody.until(away, names)
        for number in (3, 4, 5):
            await delivery.push({"app/a.json": config_map("a", v=str(number))})
            await delivery.until_object("", "ConfigMap", "a", version(str(number)))
        assert took < 5 or not given_up, f"the healthy cluster waited for the other: {took:.1f} s"
        assert all(app["status"]["resources"] for app in informer.store.values()), "the last good state stays"

        far.proxy.clear()
        await everybody.until(lambda app: synced(app) and not app["status"].get("conditions"), names)
        assert not [one for one in far.proxy.writes() if one.verb.startswith("delete")], "nothing was deleted"
        watching.cancel()
