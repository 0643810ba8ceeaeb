"""Google's registries (Artifact Registry, the old gcr.io), as Pub/Sub pushes what they tell."""

import base64
import binascii

from pydantic import Field

from services.gateway.registries.pushed import Received, delivery_of, hook, moment, place_of
from services.gateway.webhooks.payload import Ignored, Malformed, Payload, WrongShape, decode, shaped
from shared.events import RegistryHook


class Message(Payload):
    data: str
    message_id: str | None = Field(default=None, alias="messageId")
    publish_time: str | None = Field(default=None, alias="publishTime")


class Envelope(Payload):
    message: Message
    subscription: str


class Event(Payload):
    action: str
    digest: str | None = None
    tag: str | None = None


def recognise(received: Received) -> bool:
    document = received.document
    return isinstance(document, dict) and {"message", "subscription"} <= document.keys()


def parse(received: Received) -> tuple[RegistryHook, ...] | Ignored:
    message = shaped(Envelope, received.document).message
    event = _event(message.data)
    if event.action != "INSERT" or not event.tag:
        return Ignored("no tag was pushed")
    name, _, tag = event.tag.rpartition(":")
    return (
        hook(
            "gcr",
            place_of(name),
            delivery=delivery_of(message.message_id, received.body),
            tag=tag,
            digest=(event.digest or "").rpartition("@")[2],
            pushed_at=moment(message.publish_time),
        ),
    )


def _event(data: str) -> Event:
    try:
        return shaped(Event, decode({}, base64.b64decode(data, validate=True)))
    except (binascii.Error, ValueError, Malformed) as error:
        raise WrongShape("message.data: it is no base64 of JSON") from error
