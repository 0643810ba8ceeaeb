"""CNCF distribution's notifications, which GitLab's registry sends too: many events in one envelope.

Layers, pulls, mounts, deletions and manifests without a tag (the parts of an index) say nothing about a tag.
"""

from pydantic import Field

from services.gateway.registries.pushed import Place, Received, delivery_of, hook, moment
from services.gateway.webhooks.payload import Ignored, Payload, WrongShape, shaped
from shared.events import RegistryHook

CONTENT_TYPE = "application/vnd.docker.distribution.events.v2+json"
MOST_EVENTS = 1000


class Target(Payload):
    media_type: str | None = Field(default=None, alias="mediaType")
    repository: str
    digest: str | None = None
    tag: str | None = None
    url: str | None = None


class Request(Payload):
    host: str | None = None


class Event(Payload):
    id: str | None = None
    timestamp: str | None = None
    action: str
    target: Target
    request: Request | None = None


class Envelope(Payload):
    events: list[Event]


def recognise(received: Received) -> bool:
    return received.headers.get("content-type", "").startswith(CONTENT_TYPE) or (
        isinstance(received.document, dict) and isinstance(received.document.get("events"), list)
    )


def parse(received: Received) -> tuple[RegistryHook, ...] | Ignored:
    events = shaped(Envelope, received.document).events
    if len(events) > MOST_EVENTS:
        raise WrongShape(f"events: more than {MOST_EVENTS} in one envelope")
    hooks = tuple(hook_of("distribution", event, received.body) for event in events if is_push(event))
    return hooks or Ignored("no tag was pushed")


def is_push(event: Event) -> bool:
    return event.action == "push" and bool(event.target.tag)


def hook_of(sender: str, event: Event, body: bytes) -> RegistryHook:
    target, request = event.target, event.request
    return hook(
        sender,
        Place((request.host if request else "") or target.url or "", target.repository),
        delivery=delivery_of(event.id, body),
        tag=target.tag,
        digest=target.digest,
        pushed_at=moment(event.timestamp),
    )
