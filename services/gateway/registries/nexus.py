"""Sonatype Nexus: a component of a Docker repository was created or updated. It names no host."""

from pydantic import Field

from services.gateway.registries.pushed import Place, Received, delivery_of, hook, moment
from services.gateway.webhooks.payload import Ignored, Payload, shaped
from shared.events import RegistryHook

HEADERS = ("x-nexus-webhook-id", "x-nexus-webhook-signature")


class Component(Payload):
    format: str | None = None
    name: str = Field(min_length=1)
    version: str = Field(min_length=1)


class Kind(Payload):
    action: str
    repository_name: str = Field(alias="repositoryName")


class Event(Payload):
    timestamp: str | None = None
    component: Component


def recognise(received: Received) -> bool:
    document = received.document
    named = isinstance(document, dict) and {"repositoryName", "component"} <= document.keys()
    return named or any(header in received.headers for header in HEADERS)


def parse(received: Received) -> tuple[RegistryHook, ...] | Ignored:
    kind = shaped(Kind, received.document)
    if kind.action not in ("CREATED", "UPDATED"):
        return Ignored(f"action {kind.action!r}")
    event = shaped(Event, received.document)
    component = event.component
    if component.format != "docker":
        return Ignored(f"a component of format {component.format!r}")
    given = delivery_of(received.headers.get("x-nexus-webhook-delivery"), received.body)
    names = (component.name, f"{kind.repository_name}/{component.name}")
    at = moment(event.timestamp)
    return tuple(hook("nexus", Place("", name), delivery=given, tag=component.version, pushed_at=at) for name in names)
