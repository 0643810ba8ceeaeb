"""Many Applications, each with a PreSync Job of ten seconds, all begun at once: do syncs that wait hold others up?

In: how many. Out: the time until all are Synced, beside the time that a bare client's Jobs need in the same cluster:
the difference is ours. The node is simulated, so the Jobs cost what their objects cost.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from services.stack.bench import field, layout
from services.stack.bench.field import ARGO, Field
from services.stack.bench.measures import PATIENCE, each, synced_at
from services.stack.install import ensure
from services.stack.notify import Report
from shared.kube import verbs
from shared.kube.conditions import is_true

Obj = dict[str, Any]
TAKES = "10s"


async def measure_hooks(count: int, report: Report) -> tuple[float, float]:
    """Gives both times in seconds."""
    with tempfile.TemporaryDirectory(prefix="tiphys-bench-", ignore_cleanup_errors=True) as folder:
        async with field.opened(Path(folder), report, node="kwok") as world:
            namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": layout.BARE_NAMESPACE}}
            await ensure(world.cluster, world.discovery, namespace)
            bare = await bare_jobs(world, count)
            report(f"{count} Jobs of {TAKES} by a bare client: {bare:.1f} s; starting the stack")
            await world.start()
            synced = await synced_jobs(world, count)
            report(f"{count} Applications with such a PreSync Job each: {synced:.1f} s until all are Synced")
            return bare, synced


def job(number: int) -> Obj:
    pod = {"restartPolicy": "Never", "containers": [{"name": "c", "image": "registry.example/bench:1.0.0"}]}
    template = {"metadata": {"annotations": {"tiphys.dev/takes": TAKES}}, "spec": pod}
    hook = {"argocd.argoproj.io/hook": "PreSync"}
    metadata = {"name": f"{layout.app_name(number)}-pre", "labels": layout.LABEL, "annotations": hook}
    spec = {"backoffLimit": 0, "template": template}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}


def complete(found: Obj | None) -> bool:
    return is_true(((found or {}).get("status") or {}).get("conditions") or [], "Complete")


async def until_each(world: Field, count: int, holds: Callable[[int], bool]) -> None:
    """Wait until something holds for all; only the last of those that lack it is looked at when an object changes."""
    left = list(range(count))

    def all_of_them() -> bool:
        while left and holds(left[-1]):
            left.pop()
        return not left

    await world.observed.until(all_of_them, PATIENCE, lambda: f"{len(left)} are left")


async def bare_jobs(world: Field, count: int) -> float:
    """The floor: a client that makes the same Jobs."""
    resource = await world.discovery.resource("batch", "Job")
    begun = time.monotonic()
    jobs = [job(number) for number in range(count)]
    placed = ({**obj, "metadata": {**obj["metadata"], "namespace": layout.BARE_NAMESPACE}} for obj in jobs)
    await each(verbs.create(world.cluster, resource, obj) for obj in placed)
    names = [obj["metadata"]["name"] for obj in jobs]
    await until_each(world, count, lambda n: complete(world.observed.get("Job", layout.BARE_NAMESPACE, names[n])))
    return time.monotonic() - begun


async def synced_jobs(world: Field, count: int) -> float:
    """The same Jobs as hooks, each of an Application with one more object."""
    documents = {
        f"{layout.folder(number)}/all.yaml": layout.document([job(number), layout.config_map(number, 0, "first")])
        for number in range(count)
    }
    world.forge.create()
    _, revision, _ = world.forge.commit(documents, "Begin")
    resource = await world.discovery.resource("argoproj.io", "Application")
    begun = time.monotonic()
    apps = (layout.application(number, world.forge.repo_url, ARGO) for number in range(count))
    await each(verbs.create(world.cluster, resource, app) for app in apps)
    await until_each(
        world, count, lambda n: synced_at(world.observed.get("Application", ARGO, layout.app_name(n)), revision)
    )
    return time.monotonic() - begun
