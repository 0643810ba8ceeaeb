"""SIGKILL of any one part in the middle of a sync, then its start: the end is as it would have been without.

Each part is killed once, while a commit that changes every application is on its way.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
import pytest_asyncio

from services.stack.bench import layout
from services.stack.observe import Observed, Watching, observing
from shared.kube import Discovery, verbs
from tests.parts.apart import Apart, apart

Obj = dict[str, Any]
COUNT = 12
PARTS = ("gateway", "git_watcher", "renderer", "reconciler", "nats-server", "kube-apiserver")


@pytest_asyncio.fixture(scope="module")
async def whole(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Apart]:
    async with apart(tmp_path_factory.mktemp("apart")) as parts:
        yield parts


class Fleet:
    """A repository with an application a folder, its Applications, and a watch on what becomes of them."""

    def __init__(self, whole: Apart, name: str, observed: Observed) -> None:
        self.whole, self.name, self.observed = whole, name, observed

    async def begin(self) -> None:
        url = self.whole.git.create(self.name)
        await self.commit("first")
        discovery = Discovery(self.whole.client)
        applications = await discovery.resource("argoproj.io", "Application")
        for number in range(COUNT):
            await verbs.create(self.whole.client, applications, self._application(number, url))

    async def commit(self, mark: str) -> str:
        return await self.whole.git.commit(self.name, layout.files(COUNT, mark), f"Mark {mark}")

    def _application(self, number: int, url: str) -> Obj:
        app = layout.application(number, url, "argocd")
        app["metadata"]["name"] = f"{self.name}-{number}"
        app["spec"]["destination"]["namespace"] = self.name
        app["spec"]["syncPolicy"]["syncOptions"] = ["CreateNamespace=true"]
        return app

    def at(self, mark: str) -> int:
        """How many of the ConfigMaps carry the mark."""
        own = (obj for (namespace, _), obj in self.observed.objects("ConfigMap").items() if namespace == self.name)
        return sum((obj.get("data") or {}).get("mark") == mark for obj in own)

    def synced(self, revision: str) -> int:
        apps: Mapping[Any, Obj] = self.observed.objects("Application")
        status = [app.get("status") or {} for (_, name), app in apps.items() if name.startswith(f"{self.name}-")]
        return sum(
            (one.get("sync") or {}).get("status") == "Synced"
            and one["sync"].get("revision") == revision
            and (one.get("operationState") or {}).get("phase") == "Succeeded"
            for one in status
        )

    def rest(self) -> list[Obj]:
        """What the Applications say that are not Synced."""
        apps = self.observed.objects("Application").items()
        status = [app.get("status") or {} for (_, name), app in apps if name.startswith(f"{self.name}-")]
        return [
            {name: one.get(name) for name in ("sync", "conditions", "operationState")}
            for one in status
            if (one.get("sync") or {}).get("status") != "Synced"
        ]

    async def until(self, mark: str, revision: str) -> None:
        every = COUNT * layout.CONFIGMAPS
        await self.observed.until(
            lambda: self.at(mark) == every and self.synced(revision) == COUNT,
            60,
            lambda: (
                f"{self.at(mark)} of {every} objects, {self.synced(revision)} of {COUNT} Applications: {self.rest()}"
            ),
        )


@pytest.mark.timeout(300)
@pytest.mark.parametrize("part", PARTS)
async def test_the_end_is_the_same(whole: Apart, unique: str, part: str) -> None:
    kinds = (Watching("argoproj.io", "Application", "argocd"), Watching("", "ConfigMap"))
    async with observing(whole.client, *kinds) as observed:
        fleet = Fleet(whole, unique, observed)
        await fleet.begin()
        await observed.until(lambda: fleet.at("first") == COUNT * layout.CONFIGMAPS, 90, lambda: "nothing began")
        pushed = asyncio.create_task(fleet.commit("second"))
        await observed.until(lambda: fleet.at("second") > 0, 60, lambda: "the commit never arrived")
        await whole.kill(part)
        await whole.start(part)
        await fleet.until("second", await pushed)
