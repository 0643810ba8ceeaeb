"""Telling others what happens to an Application: events for the bus, put into an outbox that a task of its own sends.

A bus that is away delays the telling, never the doing; what the outbox can't hold any more is counted and logged.
"""

import asyncio
from typing import Any

from services.reconciler.parts import Parts
from services.reconciler.state import AppState
from shared.bus import BusError
from shared.events import AppEvent, ResourceRef, What
from shared.kinds.refs import ResourceKey
from shared.telemetry import get_logger

log = get_logger()
BATCH = 64
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0


def announce(parts: Parts, state: AppState, what: What, *, resource: ResourceKey | None = None, **said: Any) -> None:
    """Queue one event."""
    about = ResourceRef(**resource._asdict()) if resource else None
    revisions = tuple(parts.heads.commit(head) for head in state.rendered.heads) if state.rendered else ()
    named = {"namespace": state.key.namespace, "name": state.key.name, "project": state.project}
    event = AppEvent(
        what=what, delivery=state.delivery or f"app:{state.key}", revisions=revisions, resource=about, **named, **said
    )
    if len(parts.outbox) == parts.outbox.maxlen:
        log.warning("the outbox is full, the oldest event is lost", app=str(state.key))
    parts.outbox.append(event)
    parts.outbox_filled.set()


async def send(parts: Parts) -> None:
    """Send what is queued for as long as the service runs, several at a time: each event says when it happened."""
    while True:
        await parts.outbox_filled.wait()
        parts.outbox_filled.clear()
        while parts.outbox:
            batch = [parts.outbox.popleft() for _ in range(min(BATCH, len(parts.outbox)))]
            await asyncio.gather(*(_sent(parts, event) for event in batch))


async def _sent(parts: Parts, event: AppEvent) -> None:
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
