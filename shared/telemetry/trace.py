"""The delivery id and the W3C trace context of the work at hand, as context variables.

A task that handles a message starts inside `traced(...)`; everything it logs, publishes or asks carries the same ids.
The trace id is computed from the delivery id, so parts that never spoke to each other still share one trace.
"""

import hashlib
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

delivery: ContextVar[str] = ContextVar("delivery", default="")
traceparent: ContextVar[str] = ContextVar("traceparent", default="")

_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")


def trace_id(delivery_id: str) -> str:
    return hashlib.sha256(delivery_id.encode()).hexdigest()[:32]


def child(parent: str, delivery_id: str) -> str:
    """The next span's traceparent: in the parent's trace when it is well formed, else in the delivery's own."""
    match = _TRACEPARENT.fullmatch(parent)
    trace = match.group(1) if match and set(match.group(1)) != {"0"} else trace_id(delivery_id)
    return f"00-{trace}-{secrets.token_hex(8)}-01"


@contextmanager
def traced(delivery_id: str, parent: str = "") -> Iterator[str]:
    """Work on one delivery; yields the traceparent that outgoing messages and requests carry.

    Work that belongs to no delivery and has no parent is in no trace.
    """
    span = child(parent, delivery_id) if delivery_id or parent else ""
    delivery_token, span_token = delivery.set(delivery_id), traceparent.set(span)
    try:
        yield span
    finally:
        traceparent.reset(span_token)
        delivery.reset(delivery_token)


def outgoing(delivery_id: str) -> str:
    """The traceparent for a message that leaves now: the current span's, or a new one for its delivery."""
    return traceparent.get() or child("", delivery_id)
