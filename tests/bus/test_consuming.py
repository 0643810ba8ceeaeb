"""Consuming: each message handled and settled in exactly one way, failures come back later, others are not held up."""

import asyncio

import pytest

from shared.bus import Bus, connect
from shared.bus.consume import nak_delay
from shared.events import AppEvent
from shared.telemetry import trace
from tests.bus.tools import DEADLINE, Seen, consuming, dead_letters_of, happened, plain_client


async def test_every_message_is_handled_once(bus: Bus, unique: str) -> None:
    seen = Seen()
    async with consuming(bus, unique, seen, concurrency=8):
        await asyncio.gather(*(bus.publish(happened(unique, number)) for number in range(300)))
        await seen.until(300)
    assert sorted(seen.numbers) == list(range(300))


async def test_what_was_published_before_the_consumer_came_is_handled(bus: Bus, unique: str) -> None:
    await bus.publish(happened(unique, 1))
    seen = Seen()
    async with consuming(bus, unique, seen):
        await seen.until(1)


async def test_a_consumer_that_starts_with_new_sees_only_what_follows(bus: Bus, unique: str) -> None:
    await bus.publish(happened(unique, 1))
    seen = Seen()
    async with consuming(bus, unique, seen, start="new"):
        number = 2
        async with asyncio.timeout(20):
            while not seen.events:
                await bus.publish(happened(unique, number))
                number += 1
                await asyncio.sleep(0)
    assert 1 not in seen.numbers


async def test_a_restarted_consumer_goes_on_where_it_was(bus: Bus, unique: str) -> None:
    first, second = Seen(), Seen()
    async with consuming(bus, unique, first):
        await bus.publish(happened(unique, 1))
        await first.until(1)
    await bus.publish(happened(unique, 2))
    async with consuming(bus, unique, second):
        await second.until(1)
    assert second.numbers == [2]


async def test_what_a_stopped_consumer_held_goes_to_the_next_at_once(bus: Bus, unique: str) -> None:
    started, second = Seen(), Seen()

    async def never(event: AppEvent) -> None:
        await started(event)
        await asyncio.Event().wait()

    async with consuming(bus, unique, never, ack_wait=300):
        await bus.publish(happened(unique, 1))
        await bus.publish(happened(unique, 2))
        await started.until(1)
    async with consuming(bus, unique, second, ack_wait=300):
        await second.until(2)


async def test_a_failed_message_comes_back_and_others_pass_it(bus: Bus, unique: str) -> None:
    seen, attempts = Seen(), [0]

    async def handler(event: AppEvent) -> None:
        if event.delivery.endswith("-0"):
            attempts[0] += 1
            if attempts[0] < 3:
                raise ConnectionError("not yet")
        await seen(event)

    for number in range(5):
        await bus.publish(happened(unique, number))
    async with consuming(bus, unique, handler, concurrency=4, first_pause=0.3):
        await seen.until(5)
    assert attempts[0] == 3
    assert seen.numbers[-1] == 0


async def test_two_replicas_share_the_messages(nats_url: str, bus: Bus, unique: str) -> None:
    one, two, both = Seen(), Seen(), Seen()
    shared = asyncio.Event()

    async def take(event: AppEvent, mine: Seen) -> None:
        """The first that each of them gets waits for the other one's."""
        await mine(event)
        if one.events and two.events:
            shared.set()
        await shared.wait()
        await both(event)

    async def first(event: AppEvent) -> None:
        await take(event, one)

    async def second(event: AppEvent) -> None:
        await take(event, two)

    async with (
        connect(nats_url, service="replica") as other,
        consuming(bus, unique, first),
        consuming(other, unique, second),
    ):
        await asyncio.gather(*(bus.publish(happened(unique, number)) for number in range(200)))
        await both.until(200)
    assert len(both.numbers) == 200
    assert sorted(one.numbers + two.numbers) == list(range(200))


async def test_long_work_is_not_delivered_twice(bus: Bus, unique: str) -> None:
    seen, release = Seen(), asyncio.Event()

    async def slow(event: AppEvent) -> None:
        await seen(event)
        await release.wait()

    done = Seen()

    async def quick(event: AppEvent) -> None:
        await done(event)

    async with consuming(bus, unique, slow, ack_wait=4):
        await bus.publish(happened(unique, 1))
        await seen.until(1)
        # more than its ack_wait of other traffic passes while the first message is being worked on
        async with consuming(bus, f"{unique}b", quick):
            clock = asyncio.get_running_loop().time
            end, number = clock() + 5, 0
            while clock() < end:
                number += 1
                await bus.publish(happened(f"{unique}b", number))
                await done.until(number)
        release.set()
    assert seen.numbers == [1]


async def test_a_handler_that_hangs_is_ended_and_retried(bus: Bus, unique: str) -> None:
    seen, attempts = Seen(), [0]

    async def handler(event: AppEvent) -> None:
        attempts[0] += 1
        if attempts[0] == 1:
            await asyncio.Event().wait()
        await seen(event)

    async with consuming(bus, unique, handler, time_limit=0.1):
        await bus.publish(happened(unique, 1))
        await seen.until(1)
    assert attempts[0] == 2


async def test_a_cancellation_inside_the_handler_is_a_failure_like_others(bus: Bus, unique: str) -> None:
    seen, attempts = Seen(), [0]

    async def handler(event: AppEvent) -> None:
        attempts[0] += 1
        if attempts[0] == 1:
            inner = asyncio.ensure_future(asyncio.Event().wait())
            inner.cancel()
            await inner
        await seen(event)

    async with consuming(bus, unique, handler):
        await bus.publish(happened(unique, 1))
        await bus.publish(happened(unique, 2))
        await seen.until(2)
    assert attempts[0] == 3


async def test_handlers_work_inside_the_delivery_of_their_message(bus: Bus, unique: str) -> None:
    ids: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    async def handler(_event: AppEvent) -> None:
        ids.put_nowait((trace.delivery.get(), trace.traceparent.get()))

    async with consuming(bus, unique, handler):
        with trace.traced("outer"):
            await bus.publish(happened(unique, 1))
        delivery, parent = await asyncio.wait_for(ids.get(), DEADLINE)
    assert delivery == f"{unique}-1"
    assert parent.split("-")[1] == trace.trace_id("outer")


async def test_a_newer_senders_extra_fields_are_ignored(bus: Bus, nats_url: str, unique: str) -> None:
    seen = Seen()
    async with consuming(bus, unique, seen), plain_client(nats_url) as client:
        body = happened(unique, 7).to_bytes()[:-1] + b',"novelty":{"a":1}}'
        await client.jetstream().publish(happened(unique, 7).subject(), body)
        await seen.until(1)


@pytest.mark.parametrize("attempt", range(1, 30))
def test_pauses_grow_and_stay_under_a_minute_and_a_fifth(attempt: int) -> None:
    delays = [nak_delay(attempt, sequence, 0.5) for sequence in range(100)]
    ideal = min(60, 0.5 * 2 ** (attempt - 1))
    assert all(0.8 * ideal <= delay <= 1.2 * ideal for delay in delays)
    assert len(set(delays)) > 90


async def test_a_message_given_up_does_not_stop_the_next(bus: Bus, unique: str) -> None:
    seen = Seen()

    async def handler(event: AppEvent) -> None:
        if event.delivery.endswith("-1"):
            raise ValueError("never")
        await seen(event)

    async with consuming(bus, unique, handler, max_deliver=2):
        await bus.publish(happened(unique, 1))
        await bus.publish(happened(unique, 2))
        await seen.until(1)
        (letter,) = await dead_letters_of(bus, unique, 1)
    assert letter.attempts == 2
