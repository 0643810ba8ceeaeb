"""A kind's objects, kept current: list in pages, then watch, resume, and list again when the server has forgotten
where we were.

In: a resource, a selector, `decode` from an object's bytes. Out: `store`, and one synchronous call for each real
change, with the object before and after. What happened while we were disconnected is made up for: missing objects
are reported as deleted, an object that was made anew under its name as deleted and added, an unchanged one (same
resourceVersion) not at all. A failure leaves the store as it is: what could not be listed is unknown, never empty.
Only where the API server says that it has the kind no more are its objects gone with it.
An object that can't be decoded (ValueError) is logged and keeps its last good value. Never: a write, a copy of the
objects as dicts.
"""

import asyncio
import random
from collections.abc import Callable
from enum import StrEnum
from time import monotonic
from typing import Generic, NamedTuple, TypeVar

import msgspec

from shared.kube import wire
from shared.kube.client import JSON, Cluster
from shared.kube.discovery import Resource, unserved
from shared.kube.errors import ApiError, Gone, NotFound, ServerTimeout, from_status
from shared.kube.projection import newer
from shared.kube.verbs import path
from shared.telemetry import get_logger, metrics

T = TypeVar("T")
PAGE = 500
FIRST_PAUSE, LONGEST_PAUSE, SHORT_LIFE = 0.1, 15.0, 1.0
PARTIAL = "application/json;as={};g=meta.k8s.io;v=v1"
log = get_logger()
_changes = metrics.counter("kube_changes", "Objects that informers saw change", ("kind",))
_lists = metrics.counter("kube_lists", "Whole lists that informers read", ("kind",))


class EventType(StrEnum):
    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"


class Key(NamedTuple):
    """`namespace` is empty for cluster-scoped kinds."""

    namespace: str
    name: str


class _Seen(NamedTuple):
    version: str
    uid: str


class _Decoded(NamedTuple, Generic[T]):
    value: T


Raw = msgspec.Raw | bytes
OnEvent = Callable[[EventType, Key, T, T | None], None]


