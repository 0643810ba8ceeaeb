"""Telling others what happens to an Application: events for the bus, put into an outbox that a task of its own sends.

A bus that is away delays the telling, never the doing; what the outbox can't hold any more is logged.
"""

from typing import Any

from services.reconciler.parts import Parts
from services.reconciler.state import AppState
from shared.events import AppEvent, ResourceRef, What
from shared.kinds.refs import ResourceKey


def announce(parts: Parts, state: AppState, what: What, *, resource: ResourceKey | None = None, **said: Any) -> None:
    """Queue one event."""
    about = ResourceRef(**resource._asdict()) if resource else None
    revisions = tuple(parts.heads.commit(head) for head in state.rendered.heads) if state.rendered else ()
    named = {"namespace": state.key.namespace, "name": state.key.name, "project": state.project}
    event = AppEvent(
        what=what, delivery=state.delivery or f"app:{state.key}", revisions=revisions, resource=about, **named, **said
    )
    parts.outbox.put(event)
