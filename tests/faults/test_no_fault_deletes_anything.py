"""Trouble of every kind in front of a real API server, in the repository and in the destination: nothing is deleted or
pruned because of it, and everything goes on by itself when it is over.

The Applications prune and heal by themselves, so whatever looked missing for a moment would be deleted or written.
Deletions are counted by the proxy through which the reconciler reaches the cluster.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
import pytest_asyncio

from shared.kube import Conflict, verbs
from tests.parts.delivery import Delivery, complains, config_map, synced, synced_to
from tests.parts.destination import Far, far_away
from tests.parts.faultproxy import FaultProxy

Obj = dict[str, Any]
KEEN = {"prune": True, "selfHeal": True}
RETRY = {"limit": 600, "backoff": {"duration": "1s", "factor": 1}}
NAMES = ("a", "b", "c")
pytestmark = pytest.mark.timeout(900)


def maps(version: str) -> dict[str, bytes]:
    return {f"app/{name}.json": config_map(name, v=version) for name in NAMES}


def deletions(proxy: FaultProxy) -> list[str]:
    return [
        f"{one.verb} {one.path}" for one in proxy.seen if one.verb.startswith("delete") and "dry-run" not in one.verb
    ]


def keen(far: Far, **spec: Any) -> Obj:
    """An Application that would prune and heal at once, and tries again soon."""
    app = far.application(**spec)
    app["spec"]["syncPolicy"] |= {"automated": KEEN, "retry": RETRY}
    return app


@pytest_asyncio.fixture
async def far(delivery: Delivery) -> AsyncIterator[Far]:
    """The session's cluster once more, behind the proxy."""
    async with far_away(delivery, Path(delivery.stack.state.kubeconfig)) as found:
        yield found
    assert deletions(found.proxy) == []


FAULTS: dict[str, Callable[[FaultProxy], object]] = {
    "500 for every write": lambda proxy: proxy.fail(r"^PATCH .*configmaps", 500),
    "500 for everything": lambda proxy: proxy.fail("", 500),
    "429 with Retry-After": lambda proxy: proxy.fail("configmaps", 429, retry_after=1, reason="TooManyRequests"),
    "403 for lists": lambda proxy: proxy.fail(r"^GET [^?]*/configmaps(\?|$)", 403, reason="Forbidden"),
    "410 for lists and watches": lambda proxy: proxy.gone(r"^GET [^?]*/configmaps(\?|$)", times=None),
    "404 for a kind": lambda proxy: proxy.fail(r"^GET [^?]*/configmaps(\?|$)", 404, reason="NotFound"),
    "cut connections": lambda proxy: proxy.reset("configmaps"),
    "no answer": lambda proxy: proxy.hang(""),
}


async def test_nothing_is_deleted_whatever_the_api_server_answers(delivery: Delivery, far: Far) -> None:
    delivery.begin(maps("0"))
    await delivery.apply(keen(far))
    await delivery.until(synced)
    uids = {name: await uid_of(delivery, name) for name in NAMES}
    for number, (fault, inject) in enumerate(FAULTS.items(), start=1):
        inject(far.proxy)
        await far.proxy.cut()
        commit = await delivery.push(maps(str(number)), message=fault)
        async with asyncio.timeout(120):
            await fault_met(far.proxy)
        far.proxy.clear()
        await delivery.until(synced_to(commit), seconds=120)
        assert deletions(far.proxy) == [], fault
    assert {name: await uid_of(delivery, name) for name in NAMES} == uids, "nothing was made anew"


async def fault_met(proxy: FaultProxy) -> None:
    """Wait until the fault has been answered a few times."""
    while sum(rule.hits for rule in proxy.rules) < 3:  # noqa: ASYNC110 - the proxy has no event for it
        await asyncio.sleep(0.1)


async def uid_of(delivery: Delivery, name: str) -> str:
    found = await delivery.get("ConfigMap", name)
    return "" if found is None else str(found["metadata"]["uid"])


async def test_watches_that_drop_again_and_again_lose_no_drift(delivery: Delivery, far: Far) -> None:
    delivery.begin(maps("0"))
    await delivery.apply(keen(far))
    await delivery.until(synced)
    for _ in range(3):
        await far.proxy.cut()
        await delivery.delete("ConfigMap", "b")
        await delivery.until_object("", "ConfigMap", "b", lambda obj: obj["data"] == {"v": "0"})
    await delivery.until(synced)


