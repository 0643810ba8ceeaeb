"""Reading what was and watching what is."""

import asyncio
from datetime import timedelta

import pytest

from shared.bus import Bus, StreamMissing
from shared.clock import now
from tests.bus.tools import happened, subject_of


async def test_history_is_read_in_order_over_many_batches(bus: Bus, unique: str) -> None:
    for start in range(0, 700, 50):
        await asyncio.gather(*(bus.publish(happened(unique, n)) for n in range(start, start + 50)))
    envelopes = [envelope async for envelope in bus.replay(subject_of(unique))]
    assert len(envelopes) == 700
    assert [e.sequence for e in envelopes] == sorted(e.sequence for e in envelopes)


async def test_history_begins_at_a_moment(bus: Bus, unique: str) -> None:
    await bus.publish(happened(unique, 1))
    await bus.publish(happened(unique, 2))
    _, second = [envelope async for envelope in bus.replay(subject_of(unique))]
    assert [e.delivery async for e in bus.replay(subject_of(unique), since=second.at)] == [f"{unique}-2"]
    assert [e async for e in bus.replay(subject_of(unique), since=now() + timedelta(hours=1))] == []


async def test_history_begins_after_a_sequence(bus: Bus, unique: str) -> None:
    first = await bus.publish(happened(unique, 1))
    await bus.publish(happened(unique, 2))
    assert [e.delivery async for e in bus.replay(subject_of(unique), after=first.sequence)] == [f"{unique}-2"]


async def test_no_history_is_no_error(bus: Bus, unique: str) -> None:
    assert [envelope async for envelope in bus.replay(subject_of(unique))] == []


async def test_a_follower_gets_the_old_and_then_the_new(bus: Bus, unique: str) -> None:
    await bus.publish(happened(unique, 1))
    seen = []
    async with asyncio.timeout(60):
        async for envelope in bus.replay(subject_of(unique), follow=True):
            seen.append(envelope.delivery)
            if len(seen) == 20:
                break
            await bus.publish(happened(unique, len(seen) + 1))
    assert seen == [f"{unique}-{n}" for n in range(1, 21)]


async def test_a_live_watcher_sees_what_passes(bus: Bus, unique: str) -> None:
    watcher = bus.watch_live(subject_of(unique))
    arriving = asyncio.ensure_future(anext(watcher))
    async with asyncio.timeout(60):
        number = 0
        while not arriving.done():
            number += 1
            await bus.publish(happened(unique, number))
    assert (await arriving).event() is not None
    await watcher.aclose()  # type: ignore[attr-defined]


async def test_a_subject_of_no_stream_is_refused(bus: Bus) -> None:
    with pytest.raises(StreamMissing, match="subjects begin with"):
        await anext(bus.replay("elsewhere.>"))
