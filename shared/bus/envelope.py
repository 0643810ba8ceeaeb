"""From an event to NATS headers and bytes (CloudEvents 1.0, binary mode) and back.

`Envelope` is a stored or live message as a reader sees it: the event inside is decoded on request, so that
`events tail` can show messages it has no model for.
"""

from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError

from shared.clock import rfc3339_ms
from shared.events import EVENTS, Event
from shared.telemetry import trace

Headers = dict[str, str]
MSG_ID = "Nats-Msg-Id"
DELIVERY, TRACEPARENT = "tiphys-delivery", "traceparent"
MEANT_FOR = "tiphys-replay-for"
LONGEST_HEADER = 1000

_BY_TYPE = {event.type_name(): event for event in EVENTS}


def one_line(text: str) -> str:
    """Header values hold one line of printable text."""
    if text.isprintable():
        return text[:LONGEST_HEADER].strip()
    clean = "".join(letter if letter.isprintable() else " " for letter in text)
    return clean.encode("utf-8", "replace").decode()[:LONGEST_HEADER].strip()


def headers_of(event: Event, service: str) -> Headers:
    identity = one_line(event.dedupe_id())
    return {
        MSG_ID: identity,
        "ce-specversion": "1.0",
        "ce-id": identity,
        "ce-type": event.type_name(),
        "ce-source": f"/tiphys/{service}",
        "ce-time": rfc3339_ms(event.at),
        "content-type": "application/json",
        DELIVERY: one_line(event.delivery),
        TRACEPARENT: trace.outgoing(event.delivery),
    }


@dataclass(frozen=True, slots=True)
class Envelope:
    subject: str
    data: bytes
    headers: Headers
    sequence: int = 0  # 0: seen live, not read from its stream
    at: datetime | None = None

    @property
    def type_name(self) -> str:
        return self.headers.get("ce-type", "")

    @property
    def delivery(self) -> str:
        return self.headers.get(DELIVERY, "")

    def event(self) -> Event | None:
        """The event inside, or None when its type is unknown here or its content does not fit the type."""
        model = _BY_TYPE.get(self.type_name)
        try:
            return model.from_bytes(self.data) if model else None
        except ValidationError:
            return None
