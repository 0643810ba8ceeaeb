"""Dead letters: messages that nobody could handle, kept with the reason so that a person can read and replay them.

A dead letter is the original message (cut if it is huge) under `dead.<stream>.<durable>` with its story in headers.
Replaying publishes it again under its old subject, marked for the one durable that failed; others pass it by.
"""

from dataclasses import dataclass

from nats.aio.msg import Msg

from shared.bus.envelope import MEANT_FOR, MSG_ID, Envelope, Headers, one_line
from shared.clock import now, rfc3339_ms
from shared.events import token, untoken
from shared.security import redact

PREFIX = "tiphys-dead-"
LARGEST = 256 * 1024


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """`sequence` is its number on the stream DEAD: what a replay is asked by."""

    sequence: int
    stream: str
    durable: str
    subject: str
    reason: str
    attempts: int
    at: str
    cut: bool
    headers: Headers
    data: bytes


def letter(message: Msg, reason: str) -> tuple[str, bytes, Headers]:
    """Subject, body and headers of the dead letter for a message."""
    meta = message.metadata
    kept = {name: value for name, value in (message.headers or {}).items() if name in _KEPT}
    story = {
        MSG_ID: f"dead:{meta.stream}:{meta.consumer}:{meta.sequence.stream}:{meta.timestamp.timestamp()}",
        f"{PREFIX}subject": one_line(message.subject),
        f"{PREFIX}reason": one_line(redact(reason)) or "no reason given",
        f"{PREFIX}attempts": str(meta.num_delivered),
        f"{PREFIX}sequence": str(meta.sequence.stream),
        f"{PREFIX}at": rfc3339_ms(now()),
        f"{PREFIX}cut": str(len(message.data) > LARGEST).lower(),
    }
    headers = {name: one_line(value) for name, value in kept.items()} | story
    return f"dead.{token(meta.stream)}.{token(meta.consumer)}", message.data[:LARGEST], headers


_KEPT = frozenset(
    ("ce-specversion", "ce-id", "ce-type", "ce-source", "ce-time", "content-type", "tiphys-delivery", "traceparent")
)


def read(envelope: Envelope) -> DeadLetter:
    story = {name.removeprefix(PREFIX): value for name, value in envelope.headers.items() if name.startswith(PREFIX)}
    _, stream, durable = envelope.subject.split(".", 2)
    return DeadLetter(
        sequence=envelope.sequence,
        stream=untoken(stream),
        durable=untoken(durable),
        subject=story.get("subject", ""),
        reason=story.get("reason", ""),
        attempts=int(story.get("attempts", 0)),
        at=story.get("at", ""),
        cut=story.get("cut") == "true",
        headers={name: value for name, value in envelope.headers.items() if name in _KEPT},
        data=envelope.data,
    )


def again(dead: DeadLetter) -> Headers:
    """Headers for publishing a dead letter again; a new message id, or the stream would take it for a duplicate."""
    return dead.headers | {MSG_ID: f"replay:{dead.sequence}:{dead.at}", MEANT_FOR: one_line(dead.durable)}
