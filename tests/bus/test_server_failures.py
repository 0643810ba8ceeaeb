"""What a dying nats-server costs: latency, never a message, and no restart of ours."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from shared.bus import Bus, Disconnected, RequestError, connect
from shared.bus.server import Server, running
from shared.events import AppEvent, ResolvedRevision, ResolveRevision
from tests.bus.tools import Seen, background, consuming, happened


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with running(tmp_path / "nats") as started:
        yield started


@pytest_asyncio.fixture
async def own_bus(server: Server) -> AsyncIterator[Bus]:
    async with connect(server.url, service="chaos") as connected:
        yield connected


async def test_no_message_is_lost_when_the_server_is_killed_while_consuming(server: Server, own_bus: Bus) -> None:
    seen = Seen()

    async def publish(number: int) -> None:
        await own_bus.publish(happened("k", number), timeout=60)

    async def publish_all() -> None:
        for start in range(0, 400, 10):
            await asyncio.gather(*(publish(number) for number in range(start, start + 10)))

    async with consuming(own_bus, "k", seen, concurrency=4, ack_wait=2):
        publishing = asyncio.create_task(publish_all())
        for milestone in (50, 150, 250):
            await seen.until(milestone)
            await server.kill()
            await server.start()
        await publishing
        await seen.until(400)
    assert set(seen.numbers) == set(range(400))


async def test_a_message_being_handled_while_the_server_dies_is_acked_after(server: Server, own_bus: Bus) -> None:
    started, release, calls = asyncio.Event(), asyncio.Event(), Seen()

    async def handler(event: AppEvent) -> None:
        started.set()
        await release.wait()
        await calls(event)

    async with consuming(own_bus, "a", handler, ack_wait=30):
        await own_bus.publish(happened("a", 1))
        await started.wait()
        await server.kill()
        await server.start()
        release.set()
        await calls.until(1)
        await own_bus.publish(happened("a", 2))
        await calls.until(2)
    assert calls.numbers in ([1, 2], [1, 1, 2]), "a server that was killed may not know that it had delivered the first"


async def test_a_server_that_lost_its_disk_gets_its_streams_again(server: Server, own_bus: Bus) -> None:
    seen = Seen()
    async with consuming(own_bus, "s", seen):
        await own_bus.publish(happened("s", 1))
        await seen.until(1)
        await server.kill()
        await asyncio.to_thread(shutil.rmtree, server.folder / "jetstream")
        await server.start()
        await own_bus.publish(happened("s", 2))
        await seen.until(2)
        digest = await own_bus.put_object("manifests", b"again")
        assert await own_bus.get_object("manifests", digest) == b"again"


async def test_publishing_waits_for_the_server_to_come_back(server: Server, own_bus: Bus) -> None:
    await server.kill()
    publishing = asyncio.create_task(own_bus.publish(happened("w", 1), timeout=60))
    await server.start()
    assert (await publishing).stream == "DELIVERY"


async def test_publishing_without_a_server_ends_with_a_clear_error(server: Server, own_bus: Bus) -> None:
    await server.kill()
    with pytest.raises(Disconnected, match=r"no NATS server at nats://127.0.0.1:\d+"):
        await own_bus.publish(happened("w", 1), timeout=1)


async def test_a_question_asked_before_the_server_dies_is_answered_after(server: Server, own_bus: Bus) -> None:
    asked = asyncio.Event()

    async def answer(question: ResolveRevision) -> ResolvedRevision:
        asked.set()
        return ResolvedRevision(revision=question.repo_url)

    async with background(own_bus.serve(ResolveRevision, answer)):
        await own_bus.request(ResolveRevision(repo_url="warm"))
        await server.kill()
        question = asyncio.create_task(own_bus.request(ResolveRevision(repo_url="x"), timeout=60))
        await server.start()
        assert (await question).revision == "x"


async def test_a_question_without_a_bus_fails_as_retriable(server: Server, own_bus: Bus) -> None:
    await server.kill()
    with pytest.raises(RequestError) as caught:
        await own_bus.request(ResolveRevision(repo_url="x"), timeout=0.5)
    assert (caught.value.reason, caught.value.retriable) == ("BusUnavailable", True)


async def test_connecting_to_nothing_gives_up_after_its_patience() -> None:
    with pytest.raises(Disconnected, match="is it running"):
        async with connect("nats://user:hunter22@127.0.0.1:1", service="t", patience=0.3):
            raise AssertionError("there is no server")


async def test_a_key_is_written_again_after_the_disk_was_lost(server: Server, own_bus: Bus) -> None:
    store = await own_bus.kv("leases")
    await store.put("a", b"1")
    await server.kill()
    await asyncio.to_thread(shutil.rmtree, server.folder / "jetstream")
    await server.start()
    await store.put("a", b"2")
    assert (await store.get("a")) is not None


async def test_the_state_of_the_connection_is_told(server: Server) -> None:
    states: asyncio.Queue[bool] = asyncio.Queue()

    def on_state(up: bool, _why: str) -> None:
        states.put_nowait(up)

    async with connect(server.url, service="t", on_state=on_state) as bus:
        assert await states.get() is True
        await server.kill()
        assert await asyncio.wait_for(states.get(), 60) is False
        await server.start()
        while not await asyncio.wait_for(states.get(), 60):
            pass
        assert bus.connected


async def test_following_history_goes_on_after_a_restart(server: Server, own_bus: Bus) -> None:
    await own_bus.publish(happened("f", 1))
    follower = own_bus.replay("delivery.app.>", follow=True)
    assert (await anext(follower)).delivery == "f-1"
    waiting = asyncio.ensure_future(anext(follower))
    await server.kill()
    await server.start()
    await own_bus.publish(happened("f", 2))
    assert (await asyncio.wait_for(waiting, 60)).delivery == "f-2"
    await follower.aclose()  # type: ignore[attr-defined]
