"""Reading streams without a consumer: history for traces and replays, and what happens right now.

History is read by direct get in batches, from a sequence on: nothing is left at the server, and a broken connection
costs one batch. Live messages come from a plain subscription: what passes while the connection is down is not seen
(`history(follow=True)` is for those who need every one).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from nats.aio.msg import Msg

from shared.bus.envelope import Envelope
from shared.bus.errors import StreamMissing
from shared.bus.link import Connection, Link, Lost
from shared.bus.streams import stream_of
from shared.clock import parse_rfc3339

BATCH = 256
QUIET = 5.0
STORED_WITHIN = (0.05, 1.0)
OWN = ("Nats-Stream", "Nats-Subject", "Nats-Sequence", "Nats-Time-Stamp", "Nats-Num-Pending", "Nats-Last-Sequence")


class Batch(NamedTuple):
    envelopes: list[Envelope]
    pending: int


def _stored(message: Msg) -> Envelope:
    headers = message.headers or {}
    return Envelope(
        subject=headers["Nats-Subject"],
        data=message.data,
        headers={name: value for name, value in headers.items() if name not in OWN},
        sequence=int(headers["Nats-Sequence"]),
        at=parse_rfc3339(headers["Nats-Time-Stamp"]),
    )


async def batch(connection: Connection, stream: str, what: dict[str, Any]) -> Batch:
    """One direct-get batch; the server ends it with an empty 204 that tells how much more there is."""
    arrived: asyncio.Queue[Msg | None] = asyncio.Queue()

    async def on_message(message: Msg) -> None:
        arrived.put_nowait(message)

    def on_lost() -> None:
        arrived.put_nowait(None)

    inbox = connection.client.new_inbox()
    envelopes: list[Envelope] = []
    async with connection.subscribed(inbox, on_message, on_lost=on_lost):
        await connection.publish(f"$JS.API.DIRECT.GET.{stream}", orjson.dumps(what), reply=inbox)
        while True:
            message = await _next(arrived)
            status = (message.headers or {}).get("Status", "")
            if not status:
                envelopes.append(_stored(message))
            elif status == "204":
                return Batch(envelopes, int((message.headers or {}).get("Nats-Num-Pending", 0)))
            elif status == "404":
                return Batch(envelopes, 0)
            else:
                raise StreamMissing(f"{stream} can't be read: {status}")


async def _next(arrived: "asyncio.Queue[Msg | None]") -> Msg:
    try:
        async with asyncio.timeout(QUIET):
            message = await arrived.get()
    except TimeoutError as error:
        raise StreamMissing("the stream does not answer a read") from error
    if message is None:
        raise Lost
    return message


@asynccontextmanager
async def _bell(link: Link, subject: str) -> AsyncIterator[asyncio.Event]:
    """Rings when a message for the subject passes, and when the connection changes."""
    rung = asyncio.Event()

    async def ring(_message: Msg) -> None:
        rung.set()
        for later in STORED_WITHIN:  # a subscription hears a message before its stream has stored it
            asyncio.get_running_loop().call_later(later, rung.set)

    async def listen() -> None:
        while True:
            connection = await link.connection(None)
            with suppress(Lost):
                async with connection.subscribed(subject, ring):
                    rung.set()
                    await connection.lost.wait()

    listening = asyncio.create_task(listen())
    try:
        yield rung
    finally:
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening


async def history(
    link: Link, subject: str, *, since: datetime | None = None, after: int = 0, follow: bool = False
) -> AsyncIterator[Envelope]:
    """What a stream holds for a subject pattern, oldest first; with `follow` also what comes, until cancelled."""
    where: dict[str, Any] = {"start_time": since.isoformat()} if since and not after else {"seq": after + 1}
    async with _bell(link, subject) as rung:
        while True:
            rung.clear()
            try:
                what = {"batch": BATCH, "next_by_subj": subject, **where}
                found = await batch(await link.connection(30), stream_of(subject), what)
            except Lost:
                continue
            for envelope in found.envelopes:
                yield envelope
                where = {"seq": envelope.sequence + 1}
            if not found.pending:
                if not follow:
                    return
                await rung.wait()


async def live(link: Link, subject: str, *, buffer: int = 10_000) -> AsyncIterator[Envelope]:
    """What passes from now on. A reader that falls behind by more than `buffer` messages loses the oldest."""
    arrived: asyncio.Queue[Envelope] = asyncio.Queue()

    async def on_message(message: Msg) -> None:
        if arrived.qsize() >= buffer:
            arrived.get_nowait()
        arrived.put_nowait(Envelope(message.subject, message.data, dict(message.headers or {})))

    async def listen() -> None:
        while True:
            connection = await link.connection(None)
            with suppress(Lost):
                async with connection.subscribed(subject, on_message):
                    await connection.lost.wait()

    listening = asyncio.create_task(listen())
    try:
        while True:
            yield await arrived.get()
    finally:
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
