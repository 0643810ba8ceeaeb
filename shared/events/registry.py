"""Questions about images that registry_watcher answers, from what it knows and otherwise from the registry.

`image` is a repository as people write it (`nginx`, `ghcr.io/acme/web`), without tag. `pull_secret` says how to get in:
`pullsecret:<namespace>/<name>`, `secret:<namespace>/<name>#<field>`, `env:<variable>` or `ext:<path>`; `namespace` is
that of the object that asks, whose Secrets alone may be used. Refusals are a `RequestError` with one of `REASONS`.
"""

from typing import ClassVar, Literal

from pydantic import Field

from shared.events.image import DIGEST
from shared.events.message import Message, Moment

REASONS = {
    "Unauthorized": "the registry refuses access with these credentials, or wants some",
    "CredentialsUnavailable": "the pull secret can't be read, or may not be used from this namespace",
    "NotFound": "the registry has no such repository, tag or digest",
    "RateLimited": "the registry asks to slow down; `retry_after` says until when",
    "Unreachable": "no answer, or a server error; asking again may help",
    "BadAnswer": "the registry answers with what the protocol doesn't allow",
    "TooLarge": "the answer is longer than the limits allow",
    "InvalidImage": "the name is no image's",
}
Need = Literal["digest", "created"]


class Asking(Message):
    """What all questions about a repository say."""

    image: str = Field(description="A repository without tag, as nginx or ghcr.io/acme/web")
    pull_secret: str = ""
    namespace: str = Field(default="", description="Of the object that asks")


class Tag(Message):
    """One tag; what was not asked for stays empty."""

    name: str
    digest: str = Field(default="", description="Of the index where there is one")
    created: Moment | None = Field(default=None, description="Of the newest image for the platforms asked for")
    problem: str = Field(default="", description="Why nothing more is known of this tag, for people")


class TagList(Message):
    image: str = Field(description="The repository's full name")
    tags: tuple[Tag, ...] = Field(default=(), description="In lexical order")
    dropped: int = Field(default=0, description="Tags that break the grammar; they are left out")
    seen_at: Moment = Field(description="When the registry last confirmed this list")


class ListTags(Asking):
    """Which tags does a repository have?

    `needs`: `digest` and `created` cost a request or more for each tag that was not seen before; what a tag means is
    asked again only when a webhook, a watch or `fresh` gives reason to.
    """

    subject: ClassVar[str] = "registry.tags"

    needs: tuple[Need, ...] = ()
    platforms: tuple[str, ...] = Field(default=(), description="os/arch[/variant]; empty: any")
    only: tuple[str, ...] | None = Field(default=None, description="Tags that `needs` is about; None: all of them")
    fresh: bool = Field(default=False, description="Ask the registry even if the list is young")

    @classmethod
    def read_reply(cls, data: bytes) -> TagList:
        return TagList.from_bytes(data)


class PlatformImage(Message):
    platform: str = Field(description="os/arch[/variant]; empty where the image does not say")
    digest: str
    created: Moment | None = None


class TagDigest(Message):
    image: str
    tag: str
    digest: str
    media_type: str = ""
    index: bool = Field(default=False, description="The digest is an index's, of images for several platforms")
    created: Moment | None = Field(default=None, description="Of the newest image for the platforms asked for")
    images: tuple[PlatformImage, ...] = Field(default=(), description="Those for the platforms asked for")
    labels: dict[str, str] = Field(default_factory=dict, description="org.opencontainers.image.* of the newest image")


class ResolveTag(Asking):
    """What does this tag (or digest) mean now? One HEAD; with `created` also which images it is made of."""

    subject: ClassVar[str] = "registry.digest"

    tag: str = Field(description="A tag, or a digest as sha256:...")
    needs: tuple[Need, ...] = ("digest",)
    platforms: tuple[str, ...] = ()

    @classmethod
    def read_reply(cls, data: bytes) -> TagDigest:
        return TagDigest.from_bytes(data)


class Verification(Message):
    verified: bool
    why: str = Field(default="", description="Why not, for people")
    signatures: int = Field(default=0, description="Signatures that were looked at")


class VerifyImage(Asking):
    """Has the holder of this key signed exactly this digest, as cosign does?"""

    subject: ClassVar[str] = "registry.verify"

    digest: str = Field(pattern=DIGEST)
    key: str = Field(description="PEM of an ECDSA public key")

    @classmethod
    def read_reply(cls, data: bytes) -> Verification:
        return Verification.from_bytes(data)


class WatchedImage(Asking):
    """`tags`: those whose movement matters. `list_tags`: whether new tags do."""

    tags: tuple[str, ...] = ()
    list_tags: bool = True


class Watching(Message):
    count: int
    refused: dict[str, str] = Field(default_factory=dict, description="Images that can't be watched, and why")


class WatchImages(Message):
    """From now on all of these, and nothing else for this owner, are of interest; kept until it is said anew."""

    subject: ClassVar[str] = "registry.watch"

    owner: str = Field(min_length=1, max_length=500, description="As imageupdater/<namespace>/<name>")
    images: tuple[WatchedImage, ...] = ()

    @classmethod
    def read_reply(cls, data: bytes) -> Watching:
        return Watching.from_bytes(data)


QUESTIONS: tuple[type[Message], ...] = (ListTags, ResolveTag, VerifyImage, WatchImages)
