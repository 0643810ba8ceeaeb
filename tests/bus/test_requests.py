"""Questions between services: answered, refused or failed, always as the caller can tell."""

import asyncio
from typing import ClassVar

import pytest

from shared.bus import Bus, RequestError, link, rpc
from shared.events import Message
from shared.telemetry import trace
from tests.bus.tools import background, plain_client


class Doubled(Message):
    number: int
    padding: str = ""


class Double(Message):
    subject: ClassVar[str] = "replaced"

    number: int
    padding: str = ""

    @classmethod
    def read_reply(cls, data: bytes) -> Doubled:
        return Doubled.from_bytes(data)


@pytest.fixture
def double(unique: str) -> type[Double]:
    return type("Double", (Double,), {"subject": f"test.{unique}", "__module__": __name__})


async def twice(question: Double) -> Doubled:
    return Doubled(number=2 * question.number)


async def test_a_question_gets_its_answer(bus: Bus, double: type[Double]) -> None:
    async with background(bus.serve(double, twice)):
        answers = await asyncio.gather(*(bus.request(double(number=n)) for n in range(200)))
    assert [answer.number for answer in answers] == [2 * n for n in range(200)]


async def test_a_question_waits_for_its_server_to_come(bus: Bus, double: type[Double]) -> None:
    question = asyncio.create_task(bus.request(double(number=4), timeout=60))
    await asyncio.wait({question}, timeout=0.1)
    async with background(bus.serve(double, twice)):
        assert (await question).number == 8


async def test_a_server_that_dies_over_a_question_is_asked_again(
    bus: Bus, nats_url: str, double: type[Double], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rpc, "SILENCE", 0.3)
    async with plain_client(nats_url) as dying:
        taken = await dying.subscribe(double.subject, queue="tiphys")
        question = asyncio.create_task(bus.request(double(number=4)))
        await taken.next_msg(timeout=60)
        await taken.unsubscribe()
    async with background(bus.serve(double, twice)):
        assert (await question).number == 8


async def test_a_server_that_says_it_works_is_waited_for(
    bus: Bus, double: type[Double], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rpc, "SILENCE", 4.0)
    monkeypatch.setattr(rpc, "SAID_EVERY", 0.2)
    asked = 0

    async def slow(question: Double) -> Doubled:
        nonlocal asked
        asked += 1
        await asyncio.sleep(4.5)
        return await twice(question)

    async with background(bus.serve(double, slow)):
        assert (await bus.request(double(number=4))).number == 8
    assert asked == 1


async def test_without_a_server_the_error_names_the_subject(
    bus: Bus, double: type[Double], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "PAUSES", (60.0,))  # no time is left for a second attempt
    with pytest.raises(RequestError, match=f"no service answers '{double.subject}'") as caught:
        await bus.request(double(number=1), timeout=60)
    assert (caught.value.reason, caught.value.retriable) == ("NoResponders", True)


async def test_a_refusal_arrives_with_reason_and_verdict(bus: Bus, double: type[Double]) -> None:
    async def refuse(_question: Double) -> Doubled:
        raise RequestError("RevisionNotFound", "no such branch", retriable=False)

    async with background(bus.serve(double, refuse)):
        with pytest.raises(RequestError) as caught:
            await bus.request(double(number=1))
    error = caught.value
    assert (error.reason, error.message, error.retriable) == ("RevisionNotFound", "no such branch", False)


async def test_a_crash_in_the_server_is_told_without_secrets(bus: Bus, double: type[Double]) -> None:
    async def crash(_question: Double) -> Doubled:
        raise OSError("https://me:hunter22@example.com is gone")

    async with background(bus.serve(double, crash)):
        with pytest.raises(RequestError, match=r"Internal: OSError: https://\*\*\*@example.com is gone") as caught:
            await bus.request(double(number=1))
    assert caught.value.retriable


async def test_a_cancellation_inside_the_server_is_told_as_its_failure(bus: Bus, double: type[Double]) -> None:
    async def cancelled(_question: Double) -> Doubled:
        inner = asyncio.ensure_future(asyncio.Event().wait())
        inner.cancel()
        await inner
        raise AssertionError("never reached")

    async with background(bus.serve(double, cancelled)):
        with pytest.raises(RequestError, match="HandlerCancelled"):
            await bus.request(double(number=1))


async def test_an_answer_that_is_larger_than_a_message_arrives(bus: Bus, double: type[Double]) -> None:
    async def huge(_question: Double) -> Doubled:
        return Doubled(number=1, padding="x" * 3_000_000)

    async with background(bus.serve(double, huge)):
        assert len((await bus.request(double(number=1))).padding) == 3_000_000


async def test_a_question_that_is_too_large_is_refused_clearly(bus: Bus, double: type[Double]) -> None:
    with pytest.raises(RequestError) as caught:
        await bus.request(double(number=1, padding="x" * 1_200_000))
    assert caught.value.reason == "RequestTooLarge"


async def test_a_slow_server_is_given_up_in_time_and_told_so(bus: Bus, double: type[Double]) -> None:
    ended = asyncio.Event()

    async def slow(question: Double) -> Doubled:
        if question.number == 0:
            return await twice(question)
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError("never reached")

    async with background(bus.serve(double, slow)):
        await bus.request(double(number=0))  # it listens
        with pytest.raises(RequestError) as caught:
            await bus.request(double(number=1), timeout=0.3)
        await asyncio.wait_for(ended.wait(), 60)
    assert (caught.value.reason, caught.value.retriable) == ("Timeout", True)


async def test_what_is_no_question_is_answered_as_bad(bus: Bus, nats_url: str, double: type[Double]) -> None:
    async with background(bus.serve(double, twice)), plain_client(nats_url) as client:
        await bus.request(double(number=1))
        reply = await client.request(double.subject, b"{not json", timeout=30)
    assert b"BadRequest" in reply.data


async def test_what_is_no_answer_is_told_as_bad(bus: Bus, nats_url: str, double: type[Double]) -> None:
    async with plain_client(nats_url) as client:

        async def nonsense(message: object) -> None:
            await message.respond(b"[]")  # type: ignore[attr-defined]

        await client.subscribe(double.subject, cb=nonsense)
        await client.flush()
        with pytest.raises(RequestError) as caught:
            await bus.request(double(number=1))
    assert caught.value.reason == "BadReply"


async def test_servers_of_one_queue_share_the_questions(bus: Bus, double: type[Double]) -> None:
    async def one(_question: Double) -> Doubled:
        return Doubled(number=1)

    async def two(_question: Double) -> Doubled:
        return Doubled(number=2)

    async with background(bus.serve(double, one), bus.serve(double, two)):
        answers = [(await bus.request(double(number=0))).number for _ in range(100)]
    assert set(answers) == {1, 2}


async def test_the_servers_limit_is_kept(bus: Bus, double: type[Double]) -> None:
    busy, most = [0], [0]

    async def counted(question: Double) -> Doubled:
        busy[0] += 1
        most[0] = max(most[0], busy[0])
        await asyncio.sleep(0)
        busy[0] -= 1
        return Doubled(number=question.number)

    async with background(bus.serve(double, counted, concurrency=3)):
        await asyncio.gather(*(bus.request(double(number=n)) for n in range(50)))
    assert most[0] <= 3


async def test_the_server_works_inside_the_askers_delivery(bus: Bus, double: type[Double]) -> None:
    async def tell(_question: Double) -> Doubled:
        return Doubled(number=1, padding=trace.delivery.get())

    async with background(bus.serve(double, tell)):
        with trace.traced("git:1:abc"):
            assert (await bus.request(double(number=1))).padding == "git:1:abc"
