"""Checks of the bus: it answers, its streams are there, nothing lies among the dead letters."""

from services.cli.doctor.findings import Finding, well, wrong
from shared.bus import BusError, connect


async def check(url: str) -> list[Finding]:
    try:
        async with connect(url, service="doctor", patience=5.0) as bus:
            dead = [letter async for letter in bus.dead_letters()]
            events = 0
            async for _ in bus.replay("delivery.>"):
                events += 1
    except BusError as error:
        return [wrong(f"the bus does not answer: {error}", "start it (`tiphys up`), or name it with --nats")]
    found = [well(f"the bus answers and has its streams ({events} events kept)")]
    if dead:
        newest = dead[-1]
        advice = f"the newest is for {newest.subject}: {newest.reason}"
        found.append(wrong(f"{len(dead)} messages could not be handled", advice))
    return found