async def test_a_repository_that_vanishes_takes_nothing_with_it(delivery: Delivery, far: Far) -> None:
    delivery.begin(maps("0"))
    await delivery.apply(keen(far))
    await delivery.until(synced)
    bare = delivery.stack.data / "git" / f"{delivery.app}.git"
    away = bare.rename(bare.with_suffix(".away"))
    await delivery.patch({"metadata": {"annotations": {"argocd.argoproj.io/refresh": "hard"}}})
    app = await delivery.until(complains("ComparisonError", "Failed to load target state"))
    assert [one["name"] for one in app["status"]["resources"]] == list(NAMES), "the last good state stays"
    away.rename(bare)
    await delivery.until(synced_to(await delivery.push(maps("1"))), seconds=120)


async def test_a_namespace_that_terminates_during_a_sync_comes_back(delivery: Delivery, far: Far) -> None:
    delivery.begin(maps("0"))
    await delivery.apply(keen(far))
    await delivery.until(synced)
    held = config_map_held(delivery.namespace)
    await delivery.apply(held)
    namespaces = await delivery.discovery.resource("", "Namespace")
    await verbs.delete(delivery.cluster, namespaces, None, delivery.namespace)
    commit = await delivery.push(maps("1"))
    await delivery.until(lambda app: "being terminated" in app["status"]["operationState"]["message"], seconds=120)
    held["metadata"]["finalizers"] = []
    await delivery.apply(held)
    await delivery.until(synced_to(commit), seconds=120)
    assert await uid_of(delivery, "a")


def config_map_held(namespace: str) -> Obj:
    """An object that keeps its namespace from going."""
    metadata = {"name": "held", "namespace": namespace, "finalizers": ["tests.tiphys/held"]}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}


async def test_a_group_whose_server_is_down_is_unknown_not_empty(delivery: Delivery, far: Far) -> None:
    """A real APIService without a server behind it: the aggregator then says that it can't tell."""
    group = f"{delivery.app}.example.com"
    thing = {"apiVersion": f"{group}/v1", "kind": "Thing", "metadata": {"name": "thing"}}
    delivery.begin(maps("0"))
    await delivery.apply(keen(far))
    await delivery.until(synced)
    service = {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": f"v1.{group}"},
        "spec": {
            "group": group,
            "version": "v1",
            "service": {"namespace": "default", "name": "nobody"},
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
            "insecureSkipTLSVerify": True,
        },
    }
    await delivery.apply(service)
    try:
        await delivery.push({"app/thing.json": orjson.dumps(thing)})
        app = await delivery.until(complains("ComparisonError", group, "does not answer"), seconds=120)
        assert [one["name"] for one in app["status"]["resources"]] == list(NAMES)
    finally:
        services = await delivery.discovery.resource("apiregistration.k8s.io", "APIService")
        await verbs.delete(delivery.cluster, services, None, f"v1.{group}")
    commit = await delivery.push({"app/a.json": config_map("a", v="1")}, remove=("app/thing.json",))
    await delivery.until(synced_to(commit), seconds=120)


async def test_objects_whose_kind_is_removed_are_missed_not_pruned(delivery: Delivery, far: Far) -> None:
    plural = f"t{delivery.app[2:]}s"
    definition = crd(plural)
    delivery.begin({"app/a.json": config_map("a"), "app/thing.json": thing_of(plural)})
    await delivery.apply(definition)
    await delivery.apply(keen(far))
    await delivery.until(synced, seconds=120)
    definitions = await delivery.discovery.resource("apiextensions.k8s.io", "CustomResourceDefinition")
    await verbs.delete(delivery.cluster, definitions, None, definition["metadata"]["name"])
    # the server may leave the watch open and silent, which is given up after two minutes
    await delivery.until(lambda app: app["status"]["sync"]["status"] != "Synced", seconds=240)
    assert await delivery.get("ConfigMap", "a")
    await again(delivery, definition)
    await delivery.until(synced, seconds=120)


async def again(delivery: Delivery, obj: Obj) -> None:
    """Make an object whose namesake may still be going: a definition takes a minute if an object of it comes back."""
    async with asyncio.timeout(150):
        while True:
            try:
                made = await delivery.apply(obj)
            except Conflict:
                continue
            if not made["metadata"].get("deletionTimestamp"):
                return
            await asyncio.sleep(0.2)


def crd(plural: str) -> Obj:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"plural": plural, "singular": plural[:-1], "kind": plural[:-1].title()}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.faults.example.com"},
        "spec": {"group": "faults.example.com", "scope": "Namespaced", "names": names, "versions": [version]},
    }


def thing_of(plural: str) -> bytes:

    return orjson.dumps(
        {"apiVersion": "faults.example.com/v1", "kind": plural[:-1].title(), "metadata": {"name": "thing"}}
    )
