"""Kubernetes Events about our objects, as client-go's recorder writes them; the caller never waits.

In: an object, a reason, a message. Out: core/v1 Events: the first of its kind is created, the same again raises
`count`. Bounded: what one object says too often is dropped; when the buffer is full, what is said of one object for one
reason becomes one Event with the newest message, and beyond twice the buffer it is dropped. Both are counted, and a
full buffer is logged once. A failed write is logged and given up: an Event is news, not truth. Never: an exception to
the caller, a secret in a message.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from time import time_ns
from typing import Any, NamedTuple

from shared import clock
from shared.kube import verbs
from shared.kube.client import Cluster
from shared.kube.discovery import Resource
from shared.kube.errors import ApiError, NotFound
from shared.kube.limits import Bucket
from shared.security import redact
from shared.telemetry import get_logger, metrics

Obj = dict[str, Any]
EVENTS = Resource("", "v1", "Event", "events", True)
MESSAGE_LIMIT = 1024
REMEMBERED = 4096
COMBINED = "(combined from similar events): "
log = get_logger()
_dropped = metrics.counter("kube_events_dropped", "Kubernetes Events that were not written, by why", ("why",))


class _Same(NamedTuple):
    """Two events with this in common are one event that happened twice."""

    namespace: str
    kind: str
    name: str
    uid: str
    type: str
    reason: str
    message: str


@dataclass(slots=True)
class _Entry:
    event: Obj
    first: datetime
    last: datetime
    count: int
    written: str = ""


class Recorder:
    """`run()` writes what `record()` notes."""

    def __init__(
        self, cluster: Cluster, component: str, *, buffer: int = REMEMBERED, rate: float = 1 / 15, burst: int = 25
    ) -> None:
        self._cluster = cluster
        self._component = component
        self._buffer = buffer
        self._rate = rate
        self._burst = burst
        self._known: OrderedDict[_Same, _Entry] = OrderedDict()
        self._buckets: dict[str, Bucket] = {}
        self._pending: OrderedDict[_Same, _Entry] = OrderedDict()
        self._noted = asyncio.Event()
        self._full = False
        self.dropped = 0

    def record(
        self,
        obj: Mapping[str, Any],
        reason: str,
        message: str,
        *,
        type_: str = "Normal",
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
    ) -> None:
        """Note that something happened to an object. `type_`: Normal or Warning."""
        text = redact(message)[:MESSAGE_LIMIT]
        involved = _involved(obj)
        namespace = involved["namespace"] or "default"
        same = _Same(namespace, involved["kind"], involved["name"], involved["uid"], type_, reason, text)
        if not self._allowed(f"{involved['kind']}/{namespace}/{involved['name']}"):
            self._drop("one object too often")
            return
        as_ = self._place(same)
        if as_ is None:
            self._drop("too many at once")
            return
        now = clock.now()
        entry = self._known.get(as_)
        if entry is None:
            entry = _Entry(_event(as_, involved, self._component, labels, annotations), now, now, 0)
            self._remember(as_, entry)
        entry.last, entry.count = now, entry.count + 1
        if as_ != same:
            entry.event["message"] = f"{COMBINED}{text}"[:MESSAGE_LIMIT]
        self._pending[as_] = entry
        self._noted.set()

    def _place(self, same: _Same) -> _Same | None:
        """As what an event may wait: as itself, as one of several, or not at all."""
        if same in self._pending or len(self._pending) < self._buffer:
            return same
        if not self._full:
            self._full = True
            log.warning("Events come faster than they are written: similar ones are combined", waiting=self._buffer)
        combined = same._replace(message=COMBINED)
        return combined if combined in self._pending or len(self._pending) < 2 * self._buffer else None

    def _drop(self, why: str) -> None:
        self.dropped += 1
        _dropped.labels(why).inc()

    def _remember(self, same: _Same, entry: _Entry) -> None:
        self._known[same] = entry
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)

    def _allowed(self, name: str) -> bool:
        if len(self._buckets) > REMEMBERED:
            self._buckets = {name: bucket for name, bucket in self._buckets.items() if not bucket.full}
        return self._buckets.setdefault(name, Bucket(self._rate, self._burst)).try_take()

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self.flush()
            self._noted.clear()
            await self._noted.wait()

    async def flush(self) -> None:
        """Write all that is noted now."""
        while self._pending:
            _, entry = self._pending.popitem(last=False)
            try:
                await self._write(entry)
            except ApiError as error:
                log.debug("an event could not be written", reason=entry.event["reason"], error=error.message)
        self._full = False

    async def _write(self, entry: _Entry) -> None:
        metadata = entry.event["metadata"]
        times = {"firstTimestamp": clock.rfc3339(entry.first), "lastTimestamp": clock.rfc3339(entry.last)}
        if entry.written:
            message = entry.event["message"]
            body = {"count": entry.count, "message": message, "lastTimestamp": times["lastTimestamp"]}
            try:
                await verbs.patch(self._cluster, EVENTS, metadata["namespace"], entry.written, body)
            except NotFound:
                entry.written = ""
            else:
                return
        name = f"{metadata['name'][:230]}.{time_ns():x}"
        await verbs.create(
            self._cluster,
            EVENTS,
            {**entry.event, **times, "count": entry.count, "metadata": {**metadata, "name": name}},
        )
        entry.written = name


def _involved(obj: Mapping[str, Any]) -> dict[str, str]:
    metadata = obj.get("metadata") or {}
    return {
        "apiVersion": str(obj.get("apiVersion") or ""),
        "kind": str(obj.get("kind") or ""),
        "namespace": str(metadata.get("namespace") or ""),
        "name": str(metadata.get("name") or ""),
        "uid": str(metadata.get("uid") or ""),
        "resourceVersion": str(metadata.get("resourceVersion") or ""),
    }


def _event(
    same: _Same,
    involved: dict[str, str],
    component: str,
    labels: Mapping[str, str] | None,
    annotations: Mapping[str, str] | None,
) -> Obj:
    extra = {"labels": dict(labels or {}), "annotations": dict(annotations or {})}
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": same.name,
            "namespace": same.namespace,
            **{name: value for name, value in extra.items() if value},
        },
        "involvedObject": {name: value for name, value in involved.items() if value},
        "reason": same.reason,
        "message": same.message,
        "type": same.type,
        "source": {"component": component},
    }
