"""What all registries' webhooks become: a `RegistryHook`, its names checked against the OCI grammar at the edge."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from services.gateway.webhooks.payload import Headers, WrongShape, moment
from shared.events import RegistryHook
from shared.oci.reference import DOCKER_HUB, is_digest, is_repository, is_tag

LONGEST_HOST = 253


class Received(NamedTuple):
    """A webhook as it came: names of headers in lower case, the query of its address, the decoded body."""

    headers: Headers
    query: Mapping[str, str]
    body: bytes
    document: Any


class Place(NamedTuple):
    """Where an image is: `host` may be empty, when the sender doesn't say."""

    host: str
    repository: str


def hook(
    sender: str,
    place: Place,
    *,
    delivery: str,
    tag: str | None = None,
    digest: str | None = None,
    pushed_at: datetime | None = None,
) -> RegistryHook:
    """Raises `WrongShape` for names that no repository and no tag has."""
    repository = place.repository.strip("/")
    if not is_repository(repository):
        raise WrongShape("repository: it is no repository's name: lower case letters, digits, and . _ - / between")
    if tag and not is_tag(tag):
        raise WrongShape("tag: it is no tag: letters, digits, . _ -, at most 128 of them")
    if digest and not is_digest(digest):
        raise WrongShape("digest: it is no digest: sha256: and 64 hexadecimal digits")
    return RegistryHook(
        provider=sender,
        delivery=delivery,
        registry=host_of(place.host),
        repository=repository,
        tag=tag or "",
        digest=digest or "",
        pushed_at=pushed_at,
    )


def host_of(text: str) -> str:
    """The host of an address or of an image's name, in lower case; empty when it is none."""
    host = text.partition("://")[2] if "://" in text else text
    host = host.partition("/")[0].rpartition("@")[2].lower()[:LONGEST_HOST]
    return "docker.io" if host in DOCKER_HUB else host


def place_of(name: str, host: str = "") -> Place:
    """`host/repository` in one word; without a host that the words say, `host`."""
    first, slash, rest = name.strip("/").partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return Place(first, rest)
    return Place(host, name)


def seconds(value: float | None) -> datetime | None:
    """A moment in seconds since 1970."""
    try:
        return None if value is None else datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def delivery_of(given: str | None, body: bytes) -> str:
    """The sender's id of an event, or one made of the body, so that a repetition is recognised."""
    clean = (given or "").strip()[:200].encode("utf-8", "replace").decode()
    return clean or hashlib.sha256(body).hexdigest()[:32]


__all__ = ["Place", "Received", "delivery_of", "hook", "host_of", "moment", "place_of", "seconds"]
