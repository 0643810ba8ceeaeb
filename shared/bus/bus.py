"""The bus as services hold it: publish and consume events, ask and answer, objects, keys, history.

Everything here outlives a restart of the server. What can't succeed in its time raises one of `errors`; nothing is
dropped silently.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Literal, NamedTuple, TypeVar

import orjson
from nats.aio.msg import Msg

from shared.bus import dead, measures, rpc, streams, tail
from shared.bus.consume import Consumption, E, Handler, Settler
from shared.bus.envelope import Envelope, Headers, headers_of
from shared.bus.errors import BusError, ObjectMissing, StreamMissing
from shared.bus.kv import Kv
from shared.bus.link import Link, NobodyListens, OnState, linked
from shared.bus.objects import Objects
from shared.bus.pull import Puller, work
from shared.events import Asks, Event, Message
from shared.telemetry import get_logger

log = get_logger()
Reply = TypeVar("Reply")
Question = TypeVar("Question", bound=Asks[Any])


class Published(NamedTuple):
    stream: str
    sequence: int
    duplicate: bool


class Bus:
    """One connection, shared by everything in the process; `named` gives each service its own voice on it."""

    def __init__(self, link: Link, service: str, buckets: dict[str, Objects] | None = None) -> None:
        self._link = link
        self._service = service
        self._buckets: dict[str, Objects] = {} if buckets is None else buckets

    @property
    def connected(self) -> bool:
        return self._link.connected

    def named(self, service: str) -> "Bus":
        return Bus(self._link, service, self._buckets)

    async def publish(self, event: Event, *, timeout: float = 15.0) -> Published:  # noqa: ASYNC109
        """Returns once the stream has it; raises Disconnected, StreamMissing or TooLarge. Safe to repeat."""
        outcome = "failed"
        try:
            data, headers = event.to_bytes(), headers_of(event, self._service)
            result = await self._store(event.subject(), data, headers, timeout)
            outcome = "duplicate" if result.duplicate else "stored"
        finally:
            measures.published.labels(event.kind, outcome).inc()
        return result

    async def _store(self, subject: str, data: bytes, headers: Headers, within: float) -> Published:
        answer = orjson.loads((await self._stored(subject, data, headers, within)).data)
        if failed := answer.get("error"):
            raise BusError(f"{subject} not stored: {failed.get('description', 'refused')}")
        return Published(answer["stream"], answer["seq"], answer.get("duplicate", False))

    async def _stored(self, subject: str, data: bytes, headers: Headers, within: float) -> Msg:
        """The server's answer. Where no stream takes the subject it went with the server's disk: it is made again."""
        deadline = time.monotonic() + within
        while True:
            left = deadline - time.monotonic()
            try:
                return await self._link.ask(subject, data, headers, within=max(left, 0.001), each=2.0, lonely=1.0)
            except (NobodyListens, TimeoutError) as error:
                if time.monotonic() >= deadline:
                    why = f"no stream takes {subject}; does the NATS server run JetStream?"
                    raise StreamMissing(why) from error
            await streams.ensure_streams(self._link)

    async def consume(
        self,
        event: type[E],
        durable: str,
        handler: Handler[E],
        *,
        subject: str | None = None,
        concurrency: int = 1,
        max_deliver: int = 5,
        ack_wait: float = 15.0,
        time_limit: float = 600.0,
        first_pause: float = 0.5,
        start: Literal["all", "new"] | datetime = "all",
        forgotten_after: float | None = None,
    ) -> None:
        """Handle events until cancelled; replicas that use the same durable share them.

        `forgotten_after`: the server forgets the durable that many seconds after its last reader went, for readers of
        which each needs every event. One that comes back after that goes on where it was.
        """
        pattern = subject or event.filter
        plan = Consumption(
            event=event,
            stream=streams.stream_of(pattern),
            durable=durable,
            subject=pattern,
            concurrency=concurrency,
            max_deliver=max_deliver,
            ack_wait=ack_wait,
            time_limit=time_limit,
            first_pause=first_pause,
            start=start,
            forgotten_after=forgotten_after,
        )
        puller = Puller(self._link, plan)
        settler = Settler(self._link, plan, handler)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(puller.run())
                tasks.create_task(puller.keep_alive())
                for _ in range(concurrency):
                    tasks.create_task(work(puller, settler.take))
        finally:
            await puller.end()

    async def request(self, question: Asks[Reply], *, timeout: float = 30.0) -> Reply:  # noqa: ASYNC109
        """The answer; raises RequestError and nothing else."""
        return await rpc.request(self._link, question, patience=timeout)

    async def serve(
        self,
        question: type[Question],
        handler: Callable[[Question], Awaitable[Message]],
        *,
        queue: str = "tiphys",
        concurrency: int = 64,
    ) -> None:
        """Answer questions until cancelled; servers with the same queue share them."""
        await rpc.serve(self._link, question, handler, queue=queue, limit=concurrency)

    async def put_object(self, bucket: str, data: bytes) -> str:
        """Store bytes under their SHA-256; costs one round trip when they are there already."""
        return await self._objects(bucket).put(data)

    async def get_object(self, bucket: str, digest: str) -> bytes:
        """Raises ObjectMissing: the store is a cache, so be ready to make the object again."""
        return await self._objects(bucket).get(digest)

    async def has_object(self, bucket: str, digest: str) -> bool:
        return await self._objects(bucket).has(digest)

    def _objects(self, bucket: str) -> Objects:
        if bucket not in self._buckets:
            self._buckets[bucket] = Objects(self._link, bucket)
        return self._buckets[bucket]

    async def kv(self, bucket: str, *, lifetime: float | None = None) -> Kv:
        store = Kv(self._link, bucket, lifetime)
        await store.ensure()
        return store

    def replay(
        self, subject_filter: str, *, since: datetime | None = None, after: int = 0, follow: bool = False
    ) -> AsyncIterator[Envelope]:
        """Stored messages, oldest first, up to the newest; with `follow` it goes on with what comes."""
        return tail.history(self._link, subject_filter, since=since, after=after, follow=follow)

    def watch_live(self, subject_filter: str) -> AsyncIterator[Envelope]:
        """What passes from now on, the moment it passes."""
        return tail.live(self._link, subject_filter)

    async def dead_letters(self) -> AsyncIterator[dead.DeadLetter]:
        async for envelope in tail.history(self._link, "dead.>"):
            yield dead.read(envelope)

    async def replay_dead(self, sequence: int) -> dead.DeadLetter:
        """Give a dead letter to its durable again and take it off the list."""
        envelope = await anext(tail.history(self._link, "dead.>", after=sequence - 1), None)
        if envelope is None or envelope.sequence != sequence:
            raise ObjectMissing(f"no dead letter {sequence}")
        letter = dead.read(envelope)
        if letter.cut:
            raise BusError(f"dead letter {sequence} was cut when it was stored and can't be replayed")
        await self._store(letter.subject, letter.data, dead.again(letter), 15.0)
        await streams.api(self._link, f"STREAM.MSG.DELETE.{streams.DEAD.name}", {"seq": sequence})
        return letter


def _report(on_state: OnState | None) -> OnState:
    def changed(up: bool, why: str) -> None:
        measures.connected.set(up)
        if on_state is not None:
            on_state(up, why)

    return changed


@asynccontextmanager
async def connect(
    url: str, *, service: str, patience: float = 30.0, on_state: OnState | None = None
) -> AsyncIterator[Bus]:
    """A bus with its streams; raises Disconnected when no server answers within `patience` seconds."""
    async with linked(url, f"tiphys-{service}-{os.getpid()}", _report(on_state), patience) as link:
        await streams.ensure_streams(link)
        yield Bus(link, service)
