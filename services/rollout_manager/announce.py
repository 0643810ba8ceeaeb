"""Telling others what happens to a Rollout: events for the bus, put into an outbox that a task of its own sends.

A bus that is away delays the telling, never the doing.
"""

from typing import cast

from services.rollout_manager.actions import Say
from services.rollout_manager.keys import Obj
from services.rollout_manager.parts import Parts
from services.rollout_manager.state import mapping, text, whole
from services.rollout_manager.subscriptions import subscribers
from shared.events import DELIVERY, RolloutEvent, RolloutWhat


def announce(parts: Parts, obj: Obj, say: Say, status: Obj) -> None:
    """Queue one event."""
    metadata = obj["metadata"]
    namespace, name = metadata["namespace"], metadata["name"]
    annotations = metadata.get("annotations") or {}
    steps = mapping(obj, "spec", "strategy", "canary").get("steps") or ()
    event = RolloutEvent(
        delivery=annotations.get(DELIVERY) or f"rollout:{namespace}/{name}",
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
        subscribers=subscribers(annotations, say.reason),
    )
    parts.outbox.put(event)
