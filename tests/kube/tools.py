"""ConfigMaps to play with, and an informer that writes down what it says."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from shared.kinds.clusters import ClusterSecret
from shared.kube import Cluster, EventType, Informer, Key, LiveObject, Resource, live_object, verbs
from tests.parts.cluster import ClusterUnderTest

Obj = dict[str, Any]
CONFIG_MAPS = Resource("", "v1", "ConfigMap", "configmaps", namespaced=True)
MANAGER = "test"


def config_map(namespace: str, name: str, **data: str) -> Obj:
    labels = {"test": "kube"}
    metadata = {"namespace": namespace, "name": name, "labels": labels}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def service_account(cluster: ClusterUnderTest, namespace: str, name: str = "default") -> ClusterSecret:
    """The Secret with which Argo CD would reach this cluster as a service account."""
    server, tls = address(cluster)
    return cluster_secret(server, {"bearerToken": token(cluster, namespace, name), "tlsClientConfig": tls})


def token(cluster: ClusterUnderTest, namespace: str, name: str = "default") -> str:
    """A token of a service account; the cluster makes the default one a little later than the namespace."""
    cluster.kubectl("wait", "--for=create", f"serviceaccount/{name}", "-n", namespace, "--timeout=60s")
    return cluster.kubectl("create", "token", name, "-n", namespace).strip()


def cluster_secret(server: str, config: Obj) -> ClusterSecret:
    values = {"server": server, "config": orjson.dumps(config).decode(), "name": "it"}
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    labels = {"argocd.argoproj.io/secret-type": "cluster"}
    return ClusterSecret.from_secret({"metadata": {"name": "it", "labels": labels}, "data": data})


def address(cluster: ClusterUnderTest) -> tuple[str, Obj]:
    """The server, and the CA as Argo CD writes it."""
    found = orjson.loads(cluster.kubectl("config", "view", "--raw", "--minify", "-o", "json"))["clusters"][0]["cluster"]
    if "certificate-authority-data" in found:
        return found["server"], {"caData": found["certificate-authority-data"]}
    ca = Path(found["certificate-authority"]).read_bytes()
    return found["server"], {"caData": base64.b64encode(ca).decode()}


async def put(api: Cluster, namespace: str, name: str, **data: str) -> Obj:
    return await verbs.apply(api, CONFIG_MAPS, config_map(namespace, name, **data), manager=MANAGER, force=True)


async def remove(api: Cluster, namespace: str, name: str) -> None:
    await verbs.delete(api, CONFIG_MAPS, namespace, name)


class Said(NamedTuple):
    type: str
    name: str
    old: str
    new: str


def version(obj: LiveObject | None) -> str:
    return str(obj.load().get("data", {}).get("v", "")) if obj is not None else ""


class Watching:
    """An informer of one namespace's test ConfigMaps, and all that it said."""

    def __init__(self, informer: Informer[LiveObject]) -> None:
        self.informer = informer
        self.said: list[Said] = []
        self._changed = asyncio.Event()

    def note(self, type_: EventType, key: Key, obj: LiveObject, old: LiveObject | None) -> None:
        self.said.append(Said(type_.value, key.name, version(old), version(obj)))
        self._changed.set()

    def names(self) -> set[str]:
        return {key.name for key in self.informer.store}

    async def until(self, true: Callable[[], bool], seconds: float = 60) -> None:
        async with asyncio.timeout(seconds):
            while not true():
                self._changed.clear()
                await self._changed.wait()


@asynccontextmanager
async def watching(
    cluster: Cluster, namespace: str, resource: Resource = CONFIG_MAPS, **options: Any
) -> AsyncIterator[Watching]:
    selected = {"label_selector": "test=kube"} | options
    made = Watching(Informer(cluster, resource, live_object, namespace=namespace, **selected))
    task = asyncio.create_task(made.informer.run(made.note))
    try:
        await made.informer.listed(60)
        yield made
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
