"""Quay: a repository push with all tags that moved; older servers write them as an object."""

from pydantic import Field

from services.gateway.registries.pushed import Received, delivery_of, hook, place_of
from services.gateway.webhooks.payload import Ignored, Payload, WrongShape, shaped
from shared.events import RegistryHook

MOST_TAGS = 1000


class Push(Payload):
    repository: str = Field(min_length=1)
    docker_url: str | None = None
    updated_tags: list[str] | dict[str, str]


def recognise(received: Received) -> bool:
    document = received.document
    return isinstance(document, dict) and {"updated_tags", "repository"} <= document.keys()


def parse(received: Received) -> tuple[RegistryHook, ...] | Ignored:
    push = shaped(Push, received.document)
    if len(push.updated_tags) > MOST_TAGS:
        raise WrongShape(f"updated_tags: more than {MOST_TAGS}")
    place = place_of(push.docker_url or push.repository, "quay.io")
    given = delivery_of("", received.body)
    hooks = tuple(hook("quay.io", place, delivery=given, tag=tag) for tag in push.updated_tags if tag)
    return hooks or Ignored("no tag was pushed")
