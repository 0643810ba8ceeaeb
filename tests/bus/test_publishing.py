"""Publishing: stored before it returns, once however often it is repeated, and clear about what does not fit."""

import asyncio

import pytest

from shared.bus import Bus, BusError, Envelope, TooLarge, connect
from shared.events import AppEvent, GitRevision, token, untoken
from shared.telemetry.trace import trace_id, traced
from tests.bus.tools import happened, plain_client, subject_of


async def stored(bus: Bus, namespace: str) -> list[Envelope]:
    return [envelope async for envelope in bus.replay(subject_of(namespace))]


async def test_a_published_event_is_stored_when_publish_returns(bus: Bus, unique: str) -> None:
    event = happened(unique, 1)
    published = await bus.publish(event)
    (envelope,) = await stored(bus, unique)
    assert published.stream == "DELIVERY"
    assert envelope.sequence == published.sequence
    assert envelope.event() == event


async def test_the_same_event_published_again_is_a_duplicate(bus: Bus, unique: str) -> None:
    event = happened(unique, 1)
    first = await bus.publish(event)
    again = await bus.publish(event)
    assert (first.duplicate, again.duplicate) == (False, True)
    assert len(await stored(bus, unique)) == 1


async def test_headers_are_cloudevents_with_trace_and_delivery(bus: Bus, unique: str) -> None:
    with traced("git:12345678:abc"):
        await bus.named("reconciler").publish(happened(unique, 1))
    headers = (await stored(bus, unique))[0].headers
    assert headers["ce-type"] == "tiphys.app.v1"
    assert headers["ce-source"] == "/tiphys/reconciler"
    assert headers["ce-specversion"] == "1.0"
    assert headers["tiphys-delivery"] == f"{unique}-1"
    assert headers["traceparent"].split("-")[1] == trace_id("git:12345678:abc")


@pytest.mark.parametrize("name", ["a.b", "with space", "star*", "end>", "%", "", "ünï", "a/b:c", "two\nlines"])
async def test_names_of_any_kind_stay_inside_their_token(bus: Bus, unique: str, name: str) -> None:
    event = AppEvent(delivery=unique, what="health", namespace=unique, name=name)
    assert len(event.subject().split(".")) == 5
    assert untoken(event.subject().split(".")[4]) == name
    await bus.publish(event)
    found = [envelope.event() async for envelope in bus.replay(AppEvent.filter_for(unique, name))]
    assert found == [event]


def test_different_names_never_share_a_token() -> None:
    names = ["a.b", "a%2Eb", "a b", "a%20b", "", "%", "A", "a"]
    assert len({token(name) for name in names}) == len(names)


async def test_two_moves_of_a_ref_between_the_same_commits_are_two_events(bus: Bus, unique: str) -> None:
    forth = {"repo": unique, "ref": "refs/heads/main", "old": "a", "new": "b", "delivery": unique}
    first = await bus.publish(GitRevision.model_validate(forth | {"received_at": "2026-11-23T12:00:00Z"}))
    later = await bus.publish(GitRevision.model_validate(forth | {"received_at": "2026-11-23T12:00:09Z"}))
    again = await bus.publish(GitRevision.model_validate(forth | {"received_at": "2026-11-23T12:00:09Z"}))
    assert (first.duplicate, later.duplicate, again.duplicate) == (False, False, True)


async def test_an_event_beyond_the_limit_is_refused_by_name(bus: Bus, unique: str) -> None:
    with pytest.raises(TooLarge, match="exceed the bus limit of 1024 KiB"):
        await bus.publish(happened(unique, 1, message="x" * 2_000_000))
    await bus.publish(happened(unique, 2))
    assert len(await stored(bus, unique)) == 1


async def test_what_nats_itself_refuses_is_an_error_and_not_a_hang(bus: Bus) -> None:
    with pytest.raises(BusError, match="NATS refuses"):
        await bus._link.ask("two words", b"", within=30)


async def test_a_stranger_sees_events_without_our_code(bus: Bus, nats_url: str, unique: str) -> None:
    async with plain_client(nats_url) as client:
        subscription = await client.subscribe(f"delivery.app.*.{unique}.*")
        await client.flush()
        await bus.publish(happened(unique, 1))
        message = await subscription.next_msg(timeout=30)
    assert b'"what":"compared"' in message.data


async def test_many_publishers_at_once_lose_nothing(nats_url: str, bus: Bus, unique: str) -> None:
    async with connect(nats_url, service="one") as one, connect(nats_url, service="two") as two:
        await asyncio.gather(*((one if number % 2 else two).publish(happened(unique, number)) for number in range(500)))
    assert {envelope.delivery for envelope in await stored(bus, unique)} == {f"{unique}-{n}" for n in range(500)}
