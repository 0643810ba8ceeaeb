"""What happens to Applications whose partition comes to this replica, leaves it, or can't be acted on for a while.

All that is kept of them in memory can be made again from Kubernetes and git; what must survive (an operation that
runs) stands in the object. Never: who holds what (membership.py).
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from services.reconciler.handlers import on_application
from services.reconciler.keys import AppKey
from services.reconciler.membership import Numbers, Turns
from services.reconciler.memory import forget
from services.reconciler.partitions import COUNT, partition_of
from services.reconciler.parts import Parts
from services.reconciler.state import AppState
from services.reconciler.watches import read
from shared.run import Health

HAND_OVER_SECONDS = 10.0
LOOK_EVERY = 0.1


def turns(parts: Parts, health: Health) -> Turns:
    """Give what membership tells, bound to this replica."""

    def state(ok: bool, why: str) -> None:
        health.set_ready("partitions", ok, why)
        health.note("partitions", f"{len(parts.membership.held)} of {COUNT} partitions" if ok else "")

    async def hand_over(numbers: Numbers) -> None:
        await finished(parts.states, numbers)

    return Turns(
        gained=lambda numbers: take(parts, numbers),
        lost=lambda numbers: drop(parts, numbers),
        hand_over=hand_over,
        lapsed=lambda: call_off(parts),
        resumed=lambda: resume(parts),
        state=state,
    )


def take(parts: Parts, numbers: Numbers) -> None:
    """Begin with the Applications of these partitions; who held them may know newer commits than we do."""
    parts.heads.doubt()
    for key, raw in parts.known_applications.items():
        if partition_of(AppKey(*key)) in numbers:
            on_application(parts, AppKey(*key), read(raw))


def drop(parts: Parts, numbers: Numbers) -> None:
    """Forget the Applications of these partitions; what runs for them is called off."""
    for key in [key for key in parts.states if partition_of(key) in numbers]:
        forget(parts, key)


async def finished(states: Mapping[AppKey, AppState], numbers: Numbers) -> None:
    """Wait until no sync of these partitions writes any more; one that waits, for a hook too, goes on elsewhere."""
    with suppress(TimeoutError):
        async with asyncio.timeout(HAND_OVER_SECONDS):
            while any(writes(state) for key, state in states.items() if partition_of(key) in numbers):  # noqa: ASYNC110
                await asyncio.sleep(LOOK_EVERY)


def writes(state: AppState) -> bool:
    """Tell whether a sync is in the middle of something, or has ended and its end is not written yet."""
    return state.running is not None and not state.running.idle


def call_off(parts: Parts) -> None:
    """Stop all syncs: whether their partitions are still ours is not known. What was asked for stays in the objects."""
    for state in parts.states.values():
        if state.running is not None and state.running.task is not None and not state.running.done:
            state.running.task.cancel()
            state.running, state.resumed = None, False


def resume(parts: Parts) -> None:
    """Go on where `call_off` stopped."""
    for key in parts.states:
        parts.queue.add(key)