class Informer(Generic[T]):
    """One list and watch. `synced`: the first whole list is in. `problem`: the last failure, until contact is back."""

    def __init__(
        self,
        cluster: Cluster,
        resource: Resource,
        decode: Callable[[bytes], T],
        *,
        namespace: str | None = None,
        label_selector: str | None = None,
        field_selector: str | None = None,
        metadata_only: bool = False,
        page_size: int = PAGE,
        idle: float = 120.0,
    ) -> None:
        self.resource = resource
        self.store: dict[Key, T] = {}
        self.synced = asyncio.Event()
        self.problem: ApiError | None = None
        self.last_contact = float("-inf")
        self._cluster = cluster
        self._decode = decode
        self._path = path(resource, namespace)
        selectors = {"labelSelector": label_selector or "", "fieldSelector": field_selector or ""}
        self._selectors = {name: value for name, value in selectors.items() if value}
        self._metadata_only = metadata_only
        self._page_size = page_size
        self._idle = idle
        self._count = _changes.labels(resource.kind)
        self._seen: dict[Key, _Seen] = {}
        self._noted: set[Key] = set()
        self._on_event: OnEvent[T] | None = None
        self._version: str | None = None
        self._turned = asyncio.Event()
        self._type = f'{{"apiVersion":"{resource.api_version}","kind":"{resource.kind}",'.encode()

    async def run(self, on_event: OnEvent[T] | None = None) -> None:
        """List and watch until cancelled."""
        self._on_event = on_event
        pause = FIRST_PAUSE
        while True:
            began = monotonic()
            failure = await self._turn()
            lived = self.last_contact > began
            pause = FIRST_PAUSE if lived else min(pause * 2, LONGEST_PAUSE)
            if failure is not None and failure.retry_after:
                await asyncio.sleep(failure.retry_after * random.uniform(1.0, 1.5))  # noqa: S311
            elif failure is not None or monotonic() - began < SHORT_LIFE:
                await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311

    async def listed(self, timeout: float = 60.0) -> None:  # noqa: ASYNC109
        """Wait for the first whole list. Raises what keeps it from coming, at once when that will not pass."""
        try:
            async with asyncio.timeout(timeout):
                while not self.synced.is_set():
                    if self.problem is not None and not self.problem.retriable:
                        raise self.problem
                    self._turned.clear()
                    await self._turned.wait()
        except TimeoutError as error:
            late = ServerTimeout(f"{self.resource.plural} were not listed within {timeout:.0f} s")
            raise self.problem or late from error

    def note(self, raw: bytes) -> None:
        """Take the answer of a write as if the watch had brought it already; what the watch is past changes nothing."""
        head = wire.HEAD.decode(raw)
        if self._version is None or newer(head.metadata.resourceVersion, self._version):
            self._noted.add(self._take(raw, head))

    async def _turn(self) -> ApiError | None:
        """List if need be and watch once; gives the failure that ended it."""
        try:
            if self._version is None:
                self._version = await self._list()
            await self._watch(self._version)
        except Gone:
            self._version = None
        except ApiError as error:
            if isinstance(error, NotFound) and self._seen and await unserved(self._cluster, self.resource):
                self._forget()  # the watch may have ended before it told of the last objects
            if any(cause.reason == "ResourceVersionTooLarge" for cause in error.causes):
                self._version = None
            self._failed(error)
            return error
        return None

    def _forget(self) -> None:
        """Report everything as deleted; what comes back is listed anew."""
        self._version = None
        for key in list(self._seen):
            self._drop(key)

    def _failed(self, error: ApiError) -> None:
        if self.problem is None or self.problem.reason != error.reason:
            log.warning("watching is interrupted", kind=self.resource.kind, path=self._path, error=error.message)
        self.problem = error
        self._turned.set()

    def _contact(self) -> None:
        self.last_contact = monotonic()
        self.problem = None

    async def _list(self) -> str:
        """Bring the store up to what the server has; gives the version to watch from."""
        try:
            return await self._list_pages(self._page_size)
        except Gone:
            return await self._list_pages(0)

    async def _list_pages(self, size: int) -> str:
        present: set[Key] = set()
        self._noted.clear()
        params = {**self._selectors, "limit": str(size)} if size else dict(self._selectors)
        while True:
            accept = f"{PARTIAL.format('PartialObjectMetadataList')},{JSON}" if self._metadata_only else JSON
            page = wire.PAGE.decode(
                await self._cluster.request("GET", self._path, params=params, accept=accept, timeout=120)
            )
            self._contact()
            present.update(self._listed(raw, page.metadata.resourceVersion) for raw in page.items or ())
            if not page.metadata.token:
                break
            params["continue"] = page.metadata.token
        for key in self._seen.keys() - present:
            if not self._noted_after(key, page.metadata.resourceVersion):
                self._drop(key)
        _lists.labels(self.resource.kind).inc()
        self.synced.set()
        self._turned.set()
        return page.metadata.resourceVersion

    async def _watch(self, version: str) -> None:
        seconds = random.randint(240, 480)  # noqa: S311  # so that not all watches end together
        params = {
            **self._selectors,
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(seconds),
        }
        accept = f"{PARTIAL.format('PartialObjectMetadata')},{JSON}" if self._metadata_only else JSON
        async with self._cluster.stream(self._path, params=params, accept=accept, idle=self._idle) as batches:
            async for lines in batches:
                self._contact()
                for line in lines:
                    if line:
                        self._line(line)

    def _line(self, line: bytes) -> None:
        event = wire.LINE.decode(line)
        if event.type == "ERROR":
            raise from_status(bytes(event.object))
        head = wire.HEAD.decode(event.object)
        if event.type == "DELETED":
            self._deleted(event.object, head)
        elif event.type != "BOOKMARK":
            self._take(event.object, head)
        self._version = head.metadata.resourceVersion

    def _listed(self, raw: msgspec.Raw, version: str) -> Key:
        """Take one item of a list. A list may go back in time, as after a restore."""
        head = wire.HEAD.decode(raw)
        key = Key(head.metadata.namespace, head.metadata.name)
        return self._take(raw, head, back=not self._noted_after(key, version))

    def _noted_after(self, key: Key, version: str) -> bool:
        """Whether a write that a list of this version can't show was noted since that list began."""
        known = self._seen.get(key)
        return known is not None and key in self._noted and newer(known.version, version)

    def _take(self, raw: Raw, head: wire.Head, *, back: bool = False) -> Key:
        """Keep one object as it is now, and say so unless it is known like that or, without `back`, newer."""
        meta = head.metadata
        key, seen = Key(meta.namespace, meta.name), _Seen(meta.resourceVersion, meta.uid)
        known = self._seen.get(key)
        if known == seen:
            return key
        if known is not None and known.uid == seen.uid and not back and not newer(seen.version, known.version):
            return key
        if known is not None and known.uid != seen.uid:
            self._drop(key)
        self._seen[key] = seen
        if (decoded := self._decoded(key, raw, head)) is None:
            return key
        type_ = EventType.MODIFIED if key in self.store else EventType.ADDED
        old = self.store.get(key)
        self.store[key] = decoded.value
        self._say(type_, key, decoded.value, old)
        return key

    def _decoded(self, key: Key, raw: Raw, head: wire.Head) -> "_Decoded[T] | None":
        """None when it can't be decoded. Items of lists get the type that the server left out."""
        data = bytes(raw)
        if not head.kind:
            data = self._type + data[1:]
        try:
            return _Decoded(self._decode(data))
        except ValueError as error:
            log.warning(
                "an object can't be read",
                kind=self.resource.kind,
                namespace=key.namespace,
                name=key.name,
                error=str(error),
            )
            return None

    def _deleted(self, raw: msgspec.Raw, head: wire.Head) -> None:
        key = Key(head.metadata.namespace, head.metadata.name)
        known = self._seen.get(key)
        if known is None or known.uid != head.metadata.uid:
            return
        del self._seen[key]
        if key not in self.store:
            return
        decoded = self._decoded(key, raw, head)
        old = self.store.pop(key)
        self._say(EventType.DELETED, key, decoded.value if decoded else old, old)

    def _drop(self, key: Key) -> None:
        """Report as deleted what went away unseen."""
        self._seen.pop(key, None)
        if key in self.store:
            old = self.store.pop(key)
            self._say(EventType.DELETED, key, old, old)

    def _say(self, type_: EventType, key: Key, obj: T, old: T | None) -> None:
        self._count.inc()
        if self._on_event is not None:
            self._on_event(type_, key, obj, old)
