"""Small shared facts: a key, its value, and the revision that guards it (leases, holds, joins).

A bucket is a JetStream stream in the layout of NATS' key-value buckets, so `nats kv` can read it. Writes name the
revision they build on; when someone else was faster, `Conflict` says so.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import orjson
from nats.aio.msg import Msg

from shared.bus import streams
from shared.bus.errors import BusError, Conflict, Disconnected, StreamMissing
from shared.bus.link import Link, Lost, NobodyListens
from shared.bus.streams import Stream
from shared.bus.tail import batch

ONLY_AFTER = "Nats-Expected-Last-Subject-Sequence"
OPERATION = "KV-Operation"
GONE = ("DEL", "PURGE")
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_/")


@dataclass(frozen=True, slots=True)
class Entry:
    key: str
    value: bytes
    revision: int


def key(*names: str) -> str:
    """A valid key of any names, one token each."""
    return ".".join("".join(c if c in _PLAIN else f"={ord(c):x}=" for c in name) or "=" for name in names)


class Kv:
    """`lifetime`: seconds after which an entry that nobody renews is gone; None keeps it."""

    def __init__(self, link: Link, bucket: str, lifetime: float | None) -> None:
        self._link = link
        self._bucket = bucket
        self._stream = Stream(f"KV_{bucket}", (f"$KV.{bucket}.>",), max_age=lifetime or 0, per_subject=1)

    def config(self) -> dict[str, Any]:
        extra = {"discard": "new", "allow_rollup_hdrs": True, "deny_delete": True}
        lifetime = int(self._stream.max_age * streams.NANOSECOND)
        window = min(lifetime, 120 * streams.NANOSECOND) if lifetime else 120 * streams.NANOSECOND
        return self._stream.config() | extra | {"duplicate_window": window}

    async def ensure(self) -> None:
        try:
            await streams.api(self._link, f"STREAM.CREATE.{self._stream.name}", self.config())
        except streams.ApiError as error:
            if error.error_code != streams.NAME_IN_USE:
                raise

    async def get(self, name: str) -> Entry | None:
        subject = f"$JS.API.DIRECT.GET.{self._stream.name}.$KV.{self._bucket}.{name}"
        try:
            message = await self._link.ask(subject, b"", within=15, each=2, lonely=1)
        except (NobodyListens, TimeoutError) as error:
            raise StreamMissing(f"no bucket {self._bucket!r} at the NATS server") from error
        headers = message.headers or {}
        if headers.get("Status") or headers.get(OPERATION) in GONE:
            return None
        return Entry(name, message.data, int(headers["Nats-Sequence"]))

    async def put(self, name: str, value: bytes) -> int:
        return await self._write(name, value, {})

    async def create(self, name: str, value: bytes) -> int:
        """Raises Conflict when the key has a value; one that was deleted may be created again."""
        try:
            return await self._write(name, value, {ONLY_AFTER: "0"})
        except Conflict:
            if await self.get(name) is not None:
                raise
            return await self._write(name, value, {ONLY_AFTER: str(await self._last(name))})

    async def update(self, name: str, value: bytes, revision: int) -> int:
        return await self._write(name, value, {ONLY_AFTER: str(revision)})

    async def delete(self, name: str, revision: int | None = None) -> None:
        guard = {} if revision is None else {ONLY_AFTER: str(revision)}
        await self._write(name, b"", guard | {OPERATION: "DEL"})

    async def entries(self) -> AsyncIterator[Entry]:
        """Every key that has a value now."""
        info = await streams.api(self._link, f"STREAM.INFO.{self._stream.name}", {"subjects_filter": ">"})
        prefix = f"$KV.{self._bucket}."
        for subject in info["state"].get("subjects") or {}:
            entry = await self.get(subject.removeprefix(prefix))
            if entry is not None:
                yield entry

    async def snapshot(self) -> dict[str, Entry]:
        """Every key that has a value, as all of them were at one moment; one round trip."""
        prefix = f"$KV.{self._bucket}."
        try:
            found = await batch(await self._link.connection(15), self._stream.name, {"multi_last": [f"{prefix}>"]})
        except Lost as error:
            raise Disconnected("the connection to NATS broke") from error
        return {
            (name := one.subject.removeprefix(prefix)): Entry(name, one.data, one.sequence)
            for one in found.envelopes
            if one.sequence is not None and one.headers.get(OPERATION) not in GONE
        }

    async def _last(self, name: str) -> int:
        message = await self._link.ask(
            f"$JS.API.DIRECT.GET.{self._stream.name}.$KV.{self._bucket}.{name}", b"", within=5, each=2
        )
        return int((message.headers or {}).get("Nats-Sequence", "0"))

    async def _again(self, subject: str, value: bytes, headers: dict[str, str]) -> Msg:
        try:
            return await self._link.ask(subject, value, headers or None, within=10, each=5)
        except (NobodyListens, TimeoutError) as error:
            raise StreamMissing(f"no bucket {self._bucket!r} at the NATS server") from error

    async def _write(self, name: str, value: bytes, headers: dict[str, str]) -> int:
        subject = f"$KV.{self._bucket}.{name}"
        try:
            reply = await self._link.ask(subject, value, headers or None, within=15, each=5, lonely=1)
        except (NobodyListens, TimeoutError):
            await self.ensure()
            reply = await self._again(subject, value, headers)
        answer = orjson.loads(reply.data)
        if failed := answer.get("error"):
            if failed.get("err_code") == streams.WRONG_LAST_SEQUENCE:
                raise Conflict(f"{self._bucket}/{name} was changed by someone else")
            raise BusError(f"{self._bucket}/{name} not written: {failed.get('description')}")
        return int(answer["seq"])
