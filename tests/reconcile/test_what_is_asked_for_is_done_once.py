"""A request is done once, by whichever replica it reaches first; the others give its answer."""

import asyncio

import pytest

from services.reconciler.once import BEGUN, key_of, once
from shared.bus import Bus
from shared.events import ActionChange, ActionDone, RequestError, ResourceRef

WEB = ResourceRef(group="apps", kind="Deployment", namespace="shop", name="web")


class Restarting:
    """Something that takes a moment; each time is counted."""

    def __init__(self, failures: int = 0) -> None:
        self.times, self.failures = 0, failures

    async def __call__(self) -> ActionDone:
        self.times += 1
        await asyncio.sleep(0)
        if self.times <= self.failures:
            raise RequestError("Refused", "not now", retriable=True)
        return ActionDone(changes=(ActionChange(operation="patch", resource=WEB),))


async def test_two_replicas_that_are_asked_the_same_do_it_once(bus: Bus, unique: str) -> None:
    restarting = Restarting()
    answers = await asyncio.gather(*(once(bus, unique, restarting) for _ in range(3)))
    again = await once(bus, unique, restarting)
    assert restarting.times == 1
    assert {again, *answers} == {again}
    assert again.changes[0].resource == WEB


async def test_an_id_of_any_length_and_letters_is_an_id(bus: Bus, unique: str) -> None:
    restarting = Restarting()
    long = f"{unique} *.>/é\n" + "x" * 500_000
    assert {await once(bus, long, restarting), await once(bus, long, restarting)} == {await once(bus, long, restarting)}
    assert restarting.times == 1
    await once(bus, f"{long}y", restarting)
    assert restarting.times == 2


async def test_what_failed_may_be_asked_for_again(bus: Bus, unique: str) -> None:
    restarting = Restarting(failures=1)
    with pytest.raises(RequestError, match="not now"):
        await once(bus, unique, restarting)
    assert (await once(bus, unique, restarting)).changes
    assert restarting.times == 2


async def test_what_a_process_began_and_never_ended_is_not_done_again(bus: Bus, unique: str) -> None:
    answers = await bus.kv("actions", lifetime=3600.0)
    await answers.create(key_of(unique), BEGUN)
    restarting = Restarting()
    with pytest.raises(RequestError, match="its end is not known"):
        await once(bus, unique, restarting, patience=0.01)
    assert restarting.times == 0


async def test_what_was_stopped_half_way_is_not_done_again(bus: Bus, unique: str) -> None:
    started = asyncio.Event()

    async def hanging() -> ActionDone:
        started.set()
        await asyncio.Event().wait()
        return ActionDone()

    stopped = asyncio.create_task(once(bus, unique, hanging))
    await started.wait()
    stopped.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopped
    restarting = Restarting()
    with pytest.raises(RequestError, match="its end is not known"):
        await once(bus, unique, restarting, patience=0.01)
    assert restarting.times == 0
