"""Names in a registry: host, repository, tag or digest, checked against the OCI grammar before they reach a URL."""

import re
from typing import NamedTuple

from shared.oci.errors import UnsupportedAddress

SCHEME = "oci://"
_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?")
_REPOSITORY = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
DOCKER_HUB = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io"})


class Repository(NamedTuple):
    """A repository in a registry."""

    host: str
    name: str

    @property
    def api_host(self) -> str:
        return "registry-1.docker.io" if self.host in DOCKER_HUB else self.host

    def __str__(self) -> str:
        return f"{self.host}/{self.name}"


def repository_of(address: str) -> Repository:
    """`oci://host/name` or `host/name`, without a tag."""
    host, _, name = address.removeprefix(SCHEME).strip("/").partition("/")
    if not _HOST.fullmatch(host) or not is_repository(name):
        raise UnsupportedAddress(
            f"{address[:200]!r} is no repository in a registry: write oci://host/name in lower case"
        )
    return Repository(host, name)


class ImageReference(NamedTuple):
    """An image as a pod or a manifest names it; without a tag and digest it is a repository."""

    repository: Repository
    tag: str = ""
    digest: str = ""


def image_of(text: str) -> ImageReference:
    """`nginx`, `ghcr.io/acme/web:1.2`, `localhost:5000/app@sha256:...` as the field reads them, in full.

    The first part is a host when it looks like one; otherwise the image is Docker Hub's, where one part means library.
    """
    rest, at, digest = text.strip().partition("@")
    first, _, others = rest.partition("/") if names_a_host(rest) else ("docker.io", "", rest)
    name, colon, tag = others.partition(":")
    host = "docker.io" if first.lower() in DOCKER_HUB else first.lower()
    if host == "docker.io" and name and "/" not in name:
        name = f"library/{name}"
    whole = is_repository(name) and (bool(at), bool(colon)) == (bool(digest), bool(tag))
    repository = repository_of(f"{host}/{name}") if whole else None
    if repository is None or (tag and not is_tag(tag)) or (digest and not is_digest(digest)):
        raise UnsupportedAddress(f"{text[:200]!r} is no image: write host/name:tag or host/name@sha256:...")
    return ImageReference(repository, tag, digest)


def names_a_host(image: str) -> bool:
    """Whether the first part of an image's name is a host and no folder of Docker Hub's."""
    first, slash, _ = image.partition("/")
    return bool(slash) and ("." in first or ":" in first or first == "localhost")


def is_repository(name: str) -> bool:
    """Whether it may be a repository's path in a registry."""
    return len(name) <= 255 and _REPOSITORY.fullmatch(name) is not None


def is_tag(text: str) -> bool:
    return _TAG.fullmatch(text) is not None


def is_digest(text: str) -> bool:
    return _DIGEST.fullmatch(text) is not None


def checked_reference(text: str) -> str:
    """A tag or a digest."""
    if is_digest(text) or is_tag(text):
        return text
    raise UnsupportedAddress(f"{text[:200]!r} is neither a tag nor a sha256 digest")
