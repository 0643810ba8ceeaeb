"""JFrog Artifactory: a Docker tag was pushed. Which host serves it depends on its setup, so both ways are told."""

from pydantic import Field

from services.gateway.registries.pushed import Place, Received, delivery_of, hook, host_of
from services.gateway.webhooks.payload import Ignored, Payload, shaped
from shared.events import RegistryHook


class Data(Payload):
    repo_key: str = Field(min_length=1)
    sha256: str | None = None
    image_name: str = Field(min_length=1)
    tag: str = Field(min_length=1)


class Kind(Payload):
    domain: str
    event_type: str


class Event(Payload):
    data: Data
    jpd_origin: str | None = None


def recognise(received: Received) -> bool:
    document = received.document
    return isinstance(document, dict) and {"domain", "event_type", "data"} <= document.keys()


def parse(received: Received) -> tuple[RegistryHook, ...] | Ignored:
    kind = shaped(Kind, received.document)
    if (kind.domain, kind.event_type) not in (("docker", "pushed"), ("docker", "promoted")):
        return Ignored(f"{kind.domain!r} {kind.event_type!r}")
    event = shaped(Event, received.document)
    host, data = host_of(event.jpd_origin or ""), event.data
    digest = f"sha256:{data.sha256}" if data.sha256 else None
    given = delivery_of("", received.body)
    by_path = Place(host, f"{data.repo_key}/{data.image_name}")
    by_host = Place(f"{data.repo_key}.{host}" if host else "", data.image_name)
    return tuple(hook("jfrog", place, delivery=given, tag=data.tag, digest=digest) for place in (by_path, by_host))
