"""The outbox: telling is late while the bus is away, and one event that can't be told stands in nobody's way."""

from pathlib import Path

from shared.bus import Bus, Outbox, connect
from shared.bus.outbox import MOST
from shared.bus.server import running
from tests.bus.tools import Seen, background, consuming, happened


async def test_what_is_put_in_while_the_server_is_away_is_told_when_it_is_back(tmp_path: Path) -> None:
    outbox, seen = Outbox(), Seen()
    async with (
        running(tmp_path / "nats") as server,
        connect(server.url, service="outbox") as bus,
        consuming(bus, "o", seen),
        background(outbox.send(bus)),
    ):
        await server.kill()
        for number in range(100):
            outbox.put(happened("o", number))
        await server.start()
        await seen.until(100)


async def test_an_event_that_does_not_fit_is_lost_alone(bus: Bus, unique: str) -> None:
    outbox, seen = Outbox(), Seen()
    outbox.put(happened(unique, 1, message="x" * 2**21))
    outbox.put(happened(unique, 2))
    async with consuming(bus, unique, seen), background(outbox.send(bus)):
        await seen.until(1)
    assert seen.numbers == [2]


async def test_the_oldest_is_lost_when_too_many_wait(bus: Bus, unique: str) -> None:
    outbox, seen = Outbox(), Seen()
    for number in range(MOST + 1):
        outbox.put(happened(unique if number < 2 else f"{unique}-other", number))
    async with consuming(bus, unique, seen), background(outbox.send(bus)):
        await seen.until(1)
    assert seen.numbers == [1]
