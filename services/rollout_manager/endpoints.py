"""Which pods a Service really leads to, as its EndpointSlices say: what load balancers go by.

Watched from the first time that a Rollout with a traffic router asks; a Rollout without one costs nothing. In: a
Service. Out: the names of its ready pods. A change wakes whoever reads the Service.
"""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

import orjson

from services.rollout_manager.keys import Ref
from services.rollout_manager.objects import Objects
from shared.kube import EventType, Informer, Key

SERVICE = "kubernetes.io/service-name"


class Slice(NamedTuple):
    """One EndpointSlice: of which Service, and the pods in it that are ready."""

    service: str
    pods: frozenset[str]


def read(raw: bytes) -> Slice:
    obj = orjson.loads(raw)
    service = (obj["metadata"].get("labels") or {}).get(SERVICE, "")
    ready = (one for one in obj.get("endpoints") or () if (one.get("conditions") or {}).get("ready") is not False)
    return Slice(service, frozenset(str((one.get("targetRef") or {}).get("name") or "") for one in ready))


class Endpoints:
    """All Services' ready pods."""

    def __init__(self, objects: Objects, wake: Callable[[Ref], None]) -> None:
        self._objects = objects
        self._wake = wake
        self._slices: dict[tuple[str, str], dict[Key, frozenset[str]]] = {}
        self._lock = asyncio.Lock()
        self._started = False

    async def of(self, namespace: str, service: str) -> frozenset[str]:
        """Raises ApiError when they can't be listed."""
        async with self._lock:
            if not self._started:
                resource = await self._objects.discovery.resource("discovery.k8s.io", "EndpointSlice")
                scope = self._objects.namespace or None
                await self._objects.start(Informer(self._objects.cluster, resource, read, namespace=scope), self._hear)
                self._started = True
        return frozenset().union(*self._slices.get((namespace, service), {}).values())

    def _hear(self, type_: EventType, key: Key, found: Slice, old: Slice | None) -> None:
        for one in filter(None, (old, found)):
            known = self._slices.get((key.namespace, one.service), {})
            known.pop(key, None)
            if not known:
                self._slices.pop((key.namespace, one.service), None)
        if type_ is not EventType.DELETED:
            self._slices.setdefault((key.namespace, found.service), {})[key] = found.pods
        if old != found or type_ is EventType.DELETED:
            self._wake(Ref("", "Service", key.namespace, found.service))
