"""The measures, each from an act to what a watch on the API server saw of it. Times are seconds."""

import asyncio
import time
from collections.abc import Awaitable, Iterable
from typing import Any

from services.stack.bench import layout
from services.stack.bench.field import ARGO, Field
from services.stack.bench.requests import written
from services.stack.options import StackError
from shared.kube import verbs

Obj = dict[str, Any]
CONCURRENCY = 32
PATIENCE = 900.0


async def each(work: Iterable[Awaitable[Any]]) -> None:
    """All of it, so many at a time; each is made when its turn comes."""
    waiting = iter(work)

    async def worker() -> None:
        for item in waiting:
            await item

    async with asyncio.TaskGroup() as tasks:
        for _ in range(CONCURRENCY):
            tasks.create_task(worker())


def synced_at(app: Obj | None, revision: str) -> bool:
    sync = ((app or {}).get("status") or {}).get("sync") or {}
    return sync.get("status") == "Synced" and sync.get("revision") == revision


class Waiting:
    """Which applications still lack a mark in the cluster or a Synced status.

    Only the last of those that lack something is looked at when an object changes, so that watching costs the measured
    machine next to nothing.
    """

    def __init__(self, field: Field, numbers: Iterable[int]) -> None:
        self.observed = field.observed
        self.not_live = list(numbers)
        self.not_synced = list(self.not_live)

    def live(self, mark: str) -> bool:
        while self.not_live and self._carries(self.not_live[-1], mark):
            self.not_live.pop()
        return not self.not_live

    def synced(self, revision: str) -> bool:
        while self.not_synced and self._synced_at(self.not_synced[-1], revision):
            self.not_synced.pop()
        return not self.not_synced

    def _synced_at(self, number: int, revision: str) -> bool:
        return synced_at(self.observed.get("Application", ARGO, layout.app_name(number)), revision)

    def _carries(self, number: int, mark: str) -> bool:
        names = (f"{layout.app_name(number)}-{index}" for index in range(layout.CONFIGMAPS))
        maps = (self.observed.get("ConfigMap", layout.NAMESPACE, name) for name in names)
        deployed = self.observed.get("Deployment", layout.NAMESPACE, layout.app_name(number))
        return deployed is not None and all(found and found["data"].get("mark") == mark for found in maps)

    def lacking(self) -> str:
        return f"up to {len(self.not_live)} not live, up to {len(self.not_synced)} not Synced"


async def arrival(field: Field, numbers: Iterable[int], mark: str, revision: str, begun: float) -> tuple[float, float]:
    """Seconds until every ConfigMap of these applications carries the mark, and until their status says Synced
    there.
    """
    waiting = Waiting(field, numbers)
    await field.observed.until(lambda: waiting.live(mark), PATIENCE, waiting.lacking)
    live = time.monotonic() - begun
    await field.observed.until(lambda: waiting.synced(revision), PATIENCE, waiting.lacking)
    return live, time.monotonic() - begun


async def first_sync(field: Field, count: int) -> tuple[float, float]:
    field.forge.create()
    _, revision, _ = field.forge.commit(layout.files(count, "first"), "Begin")
    resource = await field.discovery.resource("argoproj.io", "Application")
    begun = time.monotonic()
    apps = (layout.application(number, field.forge.repo_url, ARGO) for number in range(count))
    await each(verbs.create(field.cluster, resource, app) for app in apps)
    return await arrival(field, range(count), "first", revision, begun)


async def push(field: Field, numbers: Iterable[int], mark: str, *, webhook: bool = True) -> tuple[float, float]:
    numbers = list(numbers)
    changed = {f"{layout.folder(number)}/all.yaml": layout.manifest(number, mark) for number in numbers}
    before, after, begun = field.forge.commit(changed, f"Mark {mark}")
    if webhook:
        await field.forge.tell(before, after, tuple(changed) if len(changed) < 1000 else ())
    return await arrival(field, numbers, mark, after, begun)


async def drift(field: Field, number: int) -> float:
    """From a foreign change to an object until it is as git says again."""
    resource = await field.discovery.resource("", "ConfigMap")
    name = f"{layout.app_name(number)}-0"
    wanted = (field.observed.get("ConfigMap", layout.NAMESPACE, name) or {})["data"]["mark"]
    changed = await verbs.patch(field.cluster, resource, layout.NAMESPACE, name, {"data": {"mark": "drifted"}})
    begun, version = time.monotonic(), int(changed["metadata"]["resourceVersion"])

    def healed() -> bool:
        found = field.observed.get("ConfigMap", layout.NAMESPACE, name)
        return bool(found and int(found["metadata"]["resourceVersion"]) > version and found["data"]["mark"] == wanted)

    await field.observed.until(healed, 60.0, lambda: f"{name} is not healed")
    return time.monotonic() - begun


async def bare(field: Field, count: int, mark: str, *, only_maps: bool = False) -> float:
    """The floor: a client that only applies the same objects, in a namespace of its own."""
    resources = {
        "ConfigMap": await field.discovery.resource("", "ConfigMap"),
        "Deployment": await field.discovery.resource("apps", "Deployment"),
    }
    objects = [
        obj
        for number in range(count)
        for obj in layout.objects(number, mark)
        if not (only_maps and obj["kind"] == "Deployment")
    ]
    begun = time.monotonic()
    await each(_apply(field, resources[obj["kind"]], obj) for obj in objects)
    return time.monotonic() - begun


async def _apply(field: Field, resource: Any, obj: Obj) -> None:
    target = {**obj, "metadata": {**obj["metadata"], "namespace": layout.BARE_NAMESPACE, "labels": {}}}
    await verbs.apply(field.cluster, resource, target, manager="bare-client", force=True)


async def writes(field: Field) -> float:
    """How many writing requests the API server has counted for the kinds that the bench is about."""
    kinds = ("applications", "configmaps", "deployments")
    return sum(count for (kind, _), count in (await written(field.cluster)).items() if kind in kinds)


def versions(field: Field) -> dict[tuple[str, str], str]:
    """The resourceVersion of every watched object."""
    kinds = ("Application", "ConfigMap", "Deployment")
    return {
        (kind, "/".join(key)): obj["metadata"]["resourceVersion"]
        for kind in kinds
        for key, obj in field.observed.objects(kind).items()
    }


async def restart(field: Field, settle: float = 10.0) -> tuple[float, float, int]:
    """Stop and start the stack with nothing changed: seconds until ready, writing requests, objects that changed."""
    before, count = versions(field), await writes(field)
    await field.stop()
    begun = time.monotonic()
    await field.start()
    ready = time.monotonic() - begun
    await asyncio.sleep(settle)
    after = versions(field)
    if before.keys() != after.keys():
        raise StackError("objects came or went while the stack was restarted")
    return ready, await writes(field) - count, sum(before[key] != after[key] for key in before)
