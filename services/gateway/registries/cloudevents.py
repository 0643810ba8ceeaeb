"""CloudEvents of any sender, structured or binary: Harbor's, ECR's as EventBridge is told to write them, and others.

Their data names an image: `image`, or `repository` (`repositoryName`) with `tag` (`imageTag`), perhaps with a digest.
"""

import re
from typing import Any

from pydantic import AliasChoices, Field

from services.gateway.registries import harbor
from services.gateway.registries.ecr import host_in
from services.gateway.registries.pushed import Place, Received, delivery_of, hook, moment, place_of
from services.gateway.webhooks.payload import Ignored, Payload, WrongShape, shaped
from shared.events import RegistryHook
from shared.oci.errors import UnsupportedAddress
from shared.oci.reference import image_of

CONTENT_TYPE = "application/cloudevents+json"
NO_PUSH = re.compile(r"delet|remov|pull|quota|scan|replicat", re.IGNORECASE)
_ECR = re.compile(r"urn:aws:ecr:(?P<region>[a-z0-9-]{1,40}):(?P<account>[0-9]{1,20}):")


class Event(Payload):
    id: str | None = None
    type: str
    source: str | None = None
    time: str | None = None
    data: dict[str, Any] = Field(default_factory=dict)


class Data(Payload):
    image: str | None = None
    registry: str | None = Field(
        default=None, validation_alias=AliasChoices("registry", "registryUrl", "registry_url", "host")
    )
    repository: str | None = Field(
        default=None, validation_alias=AliasChoices("repository", "repositoryName", "repository-name", "name")
    )
    tag: str | None = Field(default=None, validation_alias=AliasChoices("tag", "imageTag", "image-tag"))
    digest: str | None = Field(default=None, validation_alias=AliasChoices("digest", "imageDigest", "image-digest"))


def recognise(received: Received) -> bool:
    document = received.document
    structured = isinstance(document, dict) and "specversion" in document
    return structured or "ce-specversion" in received.headers


def parse(received: Received) -> tuple[RegistryHook, ...] | Ignored:
    event = shaped(Event, _whole(received))
    if NO_PUSH.search(event.type):
        return Ignored(f"type {event.type!r}")
    given = delivery_of(event.id, received.body)
    if "resources" in event.data:
        return harbor.hooks_of(shaped(harbor.Data, event.data), given)
    data = shaped(Data, event.data)
    place, tag, digest = _named(data, event.source or "")
    if not tag:
        return Ignored("no tag was pushed")
    return (hook("cloudevents", place, delivery=given, tag=tag, digest=digest, pushed_at=moment(event.time)),)


def _whole(received: Received) -> Any:
    """Binary mode: the attributes are headers, the body is the data."""
    if "ce-specversion" not in received.headers:
        return received.document
    attributes = {
        name: received.headers[f"ce-{name}"] for name in Event.model_fields if f"ce-{name}" in received.headers
    }
    return attributes | {"data": received.document}


def _named(data: Data, source: str) -> tuple[Place, str, str]:
    if data.image:
        try:
            found = image_of(data.image)
        except UnsupportedAddress:
            raise WrongShape("data.image: it is no image: write host/name:tag") from None
        place = Place(found.repository.host, found.repository.name)
        return place, found.tag or data.tag or "", found.digest or data.digest or ""
    if not data.repository:
        raise WrongShape("data: neither image nor repository is there")
    ecr = _ECR.match(source)
    host = host_in(ecr["account"], ecr["region"]) if ecr else data.registry or ""
    return place_of(data.repository, host), data.tag or "", data.digest or ""
