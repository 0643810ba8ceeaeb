"""Another destination cluster for a test, with the fault proxy in front of it and a cluster Secret that names it."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.kube import Resource, verbs
from tests.parts.delivery import ARGO, Delivery
from tests.parts.faultproxy import FaultProxy, faulty

Obj = dict[str, Any]
SECRETS = Resource("", "v1", "Secret", "secrets", namespaced=True)


def cluster_secret(name: str, server: str, *, config: Obj | None = None, **keys: str) -> Obj:
    """A cluster Secret as Argo CD has it."""
    texts = {"name": name, "server": server, "config": json.dumps(config or {}), **keys}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": ARGO, "labels": {"argocd.argoproj.io/secret-type": "cluster"}},
        "data": {key: base64.b64encode(text.encode()).decode() for key, text in texts.items()},
    }


@dataclass
class Second:
    """`name` and `url` are what Applications may name. `tls` is what the Secret says besides the login."""

    delivery: Delivery
    name: str
    url: str
    tls: Obj

    @property
    def destination(self) -> Obj:
        return {"server": self.url, "namespace": self.delivery.namespace}

    async def register(self, *, login: Obj | None = None, **keys: str) -> None:
        """Write the Secret, or write it anew."""
        config = {**(login or {}), "tlsClientConfig": self.tls}
        await self.delivery.apply(cluster_secret(self.name, self.url, config=config, **keys))

    def application(self, name: str = "", **spec: Any) -> Obj:
        """An Application that goes there; it is deleted without its objects."""
        app = self.delivery.application(destination=self.destination, **spec)
        app["metadata"] |= {"name": name or self.delivery.app, "labels": {"test": self.delivery.app}, "finalizers": []}
        return app


@dataclass
class Far(Second):
    """A cluster behind the fault proxy, which logs in as its administrator whatever the Secret says."""

    proxy: FaultProxy


@asynccontextmanager
async def registered(second: Second, **keys: Any) -> AsyncIterator[None]:
    """Its Secret for the length of the block; the Applications that go there are gone afterwards."""
    await second.register(**keys)
    delivery = second.delivery
    try:
        yield
    finally:
        await delivery.stack.kubectl("delete", "application", "-n", ARGO, "-l", f"test={delivery.app}")
        await verbs.delete(delivery.cluster, SECRETS, ARGO, second.name)


@asynccontextmanager
async def far_away(delivery: Delivery, kubeconfig: Path, **keys: Any) -> AsyncIterator[Far]:
    """Register the cluster of a kubeconfig, behind a proxy."""
    async with faulty(kubeconfig) as proxy:
        made = Far(delivery, f"far-{delivery.app}", proxy.url, {}, proxy)
        async with registered(made, **keys):
            yield made
            proxy.clear()


def encoded(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()


@asynccontextmanager
async def direct(delivery: Delivery, **keys: Any) -> AsyncIterator[Second]:
    """Register the session's own cluster under its address, so that the Secret's login is what counts."""
    shown = await delivery.stack.kubectl("config", "view", "--raw", "--minify", "-o", "json")
    cluster = json.loads(shown.out)["clusters"][0]["cluster"]
    tls = {"caData": cluster.get("certificate-authority-data") or encoded(Path(cluster["certificate-authority"]))}
    made = Second(delivery, f"direct-{delivery.app}", cluster["server"], tls)
    async with registered(made, **keys):
        yield made
