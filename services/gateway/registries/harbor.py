"""Harbor: `PUSH_ARTIFACT` with one or more resources; the same data comes as a CloudEvent too."""

from pydantic import Field

from services.gateway.registries.pushed import Place, Received, delivery_of, hook, place_of, seconds
from services.gateway.webhooks.payload import Ignored, Payload, WrongShape, shaped
from shared.events import RegistryHook

MOST_RESOURCES = 1000


class Resource(Payload):
    digest: str | None = None
    tag: str | None = None
    resource_url: str | None = None


class Repository(Payload):
    repo_full_name: str = Field(min_length=1)


class Data(Payload):
    resources: list[Resource]
    repository: Repository


class Kind(Payload):
    type: str


class Event(Payload):
    occur_at: float | int | None = None
    event_data: Data


def recognise(received: Received) -> bool:
    document = received.document
    return isinstance(document, dict) and {"type", "event_data"} <= document.keys()


def parse(received: Received) -> tuple[RegistryHook, ...] | Ignored:
    if (kind := shaped(Kind, received.document).type) != "PUSH_ARTIFACT":
        return Ignored(f"type {kind!r}")
    event = shaped(Event, received.document)
    return hooks_of(event.event_data, delivery_of("", received.body), event.occur_at)


def hooks_of(data: Data, delivery: str, at: float | None = None) -> tuple[RegistryHook, ...] | Ignored:
    if len(data.resources) > MOST_RESOURCES:
        raise WrongShape(f"resources: more than {MOST_RESOURCES}")
    hooks = tuple(
        hook(
            "harbor",
            Place(place_of(resource.resource_url or "").host, data.repository.repo_full_name),
            delivery=delivery,
            tag=resource.tag,
            digest=resource.digest,
            pushed_at=seconds(at),
        )
        for resource in data.resources
        if resource.tag and resource.tag != resource.digest
    )
    return hooks or Ignored("no tag was pushed")
