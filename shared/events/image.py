"""What happened to images: a registry told us (`RegistryHook`), a look confirmed it (`ImagePushed`), it was written
down for Applications (`ImageUpdated`).

A repository is always named in full here: `docker.io` and `library/nginx`, never `nginx`.
"""

import hashlib
from typing import ClassVar, Literal

from pydantic import Field

from shared.events.message import Event, Moment, digest_of

DIGEST = r"^sha256:[0-9a-f]{64}$"


def image_delivery(image: str, digest: str) -> str:
    """The delivery id of an image that was pushed: every part of Tiphys computes the same one."""
    return f"image:{hashlib.sha256(image.encode()).hexdigest()[:8]}:{digest.removeprefix('sha256:')}"


class RegistryHook(Event):
    """A registry's webhook, verified but not yet believed: one HEAD of the tag decides."""

    filter: ClassVar[str] = "hooks.registry"
    kind: ClassVar[str] = "hook.registry"

    provider: str
    registry: str = Field(
        default="", description="Host as the sender names it, which may not be how others reach it; empty: unknown"
    )
    repository: str = Field(min_length=1, description="Path in the registry, as library/nginx")
    tag: str = Field(default="", description="Empty: the sender does not say, or only a digest was pushed")
    digest: str = Field(default="", description="Empty: the sender does not say")
    pushed_at: Moment | None = None

    def dedupe_id(self) -> str:
        what = (self.delivery, self.registry, self.repository, self.tag, self.digest)
        return f"{self.provider}:{digest_of(*what)}"


class ImagePushed(Event):
    """A tag that somebody watches is new or means another image than before; the registry itself has said so."""

    filter: ClassVar[str] = "delivery.image.pushed"
    kind: ClassVar[str] = "image.pushed"

    registry: str = Field(description="Host, as docker.io or registry.example.com:5000")
    repository: str = Field(description="Path in the registry, as library/nginx")
    tag: str
    digest: str = Field(pattern=DIGEST, description="Of the index where there is one")
    previous: str = Field(default="", description="The digest that the tag had before; empty: the tag is new")
    media_type: str = ""
    created: Moment | None = Field(default=None, description="Where it is known without another request")
    pushed_at: Moment | None = Field(default=None, description="As the webhook says")
    received_at: Moment = Field(description="When the webhook or the poll saw it")
    source: Literal["webhook", "poll"] = "poll"

    @property
    def image(self) -> str:
        return f"{self.registry}/{self.repository}"

    def dedupe_id(self) -> str:
        return digest_of(self.kind, self.image, self.tag, self.previous, self.digest)


class ImageUpdated(Event):
    """An image of one or more Applications was set to another version: in git, as a pull request, or in the objects."""

    filter: ClassVar[str] = "delivery.image.updated"
    kind: ClassVar[str] = "image.updated"

    applications: tuple[str, ...] = Field(min_length=1, description="namespace/name of each")
    alias: str = ""
    image: str = Field(description="In full and without tag, as docker.io/library/nginx")
    old_tag: str = ""
    old_digest: str = ""
    new_tag: str = ""
    new_digest: str = ""
    method: Literal["git", "pull-request", "argocd"]
    repo: str = Field(default="", description="Normalised URL; empty with method argocd")
    branch: str = ""
    commit: str = ""
    pull_request: str = Field(default="", description="Its address")

    def dedupe_id(self) -> str:
        versions = (self.old_tag, self.old_digest, self.new_tag, self.new_digest)
        where = (self.method, self.repo, self.branch, self.commit, self.pull_request)
        return digest_of(self.kind, self.delivery, self.alias, self.image, *versions, *where, *self.applications)
