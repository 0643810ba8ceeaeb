"""Dead letters: a person finds the message, the reason and the attempts, and can give it another chance."""

import asyncio

import nats.errors
import pytest

from shared.bus import Bus, BusError, ObjectMissing, Reject, connect
from shared.bus.server import running
from shared.events import AppEvent
from tests.bus.tools import Seen, consuming, dead_letters_of, happened, plain_client, subject_of


async def refuse(_event: AppEvent) -> None:
    raise Reject("its project does not exist")


async def fail(_event: AppEvent) -> None:
    raise ConnectionError("https://user:hunter22@git.example.com refused")


async def test_a_rejected_message_is_dead_at_once(bus: Bus, unique: str) -> None:
    event = happened(unique, 1)
    async with consuming(bus, unique, refuse, max_deliver=5):
        await bus.publish(event)
        (letter,) = await dead_letters_of(bus, unique, 1)
    assert (letter.reason, letter.attempts) == ("its project does not exist", 1)
    assert (letter.stream, letter.subject) == ("DELIVERY", event.subject())
    assert letter.data == event.to_bytes()
    assert letter.headers["tiphys-delivery"] == event.delivery


async def test_the_reason_holds_no_secret(bus: Bus, unique: str) -> None:
    async with consuming(bus, unique, fail, max_deliver=3):
        await bus.publish(happened(unique, 1))
        (letter,) = await dead_letters_of(bus, unique, 1)
    assert letter.reason == "ConnectionError: https://***@git.example.com refused"
    assert letter.attempts == 3


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"\x00\xff not json", "not a tiphys.app.v1: body"),
        (b"", "not a tiphys.app.v1: body"),
        (b"[1,2,3]", "not a tiphys.app.v1: body"),
        (b'{"delivery":"x","what":"compared"}', "not a tiphys.app.v1: namespace: Field required"),
        (b'{"delivery":"x","what":"exploded","namespace":"n","name":"m"}', "not a tiphys.app.v1: what"),
    ],
)
async def test_what_is_no_event_is_dead_at_once(bus: Bus, nats_url: str, unique: str, body: bytes, reason: str) -> None:
    seen = Seen()
    async with consuming(bus, unique, seen), plain_client(nats_url) as client:
        await client.jetstream().publish(happened(unique, 1).subject(), body)
        (letter,) = await dead_letters_of(bus, unique, 1)
        await bus.publish(happened(unique, 2))
        await seen.until(1)
    assert letter.reason.startswith(reason)
    assert letter.data == body


async def test_two_megabytes_of_nonsense_are_cut_and_kept() -> None:
    seen = Seen()
    async with running(max_payload=4 * 1024 * 1024) as server, connect(server.url, service="t") as bus:
        async with consuming(bus, "big", seen), plain_client(server.url) as client:
            await client.jetstream().publish(happened("big", 1).subject(), b"x" * 2_000_000)
            (letter,) = await dead_letters_of(bus, "big", 1)
            await bus.publish(happened("big", 2))
            await seen.until(1)
        with pytest.raises(BusError, match="was cut"):
            await bus.replay_dead(letter.sequence)
    assert letter.cut
    assert len(letter.data) == 256 * 1024


async def test_a_message_that_always_kills_its_worker_ends_as_a_dead_letter(bus: Bus, unique: str) -> None:
    """A crash reports nothing: the consumer is cut off mid-work again and again."""
    await bus.publish(happened(unique, 1))
    for _ in range(6):
        reached = Seen()

        async def crash(event: AppEvent, reached: Seen = reached) -> None:
            await reached(event)
            await asyncio.Event().wait()

        async with consuming(bus, unique, crash, ack_wait=30, max_deliver=1):
            await reached.until(1)
    async with consuming(bus, unique, fail, ack_wait=30, max_deliver=1):
        (letter,) = await dead_letters_of(bus, unique, 1)
    assert letter.reason == "6 attempts ended without a report"


async def test_a_replayed_message_goes_to_the_one_who_failed(bus: Bus, unique: str) -> None:
    other, healed = Seen(), Seen()
    subject = subject_of(unique)
    async with consuming(bus, unique, refuse):
        await bus.publish(happened(unique, 1))
        (letter,) = await dead_letters_of(bus, unique, 1)

    watcher = asyncio.create_task(bus.consume(AppEvent, f"{unique}-other", other, subject=subject))
    await other.until(1)
    async with consuming(bus, unique, healed):
        replayed = await bus.replay_dead(letter.sequence)
        await healed.until(1)
        await bus.publish(happened(unique, 2))
        await other.until(2)
    watcher.cancel()
    assert replayed == letter
    assert healed.numbers[0] == 1
    assert other.numbers == [1, 2]
    assert [item async for item in bus.dead_letters() if item.durable == unique] == []


async def test_replaying_what_is_not_there_says_so(bus: Bus) -> None:
    with pytest.raises(ObjectMissing, match="no dead letter 987654"):
        await bus.replay_dead(987654)


async def test_the_default_server_takes_no_two_megabytes(nats_url: str, unique: str) -> None:
    async with plain_client(nats_url) as client:
        with pytest.raises(nats.errors.MaxPayloadError):
            await client.publish(happened(unique, 1).subject(), b"x" * 2_000_000)
