"""Small helpers of the bus tests: an event of one's own, consuming in the background, waiting with a deadline."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import nats
from nats.aio.client import Client

from shared.bus import Bus
from shared.events import AppEvent

DEADLINE = 60.0


def happened(namespace: str, number: int, **fields: Any) -> AppEvent:
    return AppEvent(delivery=f"{namespace}-{number}", what="compared", namespace=namespace, name="app", **fields)


def subject_of(namespace: str) -> str:
    return AppEvent.filter_for(namespace, "app")


@asynccontextmanager
async def background(*work: Awaitable[Any]) -> AsyncIterator[None]:
    """Run endless work beside the test; what fails in it fails the test."""
    tasks = [asyncio.ensure_future(item) for item in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task


@asynccontextmanager
async def consuming(
    bus: Bus, namespace: str, handler: Callable[[AppEvent], Awaitable[None]], **options: Any
) -> AsyncIterator[None]:
    options = {"first_pause": 0.02, **options}
    async with background(bus.consume(AppEvent, namespace, handler, subject=subject_of(namespace), **options)):
        yield


class Seen:
    """What a handler got, with a way to wait for it."""

    def __init__(self) -> None:
        self.events: list[AppEvent] = []
        self._changed = asyncio.Condition()

    async def __call__(self, event: AppEvent) -> None:
        self.events.append(event)
        async with self._changed:
            self._changed.notify_all()

    @property
    def numbers(self) -> list[int]:
        return [int(event.delivery.rpartition("-")[2]) for event in self.events]

    async def until(self, count: int) -> None:
        """`count` different deliveries have been seen."""
        async with asyncio.timeout(DEADLINE), self._changed:
            await self._changed.wait_for(lambda: len(set(self.numbers)) >= count)


@asynccontextmanager
async def plain_client(url: str) -> AsyncIterator[Client]:
    """A NATS client that knows nothing of Tiphys: for what strangers may send."""
    client = await nats.connect(url)
    try:
        yield client
    finally:
        await client.close()


async def dead_letters_of(bus: Bus, durable: str, count: int) -> list[Any]:
    async with asyncio.timeout(DEADLINE):
        found: list[Any] = []
        async for envelope in bus.replay(f"dead.*.{durable}", follow=True):
            found.append(envelope.sequence)
            if len(found) >= count:
                break
    return [letter async for letter in bus.dead_letters() if letter.durable == durable]
