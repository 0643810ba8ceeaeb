"""Waiting for a cluster that does not answer: whoever is called off meanwhile leaves nothing behind."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from services.reconciler.connection import Connection
from services.reconciler.destination import Destination


@asynccontextmanager
async def never() -> AsyncIterator[Destination]:
    """A cluster that takes connections and then says nothing."""
    await asyncio.Event().wait()
    raise AssertionError("an event that nobody sets was set")
    yield


def test_a_waiter_that_is_called_off_leaves_no_task_behind() -> None:
    asyncio.run(call_off_a_waiter())  # in a loop of its own: on the session's, others make tasks meanwhile


async def call_off_a_waiter() -> None:
    connection = Connection("https://silent.example", never, lambda _old, _new: None)
    running = asyncio.create_task(connection.run())
    before = asyncio.all_tasks()
    waiting = asyncio.create_task(connection.ready())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting.cancel()
    with suppress(asyncio.CancelledError):
        await waiting
    assert asyncio.all_tasks() == before
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
