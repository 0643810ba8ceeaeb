"""Azure Container Registry: one event a request, shaped like one of distribution's."""

from services.gateway.registries.distribution import Event, hook_of, is_push
from services.gateway.registries.pushed import Received
from services.gateway.webhooks.payload import Ignored, Payload, shaped
from shared.events import RegistryHook


class Kind(Payload):
    action: str


def recognise(received: Received) -> bool:
    document = received.document
    return isinstance(document, dict) and {"action", "target"} <= document.keys()


def parse(received: Received) -> tuple[RegistryHook, ...] | Ignored:
    if (action := shaped(Kind, received.document).action) != "push":
        return Ignored(f"action {action!r}")
    event = shaped(Event, received.document)
    return (hook_of("acr", event, received.body),) if is_push(event) else Ignored("no tag was pushed")
