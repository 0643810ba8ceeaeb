"""Docker Hub: a tag was pushed, which is all that it tells; no digest, no signature."""

from pydantic import Field

from services.gateway.registries.pushed import Place, Received, delivery_of, hook, seconds
from services.gateway.webhooks.payload import Ignored, Payload, shaped
from shared.events import RegistryHook


class PushData(Payload):
    tag: str = Field(min_length=1)
    pushed_at: float | int | None = None


class Repository(Payload):
    repo_name: str = Field(min_length=1)


class Push(Payload):
    push_data: PushData
    repository: Repository


def recognise(received: Received) -> bool:
    document = received.document
    repository = document.get("repository") if isinstance(document, dict) and "push_data" in document else None
    return isinstance(repository, dict) and "repo_name" in repository


def parse(received: Received) -> tuple[RegistryHook, ...] | Ignored:
    push = shaped(Push, received.document)
    name = push.repository.repo_name
    place = Place("docker.io", name if "/" in name else f"library/{name}")
    given = delivery_of("", received.body)
    return (
        hook("docker.io", place, delivery=given, tag=push.push_data.tag, pushed_at=seconds(push.push_data.pushed_at)),
    )
