"""Bringing messages from a durable consumer to its workers, for as long as the process lives.

One inbox per connection; requests for messages stand at the server, so that a message arrives the moment it is stored:
nothing polls. `asked` counts what we requested and have not got, `held` what we have and have not settled. When their
sum falls to half the window, more is asked for. A missing heartbeat, a deleted consumer or a broken connection ends the
session; the next one makes sure of stream and consumer and starts from a clean count.
"""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

import orjson
from nats.aio.msg import Msg

from shared.bus import streams
from shared.bus.consume import Consumption, E, settle
from shared.bus.errors import BusError
from shared.bus.link import Connection, Link, Lost, pause
from shared.telemetry import get_logger

log = get_logger()
EXPIRES, HEARTBEAT = 30.0, 5.0
REFUSED_PAUSE = 2.0
GOODBYE = 2.0
NANOSECOND = 1_000_000_000
REQUEST_ENDED = ("404", "408", "409")


class SessionEnded(Exception):
    """The consumer has to be bound again; the text says why."""


def consumer_config(plan: Consumption[E], after: int = 0) -> dict[str, Any]:
    return {
        "durable_name": plan.durable,
        "name": plan.durable,
        "ack_policy": "explicit",
        "ack_wait": int(plan.ack_wait * NANOSECOND),
        "max_deliver": -1,  # the client counts: only it can say why a message died
        "filter_subject": plan.subject,
        "replay_policy": "instant",
        "max_ack_pending": 10_000,
        **_where(plan, after),
        **({"inactive_threshold": int(plan.forgotten_after * NANOSECOND)} if plan.forgotten_after else {}),
    }


def _where(plan: Consumption[E], after: int) -> dict[str, Any]:
    """From where on messages are delivered; `after`: the last one that a forgotten consumer brought."""
    if after:
        return {"deliver_policy": "by_start_sequence", "opt_start_seq": after + 1}
    if isinstance(plan.start, datetime):
        return {"deliver_policy": "by_start_time", "opt_start_time": plan.start.isoformat()}
    return {"deliver_policy": plan.start}


class Puller:
    """Fills `messages`; workers call `done` for each one they have settled."""

    def __init__(self, link: Link, plan: Consumption[Any]) -> None:
        self._link = link
        self._plan = plan
        self._window = max(2 * plan.concurrency, 2)
        self._asked = 0
        self._heard = 0.0
        self._newest = 0
        self._ended = ""
        self._wake = asyncio.Event()
        self.messages: asyncio.Queue[Msg] = asyncio.Queue()
        self.held: dict[str, Msg] = {}

    def done(self, message: Msg) -> None:
        self.held.pop(message.reply, None)
        self._wake.set()

    async def run(self) -> None:
        for attempt in itertools.count():
            try:
                connection = await self._link.connection(None)
                begun = time.monotonic()
                await self._session(connection)
            except (Lost, SessionEnded) as error:
                log.debug("binding the consumer again", durable=self._plan.durable, why=str(error))
                await asyncio.sleep(pause(0 if time.monotonic() - begun > 1 else attempt))
            except BusError as error:
                log.warning("the consumer can't be bound, trying again", durable=self._plan.durable, why=str(error))
                await asyncio.sleep(REFUSED_PAUSE)

    async def _session(self, connection: Connection) -> None:
        await self._ensure()
        inbox = connection.client.new_inbox()
        self._asked, self._ended, self._heard = 0, "", time.monotonic()
        async with connection.subscribed(inbox, self._on_message, on_lost=self._wake.set):
            while True:
                self._wake.clear()
                await self._ask(connection, inbox)
                await self._pass(connection)

    async def _ensure(self) -> None:
        if self._newest and self._plan.forgotten_after and await self._stands():
            return
        operation = f"CONSUMER.DURABLE.CREATE.{self._plan.stream}.{self._plan.durable}"
        body = {"stream_name": self._plan.stream, "config": consumer_config(self._plan, self._newest)}
        try:
            await streams.api(self._link, operation, body)
        except streams.ApiError as error:
            if error.error_code != streams.STREAM_NOT_FOUND:
                raise
            await streams.ensure_streams(self._link)
            await streams.api(self._link, operation, body)

    async def _stands(self) -> bool:
        """Whether the server still knows a durable that it may have forgotten."""
        try:
            await streams.api(self._link, f"CONSUMER.INFO.{self._plan.stream}.{self._plan.durable}")
        except streams.ApiError as error:
            if error.error_code in {streams.CONSUMER_NOT_FOUND, streams.STREAM_NOT_FOUND}:
                return False
            raise
        return True

    async def _ask(self, connection: Connection, inbox: str) -> None:
        free = self._window - self._asked - len(self.held)
        if free * 2 < self._window:
            return
        body = {"batch": free, "expires": int(EXPIRES * NANOSECOND), "idle_heartbeat": int(HEARTBEAT * NANOSECOND)}
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{self._plan.stream}.{self._plan.durable}"
        self._asked += free
        self._heard = time.monotonic()
        await connection.publish(subject, orjson.dumps(body), reply=inbox)

    async def _pass(self, connection: Connection) -> None:
        """Until something is to be done; raises when the session is over."""
        with suppress(TimeoutError):
            async with asyncio.timeout(HEARTBEAT):
                await self._wake.wait()
        if connection.lost.is_set():
            raise Lost
        if self._ended:
            raise SessionEnded(self._ended)
        if self._asked and time.monotonic() - self._heard > 3 * HEARTBEAT:
            raise SessionEnded("no heartbeat")

    async def _on_message(self, message: Msg) -> None:
        self._heard = time.monotonic()
        status = (message.headers or {}).get("Status")
        if status is None or message.data:
            self._asked -= 1
            if self._plan.forgotten_after:
                self._newest = max(self._newest, message.metadata.sequence.stream)
            if message.reply not in self.held:
                self.held[message.reply] = message
                self.messages.put_nowait(message)
        elif status != "100":
            self._on_status(status, message.headers or {})

    def _on_status(self, status: str, headers: dict[str, str]) -> None:
        left = headers.get("Nats-Pending-Messages")
        if status in REQUEST_ENDED and left is not None:
            self._asked = max(self._asked - int(left), 0)
        else:
            self._ended = f"{status} {headers.get('Description', '')}"
        self._wake.set()

    async def end(self) -> None:
        """Let others have at once what this consumer took and did not settle."""
        if self._plan.forgotten_after and self._link.connected:
            with suppress(BusError):
                operation = f"CONSUMER.DELETE.{self._plan.stream}.{self._plan.durable}"
                await streams.api(self._link, operation, within=GOODBYE)
            return
        for message in list(self.held.values()):
            if self._link.connected:
                await settle(self._link, message, b"-NAK")

    async def keep_alive(self) -> None:
        """Tell the server that held messages are still ours, well before it would deliver them to another."""
        while True:
            await asyncio.sleep(self._plan.ack_wait / 3)
            for message in list(self.held.values()):
                if message.reply in self.held:
                    await settle(self._link, message, b"+WPI")


async def work(puller: Puller, take: Callable[[Msg], Awaitable[None]]) -> None:
    """One worker. What it is cancelled in stays held, and is given back."""
    while True:
        message = await puller.messages.get()
        await take(message)
        puller.done(message)
