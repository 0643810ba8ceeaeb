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
    """Send what is queued, in order, for as long as the service runs."""
    while True:
        await parts.outbox_filled.wait()
        parts.outbox_filled.clear()
        while parts.outbox:
            event = parts.outbox[0]
            await _sent(parts, event)
            if parts.outbox and parts.outbox[0] is event:
                parts.outbox.popleft()


async def _sent(parts: Parts, event: AppEvent) -> None:
    pause = 0.5
    while True:
        try:
            await parts.bus.publish(event)
        except BusError as error:
            log.warning("an event waits for the bus", subject=event.subject(), error=str(error))
            await asyncio.sleep(pause)
            pause = min(30.0, pause * 2)
        else:
            return
