"""Telling others what happens to a Rollout: events for the bus, put into an outbox that a task of its own sends.

A bus that is away delays the telling, never the doing.
"""

import asyncio
from typing import cast

from services.rollout_manager.actions import Say
from services.rollout_manager.keys import Obj
from services.rollout_manager.parts import Parts
from services.rollout_manager.state import mapping, text, whole
from shared.bus import BusError
from shared.events import DELIVERY, Event, RolloutEvent, RolloutWhat
from shared.telemetry import get_logger

log = get_logger()
BATCH = 64
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0


def announce(parts: Parts, obj: Obj, say: Say, status: Obj) -> None:
    """Queue one event."""
    metadata = obj["metadata"]
    namespace, name = metadata["namespace"], metadata["name"]
    steps = mapping(obj, "spec", "strategy", "canary").get("steps") or ()
    event = RolloutEvent(
        delivery=(metadata.get("annotations") or {}).get(DELIVERY) or f"rollout:{namespace}/{name}",
        what=cast("RolloutWhat", say.what),
        namespace=namespace,
        name=name,
        reason=say.reason,
        message=say.message,
        phase=text(status, "phase"),
        hash=text(status, "currentPodHash"),
        step=whole(status, "currentStepIndex"),
        steps=len(steps),
        weight=whole(status, "canary", "weights", "canary", "weight"),
    )
    if len(parts.outbox) == parts.outbox.maxlen:
        log.warning("the outbox is full, the oldest event is lost", rollout=f"{namespace}/{name}")
    parts.outbox.append(event)
    parts.outbox_filled.set()


async def send(parts: Parts) -> None:
    """Send what is queued for as long as the service runs."""
    while True:
        await parts.outbox_filled.wait()
        parts.outbox_filled.clear()
        while parts.outbox:
            batch = [parts.outbox.popleft() for _ in range(min(BATCH, len(parts.outbox)))]
            await asyncio.gather(*(_sent(parts, event) for event in batch))


async def _sent(parts: Parts, event: Event) -> None:
    pause = FIRST_PAUSE
    while True:
        try:
            await parts.bus.publish(event)
        except BusError as error:
            log.warning("an event waits for the bus", subject=event.subject(), error=str(error))
            await asyncio.sleep(pause)
            pause = min(LONGEST_PAUSE, pause * 2)
        else:
            return
