"""Names in a registry: host, repository, tag or digest, checked against the OCI grammar before they reach a URL."""

import re
from typing import NamedTuple

from shared.oci.errors import UnsupportedAddress

SCHEME = "oci://"
_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?")
_REPOSITORY = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
DOCKER_HUB = frozenset({"docker.io", "index.docker.io"})


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
    if not _HOST.fullmatch(host) or not _REPOSITORY.fullmatch(name) or len(name) > 255:
        raise UnsupportedAddress(
            f"{address[:200]!r} is no repository in a registry: write oci://host/name in lower case"
        )
    return Repository(host, name)


def is_digest(text: str) -> bool:
    return _DIGEST.fullmatch(text) is not None


def checked_reference(text: str) -> str:
    """A tag or a digest."""
    if is_digest(text) or _TAG.fullmatch(text):
        return text
    raise UnsupportedAddress(f"{text[:200]!r} is neither a tag nor a sha256 digest")
