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
    """`name` and `proxy.url` are what Applications may name."""

    delivery: Delivery
    proxy: FaultProxy
    name: str

    @property
    def destination(self) -> Obj:
        return {"server": self.proxy.url, "namespace": self.delivery.namespace}

    async def register(self, **keys: Any) -> None:
        await self.delivery.apply(cluster_secret(self.name, self.proxy.url, **keys))

    def application(self, name: str = "", **spec: Any) -> Obj:
        """An Application that goes there; it is deleted without its objects."""
        app = self.delivery.application(destination=self.destination, **spec)
        app["metadata"] |= {"name": name or self.delivery.app, "labels": {"test": self.delivery.app}, "finalizers": []}
        return app


@asynccontextmanager
async def second(delivery: Delivery, kubeconfig: Path, **keys: Any) -> AsyncIterator[Second]:
    """Register the cluster of a kubeconfig, behind a proxy."""
    async with faulty(kubeconfig) as proxy:
        made = Second(delivery, proxy, f"second-{delivery.app}")
        await made.register(**keys)
        try:
            yield made
        finally:
            proxy.clear()
            await delivery.stack.kubectl("delete", "application", "-n", ARGO, "-l", f"test={delivery.app}")
            await verbs.delete(delivery.cluster, SECRETS, ARGO, made.name)
