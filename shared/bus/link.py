"""The connection to NATS, and what happens when it breaks.

NATS' client can reconnect by itself, but then what was in flight is neither answered nor failed, and some server errors
close it for good. So here a `Connection` lives once: when it breaks, everything that waits on it fails at once with
`Lost`, and `Link` makes a new one. Who needs a connection asks for the current one and binds its subscriptions anew.
"""

import asyncio
import itertools
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from shared.bus.errors import Disconnected, TooLarge
from shared.security import redact
from shared.telemetry import get_logger

log = get_logger()

OnState = Callable[[bool, str], None]
Headers = dict[str, str]
NO_RESPONDERS = "503"
HEADER_ROOM = 16 * 1024  # of the server's max_payload: headers count too
PAUSES = (0.02, 0.05, 0.1, 0.2, 0.5)


class Lost(Exception):
    """The connection broke under an operation; it may or may not have been carried out."""


class NobodyListens(LookupError):
    """The server knows no one who takes this subject, just now."""


def pause(attempt: int) -> float:
    return PAUSES[min(attempt, len(PAUSES) - 1)]


@dataclass
class Connection:
    """One connection from its first to its last breath."""

    client: Client
    inbox: str = ""
    lost: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: dict[str, asyncio.Future[Msg]] = field(default_factory=dict)
    when_lost: list[Callable[[], None]] = field(default_factory=list)
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    async def open(self) -> None:
        self.inbox = self.client.new_inbox()
        await self.client.subscribe(f"{self.inbox}.*", cb=self._on_reply)

    async def _on_reply(self, message: Msg) -> None:
        future = self.waiting.get(message.subject.rpartition(".")[2])
        if future is not None and not future.done():
            future.set_result(message)

    def broke(self) -> None:
        self.lost.set()
        for future in self.waiting.values():
            if not future.done():
                future.set_exception(Lost())
        for callback in self.when_lost:
            callback()

    async def publish(self, subject: str, data: bytes, headers: Headers | None = None, reply: str = "") -> None:
        """Hand bytes to the server, with no answer expected."""
        if len(data) > self.client.max_payload - (HEADER_ROOM if headers else 0):
            limit = self.client.max_payload // 1024
            raise TooLarge(f"{len(data) // 1024} KiB for {subject} exceed the bus limit of {limit} KiB")
        try:
            await self.client.publish(subject, data, reply=reply, headers=headers)
        except nats.errors.MaxPayloadError as error:
            raise TooLarge(f"a message for {subject} exceeds the bus limit") from error
        except (nats.errors.Error, OSError) as error:
            raise Lost from error

    async def request(self, subject: str, data: bytes, headers: Headers | None, timeout: float) -> Msg:  # noqa: ASYNC109
        """Raises Lost, NobodyListens or TimeoutError."""
        number = str(next(self.numbers))
        future: asyncio.Future[Msg] = asyncio.get_running_loop().create_future()
        self.waiting[number] = future
        try:
            if self.lost.is_set():
                raise Lost
            await self.publish(subject, data, headers, reply=f"{self.inbox}.{number}")
            async with asyncio.timeout(timeout):
                message = await future
        finally:
            del self.waiting[number]
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
        try:
            if self.lost.is_set():
                raise Lost
            subscription = await self.client.subscribe(subject, queue=queue, cb=on_message)
        except (nats.errors.Error, OSError) as error:
            raise Lost from error
        self.when_lost.append(on_lost)
        try:
            yield
        finally:
            self.when_lost.remove(on_lost)
            await self._unsubscribe(subscription)

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
                raise Disconnected(f"no NATS server at {where} for {timeout:.0f} s; is it running?") from error
        assert self._current is not None
        return self._current

    async def run(self) -> None:
        for attempt in itertools.count():
            try:
                connection = await self._connect()
            except (nats.errors.Error, OSError, TimeoutError, ssl.SSLError) as error:
                self._on_state(False, redact(f"no NATS server: {error or type(error).__name__}"))
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
            await connection.client.close()

    async def _connect(self) -> Connection:
        connection = Connection(Client())

        async def on_closed() -> None:
            connection.broke()

        async def on_error(error: Exception) -> None:
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
        await connection.open()
        return connection

    async def ask(
        self, subject: str, data: bytes, headers: Headers | None = None, *, within: float, each: float | None = None
    ) -> Msg:
        """A request that outlives broken connections: sent again on the next one, and while nobody listens.

        `within` bounds everything, `each` a single attempt. Raises Disconnected, NobodyListens, TimeoutError, TooLarge.
        """
        deadline = time.monotonic() + within
        for attempt in itertools.count():
            left = deadline - time.monotonic()
            connection = await self.connection(max(left, 0))
            last_try = each is None or left <= each
            try:
                return await connection.request(subject, data, headers, max(min(left, each or left), 0.001))
            except Lost:
                continue
            except TimeoutError:
                if last_try:
                    raise
            except NobodyListens:
                if time.monotonic() + pause(attempt) >= deadline:
                    raise
                await asyncio.sleep(pause(attempt))
        raise AssertionError("the loop above ends by itself")


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
