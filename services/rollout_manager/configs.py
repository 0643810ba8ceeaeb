"""The ConfigMaps and Secrets of namespaces where Rollouts track them: watched from the first time that one asks, kept
as digests, never as values.

A digest is keyed (HMAC) with a key that lies in a Secret beside the rollout manager's Lease, so that nobody who sees it
in a pod's annotation can try out what a Secret may hold. A change that leaves the values as they are is none.
"""

import asyncio
import base64
import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any

import orjson

from services.rollout_manager.keys import Obj, Ref
from services.rollout_manager.labels import FIELD_MANAGER
from services.rollout_manager.objects import Objects
from services.rollout_manager.tracking import OFF, TRACK
from shared.kinds.wire import InvalidObject
from shared.kube import AlreadyExists, EventType, Informer, Key, NotFound, verbs

KEY = "tiphys-config-key"
LENGTH = 32
SHOWN = 16
SETTLE = 1.0  # a sync writes configuration and Rollout one after the other: together they are one revision
KINDS = ("ConfigMap", "Secret")


def digest(key: bytes, raw: bytes) -> str:
    """Of an object's values; empty for one that does not want to be tracked."""
    obj = orjson.loads(raw)
    metadata = obj["metadata"]
    if (metadata.get("annotations") or {}).get(TRACK) == OFF:
        return ""
    values = [metadata.get("namespace"), metadata["name"], obj.get("data") or {}, obj.get("binaryData") or {}]
    return hmac.digest(key, orjson.dumps(values, option=orjson.OPT_SORT_KEYS), hashlib.sha256).hex()[:SHOWN]


class Configs:
    """One instance a process. `wake` is told of each object whose values changed; `home` gives the key's namespace."""

    def __init__(self, objects: Objects, wake: Callable[[Ref], None], home: Callable[[], Awaitable[str]]) -> None:
        self._objects = objects
        self._wake = wake
        self._home = home
        self._key = b""
        self._watched: dict[tuple[str, str], Informer[str]] = {}
        self._lock = asyncio.Lock()

    async def digests(self, refs: Iterable[Ref]) -> dict[Ref, str | None]:
        """None: there is no such object. What does not want to be tracked is left out. Raises ApiError."""
        found: dict[Ref, str | None] = {}
        for ref in refs:
            known = (await self._watch(ref.kind, ref.namespace)).store.get(Key(ref.namespace, ref.name))
            if known != "":
                found[ref] = known
        return found

    async def _watch(self, kind: str, namespace: str) -> Informer[str]:
        async with self._lock:
            known = self._watched.get((kind, namespace))
            if known is None:
                self._key = self._key or await self._read_key()
                resource = await self._objects.discovery.resource("", kind)
                known = Informer(self._objects.cluster, resource, partial(digest, self._key), namespace=namespace)
                await self._objects.start(known, partial(self._hear, kind))
                self._watched[kind, namespace] = known
            return known

    def _hear(self, kind: str, _type: EventType, key: Key, new: str, old: str | None) -> None:
        if new != old or _type is EventType.DELETED:
            asyncio.get_running_loop().call_later(SETTLE, self._wake, Ref("", kind, *key))

    async def _read_key(self) -> bytes:
        """The key, made once for all who come after. Raises ApiError, InvalidObject."""
        resource, home = await self._objects.discovery.resource("", "Secret"), await self._home()
        made: Obj = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": KEY, "namespace": home}}
        made["data"] = {"key": base64.b64encode(secrets.token_bytes(LENGTH)).decode()}
        try:
            found = await verbs.get(self._objects.cluster, resource, home, KEY)
        except NotFound:
            try:
                found = await verbs.create(self._objects.cluster, resource, made, manager=FIELD_MANAGER)
            except AlreadyExists:
                found = await verbs.get(self._objects.cluster, resource, home, KEY)
        return key_of(found)


def key_of(secret: dict[str, Any]) -> bytes:
    found = base64.b64decode((secret.get("data") or {}).get("key") or "")
    if len(found) < LENGTH:  # digests would tell what they are of
        place = f"{secret['metadata']['namespace']}/{KEY}"
        raise InvalidObject((f"the Secret {place} has no key of {LENGTH} bytes: delete it, and another one is made",))
    return found
