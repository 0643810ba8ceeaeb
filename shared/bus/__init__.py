"""The only package that knows NATS: events, requests, objects and keys between services (DESIGN section 4).

async with connect(url, service="gateway") as bus:
    await bus.publish(event)                                    # stored, or it raises
    await bus.consume(GitHook, "git-watcher", on_hook)          # until cancelled
    reply = await bus.request(ResolveRevision(...), timeout=10)
    await bus.serve(ResolveRevision, on_resolve, queue="git")   # until cancelled
"""

from shared.bus.bus import Bus, Published, connect
from shared.bus.dead import DeadLetter
from shared.bus.envelope import Envelope
from shared.bus.errors import (
    BusError,
    Conflict,
    Corrupted,
    Disconnected,
    ObjectMissing,
    Reject,
    StreamMissing,
    TooLarge,
)
from shared.bus.kv import Entry, Kv, key
from shared.bus.outbox import Outbox
from shared.bus.silent import NONE, Silent
from shared.events import RequestError

__all__ = [
    "NONE",
    "Bus",
    "BusError",
    "Conflict",
    "Corrupted",
    "DeadLetter",
    "Disconnected",
    "Entry",
    "Envelope",
    "Kv",
    "ObjectMissing",
    "Outbox",
    "Published",
    "Reject",
    "RequestError",
    "Silent",
    "StreamMissing",
    "TooLarge",
    "connect",
    "key",
]
