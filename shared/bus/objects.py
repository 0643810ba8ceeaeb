"""Content-addressed bytes: put once under their own SHA-256, read by anyone, gone after their time.

One message per object up to `CHUNK`; larger ones are cut, each piece under the object's digest and its number, and the
head that makes them readable comes last. Storing what exists is refused by the server itself, so a second put costs one
round trip and writes nothing. It is a cache: who reads must be able to make the object again.
"""

import asyncio
import hashlib
from collections.abc import Iterator

import orjson
from nats.aio.msg import Msg

from shared.bus import streams
from shared.bus.errors import BusError, Corrupted, ObjectMissing, StreamMissing
from shared.bus.link import Link, NobodyListens
from shared.events import token

CHUNK = 512 * 1024
CHUNKS = "tiphys-chunks"
ONLY_IF_NEW = "Nats-Expected-Last-Subject-Sequence"
AT_ONCE = 4
LIFETIME = 7 * streams.DAY
LIFETIMES = {"replies": 3600.0}
PATIENCE = 30.0


def stream(bucket: str) -> streams.Stream:
    return streams.Stream(
        f"OBJECTS_{bucket}",
        (f"objects.{token(bucket)}.>",),
        max_age=LIFETIMES.get(bucket, LIFETIME),
        per_subject=1,
        compression="s2",
    )


def _pieces(data: bytes) -> Iterator[bytes]:
    return (data[start : start + CHUNK] for start in range(0, len(data), CHUNK))


class Objects:
    def __init__(self, link: Link, bucket: str) -> None:
        self._link = link
        self._stream = stream(bucket)
        self._prefix = f"objects.{token(bucket)}"
        self._ensured = False

    async def ensure(self) -> None:
        await streams.ensure(self._link, self._stream)
        self._ensured = True

    async def put(self, data: bytes) -> str:
        if not self._ensured:
            await self.ensure()
        digest = hashlib.sha256(data).hexdigest()
        if len(data) <= CHUNK:
            await self._store(digest, data, 0)
        elif not await self.has(digest):
            await self._put_in_pieces(digest, data)
        return digest

    async def _put_in_pieces(self, digest: str, data: bytes) -> None:
        pieces = list(enumerate(_pieces(data)))
        for start in range(0, len(pieces), AT_ONCE):
            batch = pieces[start : start + AT_ONCE]
            await asyncio.gather(*(self._store(f"{digest}.{number}", piece, 0) for number, piece in batch))
        await self._store(digest, b"", len(pieces))

    async def _store(self, name: str, data: bytes, chunks: int) -> None:
        headers = {ONLY_IF_NEW: "0", CHUNKS: str(chunks)}
        try:
            reply = await self._link.ask(f"{self._prefix}.{name}", data, headers, within=PATIENCE, each=5, lonely=1)
        except (NobodyListens, TimeoutError):
            await self.ensure()
            reply = await self._again(name, data, headers)
        failed = orjson.loads(reply.data).get("error")
        if failed and failed.get("err_code") != streams.WRONG_LAST_SEQUENCE:
            raise BusError(f"object not stored: {failed.get('description', 'refused')}")

    async def _again(self, name: str, data: bytes, headers: dict[str, str]) -> Msg:
        try:
            return await self._link.ask(f"{self._prefix}.{name}", data, headers, within=PATIENCE, each=5)
        except (NobodyListens, TimeoutError) as error:
            raise StreamMissing(f"{self._stream.name} takes no objects; is JetStream's storage full?") from error

    async def get(self, digest: str) -> bytes:
        head = await self._read(digest)
        chunks = int((head.headers or {}).get(CHUNKS, "0"))
        data = b"".join([await self._join(digest, chunks)] if chunks else [head.data])
        if hashlib.sha256(data).hexdigest() != digest:
            raise Corrupted(f"object {digest} has other bytes than its digest says")
        return data

    async def _join(self, digest: str, chunks: int) -> bytes:
        parts = []
        for start in range(0, chunks, AT_ONCE):
            numbers = range(start, min(start + AT_ONCE, chunks))
            parts += await asyncio.gather(*(self._read(f"{digest}.{number}") for number in numbers))
        return b"".join(part.data for part in parts)

    async def has(self, digest: str) -> bool:
        try:
            await self._read(digest)
        except ObjectMissing:
            return False
        return True

    async def _read(self, name: str) -> Msg:
        """The last message under a subject, straight from the stream."""
        subject = f"$JS.API.DIRECT.GET.{self._stream.name}.{self._prefix}.{name}"
        if not self._ensured:
            await self.ensure()
        try:
            message = await self._link.ask(subject, b"", within=15, each=2, lonely=1)
        except (NobodyListens, TimeoutError) as error:
            await self.ensure()
            raise ObjectMissing(f"no object {name}") from error
        if (message.headers or {}).get("Status"):
            raise ObjectMissing(f"no object {name}")
        return message
