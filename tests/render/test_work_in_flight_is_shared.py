"""Callers that want the same thing share the work; one that gives up takes nothing from the others."""

import asyncio

import pytest

from services.renderer.failures import Reason, RenderFailure
from services.renderer.turns import Turns
from shared.flights import Flights


async def test_a_caller_that_gives_up_does_not_stop_the_others() -> None:
    begun, go = asyncio.Event(), asyncio.Event()

    async def work() -> str:
        begun.set()
        await go.wait()
        return "done"

    async with Flights[str]() as flights:
        first = asyncio.create_task(flights.share("key", work))
        second = asyncio.create_task(flights.share("key", work))
        await begun.wait()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        go.set()
        assert await second == "done"


async def test_after_the_work_the_next_caller_begins_anew() -> None:
    made = 0

    async def work() -> int:
        nonlocal made
        made += 1
        return made

    async with Flights[int]() as flights:
        assert await flights.share("key", work) == 1
        assert await flights.share("key", work) == 2


async def test_what_is_in_flight_at_the_end_is_cancelled() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with Flights[None]() as flights:
        caller = asyncio.create_task(flights.share("key", work))
        await begun.wait()
    assert ended.is_set()
    with pytest.raises(asyncio.CancelledError):
        await caller


async def test_a_turn_that_was_given_up_is_free_again() -> None:
    turns = Turns(at_once=1, waiting=0)
    with pytest.raises(ValueError, match="x"):
        async with turns.taken():
            raise ValueError("x")
    async with turns.taken():
        with pytest.raises(RenderFailure) as failure:
            async with turns.taken():
                pass
    assert failure.value.reason is Reason.RENDERER_OVERLOADED
