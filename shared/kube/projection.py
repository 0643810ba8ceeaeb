"""Compact values to cache by the hundred thousand: typed metadata, the rest as the bytes that came.

In: an object's JSON bytes. Out: `LiveObject` (metadata decoded, body on demand) or `Metadata` alone.
Usable as an informer's `decode`. Never: dicts that are kept.
"""

# ruff: noqa: N815

import sys
from typing import Any

import msgspec
import orjson

Obj = dict[str, Any]


class Owner(msgspec.Struct, frozen=True, gc=False):
    apiVersion: str = ""
    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool = False
    blockOwnerDeletion: bool = False


class Metadata(msgspec.Struct, frozen=True):
    """What is known of an object without its body; managedFields are left out."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resourceVersion: str = ""
    generation: int = 0
    creationTimestamp: str = ""
    deletionTimestamp: str | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    finalizers: tuple[str, ...] = ()
    ownerReferences: tuple[Owner, ...] = ()


class _Partial(msgspec.Struct):
    metadata: Metadata
    apiVersion: str = ""
    kind: str = ""


class LiveObject(msgspec.Struct, frozen=True, gc=False):
    """One object: `raw` is its whole JSON, parsed by `load()` each time it is asked for."""

    api_version: str
    kind: str
    meta: Metadata
    raw: bytes

    def load(self) -> Obj:
        """Parse the body, a new dict each time."""
        found: Obj = msgspec.json.decode(self.raw)
        return found


_partial = msgspec.json.Decoder(_Partial)


def live_object(raw: bytes) -> LiveObject:
    """Decode for an informer that keeps bodies."""
    found = _partial.decode(raw)
    return LiveObject(sys.intern(found.apiVersion), sys.intern(found.kind), found.metadata, raw)


def metadata(raw: bytes) -> Metadata:
    """Decode for an informer with `metadata_only`."""
    return _partial.decode(raw).metadata


def compact(obj: Obj) -> bytes:
    """Give the JSON to keep of an object: a copy, for what orjson gives holds several times its length."""
    return bytes(memoryview(orjson.dumps(obj)))


def newer(left: str, right: str) -> bool:
    """Whether resource version `left` is later than `right`; true when either is no number."""
    return int(left) > int(right) if left.isdigit() and right.isdigit() else True
