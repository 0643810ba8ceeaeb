"""The connection to NATS, and what happens when it breaks.

NATS' client can reconnect by itself, but then what was in flight is neither answered nor failed, and some server errors
close it for good. So here a `Connection` lives once: when it breaks, everything that waits on it fails at once with
`Lost`, and `Link` makes a new one. Who needs a connection asks for the current one and binds its subscriptions anew.
"""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from shared.bus.errors import BusError, Disconnected, TooLarge
from shared.security import redact
from shared.telemetry import get_logger

log = get_logger()

OnState = Callable[[bool, str], None]
Headers = dict[str, str]
NO_RESPONDERS = "503"
WORKING = "tiphys-working"  # the header of a message that is no answer yet, but says that one is being made
HEADER_ROOM = 16 * 1024  # of the server's max_payload: headers count too
CLOSE = 0.01  # seconds before a deadline in which nothing more is begun
PAUSES = (0.02, 0.05, 0.1, 0.2, 0.5)


class Lost(Exception):
    """The connection broke under an operation; it may or may not have been carried out."""


GONE = (
    nats.errors.ConnectionClosedError,
    nats.errors.ConnectionDrainingError,
    nats.errors.OutboundBufferLimitError,
    nats.errors.StaleConnectionError,
    OSError,
)


class NobodyListens(LookupError):
    """The server knows no one who takes this subject, just now."""


@dataclass
class Waiting:
    """An answer that is waited for: for `patience` seconds since something was heard, and never longer than `until`."""

    answer: "asyncio.Future[Msg]"
    patience: float
    until: float
    limit: asyncio.Timeout

    def hear(self, message: Msg) -> None:
        if not message.data and message.headers and WORKING in message.headers:
            if not self.limit.expired():
                self.limit.reschedule(min(self.until, asyncio.get_running_loop().time() + self.patience))
        elif not self.answer.done():
            self.answer.set_result(message)


def pause(attempt: int) -> float:
    return PAUSES[min(attempt, len(PAUSES) - 1)]


@dataclass
class Connection:
    """One connection from its first to its last breath."""

    client: Client
    inbox: str = ""
    lost: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: dict[str, Waiting] = field(default_factory=dict)
    when_lost: list[Callable[[], None]] = field(default_factory=list)
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    async def open(self) -> None:
        self.inbox = self.client.new_inbox()
        await self.client.subscribe(f"{self.inbox}.*", cb=self._on_reply)

    async def _on_reply(self, message: Msg) -> None:
        waiting = self.waiting.get(message.subject.rpartition(".")[2])
        if waiting is not None:
            waiting.hear(message)

    def broke(self) -> None:
        self.lost.set()
        for waiting in self.waiting.values():
            if not waiting.answer.done():
                waiting.answer.set_exception(Lost())
        for callback in self.when_lost:
            callback()

    async def publish(self, subject: str, data: bytes, headers: Headers | None = None, reply: str = "") -> None:
        """Hand bytes to the server, with no answer expected."""
        if len(data) > self.client.max_payload - (HEADER_ROOM if headers else 0):
            limit = self.client.max_payload // 1024
            raise TooLarge(f"{len(data) // 1024} KiB for {subject} exceed the bus limit of {limit} KiB")
        async with self._translated(subject):
            await self.client.publish(subject, data, reply=reply, headers=headers)

    async def request(
        self, subject: str, data: bytes, headers: Headers | None, *, silence: float, within: float
    ) -> Msg:
        """Wait for an answer for so many seconds of silence, but no longer than `within`.

        Raises Lost, NobodyListens or TimeoutError.
        """
        number, loop = str(next(self.numbers)), asyncio.get_running_loop()
        future: asyncio.Future[Msg] = loop.create_future()
        limit = asyncio.timeout(min(silence, within))
        self.waiting[number] = Waiting(future, silence, loop.time() + within, limit)
        try:
            if self.lost.is_set():
                raise Lost
            async with limit:
                await self.publish(subject, data, headers, reply=f"{self.inbox}.{number}")
                message = await future
        finally:
            del self.waiting[number]
            if future.done() and not future.cancelled():
                future.exception()  # taken, also when something else ended this request
        if not message.data and message.headers and message.headers.get("Status") == NO_RESPONDERS:
            raise NobodyListens(subject)
        return message

    @asynccontextmanager
    async def subscribed(
        self,
        subject: str,
        on_message: Callable[[Msg], Awaitable[None]],
        queue: str = "",
        on_lost: Callable[[], None] = lambda: None,
    ) -> AsyncIterator[None]:
        """A subscription for the block; `on_lost` is called when the connection breaks under it."""
        if self.lost.is_set():
            raise Lost
        async with self._translated(subject):
            subscription = await self.client.subscribe(subject, queue=queue, cb=on_message)
        self.when_lost.append(on_lost)
        try:
            yield
        finally:
            self.when_lost.remove(on_lost)
            await self._unsubscribe(subscription)

    @asynccontextmanager
    async def _translated(self, subject: str) -> AsyncIterator[None]:
        """A connection that refuses because it is closed is over, even if nobody has been told yet."""
        try:
            yield
        except GONE as error:
            self.broke()
            raise Lost from error
        except nats.errors.Error as error:
            raise BusError(f"NATS refuses {subject!r}: {error or type(error).__name__}") from error

    async def _unsubscribe(self, subscription: Subscription) -> None:
        with suppress(nats.errors.Error, OSError):  # a broken connection has no subscriptions left to end
            await subscription.unsubscribe()


class Link:
    """Keeps one connection standing; `run` is its life, `connection` waits for it."""

    def __init__(self, url: str, name: str, on_state: OnState) -> None:
        self._servers = [part.strip() for part in url.split(",") if part.strip()]
        self._name = name
        self._on_state = on_state
        self._current: Connection | None = None
        self._up = asyncio.Event()
        self._why = "is it running?"
        self._seen = ""

    @property
    def connected(self) -> bool:
        return self._current is not None and not self._current.lost.is_set()

    async def connection(self, timeout: float | None = None) -> Connection:  # noqa: ASYNC109
        """The standing connection, waited for; raises Disconnected when there is none in time."""
        if self._current is None or self._current.lost.is_set():
            self._up.clear()  # `run` may not have had its turn yet since the connection broke
            try:
                async with asyncio.timeout(timeout):
                    await self._up.wait()
            except TimeoutError as error:
                where = redact(", ".join(self._servers))
                raise Disconnected(f"no NATS server at {where} for {timeout:.1f} s: {self._why}") from error
        assert self._current is not None
        return self._current

    async def run(self) -> None:
        for attempt in itertools.count():
            try:
                connection = await self._connect()
            except Exception as error:  # noqa: BLE001 - whatever keeps us from connecting is told and tried again
                self._why = redact(f"{self._seen or error or type(error).__name__}; is it running?")
                self._on_state(False, f"no NATS server: {self._why}")
                await asyncio.sleep(pause(attempt))
                continue
            await self._stand(connection)

    async def _stand(self, connection: Connection) -> None:
        self._current = connection
        self._up.set()
        self._on_state(True, "")
        try:
            await connection.lost.wait()
        finally:
            self._up.clear()
            connection.broke()
            self._on_state(False, "connection to NATS lost, reconnecting")
            await self._bury(connection.client)

    async def _bury(self, client: Client) -> None:
        """The client's own close can die of the broken socket, and then leaves its tasks and the socket behind."""
        with suppress(nats.errors.Error, OSError):
            await client.close()
        tasks = [client._ping_interval_task, *_loops(client)]  # noqa: SLF001
        tasks += [subscription._wait_for_msgs_task for subscription in client._subs.values()]  # noqa: SLF001
        for task in tasks:
            if task is not None:
                task.cancel()
        if client._transport is not None:  # noqa: SLF001
            client._transport.close()  # type: ignore[no-untyped-call]  # noqa: SLF001

    async def _connect(self) -> Connection:
        connection = Connection(Client())

        async def on_closed() -> None:
            connection.broke()

        async def on_error(error: Exception) -> None:
            self._seen = str(error)
            log.debug("nats reports an error", error=str(error) or type(error).__name__)

        await connection.client.connect(
            self._servers,
            name=self._name,
            allow_reconnect=False,
            max_reconnect_attempts=1,
            reconnect_time_wait=0,
            connect_timeout=2,
            ping_interval=5,
            max_outstanding_pings=2,
            pending_size=8 * 1024 * 1024,
            closed_cb=on_closed,
            error_cb=on_error,
        )
        for task in _loops(connection.client):
            task.add_done_callback(partial(_on_loop_end, connection))
        await connection.open()
        return connection

    async def ask(
        self,
        subject: str,
        data: bytes,
        headers: Headers | None = None,
        *,
        within: float,
        each: float | None = None,
        lonely: float | None = None,
    ) -> Msg:
        """A request that outlives broken connections: sent again on the next one, and while nobody listens.

        `within` bounds everything, `each` the silence after a single attempt, `lonely` the time for somebody to listen.
        Raises Disconnected, NobodyListens, TimeoutError or TooLarge.
        """
        deadline = time.monotonic() + within
        given_up = deadline if lonely is None else min(deadline, time.monotonic() + lonely)
        for attempt in itertools.count():
            left = deadline - time.monotonic()
            if left <= 0 and attempt:
                raise Disconnected("the connection to NATS kept breaking")
            connection = await self.connection(max(left, 0))
            left = max(left, 0.001)
            try:
                return await connection.request(subject, data, headers, silence=each or left, within=left)
            except Lost:
                continue
            except TimeoutError:
                if each is None or time.monotonic() + CLOSE >= deadline:
                    raise
            except NobodyListens:
                if time.monotonic() + pause(attempt) >= given_up:
                    raise
                await asyncio.sleep(pause(attempt))
        raise AssertionError("the loop above ends by itself")


def _loops(client: Client) -> "list[asyncio.Task[None]]":
    """The tasks without which a connection is dead, whatever the client believes."""
    return [task for task in (client._reading_task, client._flusher_task) if task is not None]  # noqa: SLF001


def _on_loop_end(connection: Connection, task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.debug("the connection's loop ended", error=str(error))
    connection.broke()


@asynccontextmanager
async def linked(url: str, name: str, on_state: OnState, patience: float) -> AsyncIterator[Link]:
    """A link with its first connection made; raises Disconnected when that takes longer than `patience`."""
    link = Link(url, name, on_state)
    life = asyncio.create_task(link.run(), name="bus-link")
    try:
        await link.connection(patience)
        yield link
    finally:
        life.cancel()
        with suppress(asyncio.CancelledError):
            await life
