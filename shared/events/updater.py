"""Questions that image_updater answers: what it knows of Applications' images, why a version wins, holds.

An Application is named `namespace/name`; an image by its alias, or by its name where it has none.
"""

from typing import ClassVar

from pydantic import Field

from shared.events.message import Message, Moment


class ImageStatus(Message):
    """What the last look at one image of one Application found."""

    application: str
    alias: str
    image: str = Field(description="In full, without tag")
    strategy: str = ""
    constraint: str = ""
    state: str = Field(
        default="", description="up-to-date, outdated, written, held, skipped, failed; empty: not looked at yet"
    )
    live: str = Field(default="", description="The version that the manifests name")
    chosen: str = Field(default="", description="The version that the policy chooses")
    reason: str = ""
    message: str = ""
    updater: str = Field(default="", description="The ImageUpdater that decides; empty: the annotations")
    checked_at: Moment | None = None


class ImageStatuses(Message):
    images: tuple[ImageStatus, ...] = ()


class ListImages(Message):
    """What is known of images; nothing is asked of a registry."""

    subject: ClassVar[str] = "images.list"

    application: str = Field(default="", description="Empty: all")

    @classmethod
    def read_reply(cls, data: bytes) -> ImageStatuses:
        return ImageStatuses.from_bytes(data)


class CheckImages(Message):
    """Look at images now. `write`: what is chosen is written as well."""

    subject: ClassVar[str] = "images.check"

    application: str
    alias: str = Field(default="", description="Empty: all images of the Application")
    write: bool = False

    @classmethod
    def read_reply(cls, data: bytes) -> ImageStatuses:
        return ImageStatuses.from_bytes(data)


class TagVerdict(Message):
    tag: str
    rank: int = Field(default=0, description="1 is the winner; 0: dropped")
    why: str = Field(default="", description="The rule that dropped it, or how the winner was found")


class Explanation(Message):
    """Which tags were seen, which rule dropped each, and why the winner won."""

    image: str
    strategy: str
    constraint: str = ""
    winner: str = ""
    why: str = ""
    tags: tuple[TagVerdict, ...] = ()
    left_out: int = Field(default=0, description="Tags that are not listed here because there are too many")
    status: ImageStatus | None = None
    seen_at: Moment | None = None


class ExplainImage(Message):
    subject: ClassVar[str] = "images.explain"

    application: str
    alias: str

    @classmethod
    def read_reply(cls, data: bytes) -> Explanation:
        return Explanation.from_bytes(data)


class TryImage(Message):
    """What would a policy choose? No Application is needed, and nothing is written."""

    subject: ClassVar[str] = "images.test"

    image: str = Field(description="As in an ImageUpdater: name[:constraint]")
    strategy: str = "semver"
    allow_tags: str = ""
    ignore_tags: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    pull_secret: str = ""
    namespace: str = ""
    tag_pattern: str = ""
    tag_extract: str = ""

    @classmethod
    def read_reply(cls, data: bytes) -> Explanation:
        return Explanation.from_bytes(data)


class HoldImage(Message):
    """Rest automation for one image until somebody resumes it or its constraint is written anew."""

    subject: ClassVar[str] = "images.hold"

    application: str
    alias: str
    by: str = ""

    @classmethod
    def read_reply(cls, data: bytes) -> ImageStatus:
        return ImageStatus.from_bytes(data)


class ResumeImage(Message):
    subject: ClassVar[str] = "images.resume"

    application: str
    alias: str
    by: str = ""

    @classmethod
    def read_reply(cls, data: bytes) -> ImageStatus:
        return ImageStatus.from_bytes(data)


UPDATER_QUESTIONS: tuple[type[Message], ...] = (
    ListImages,
    CheckImages,
    ExplainImage,
    TryImage,
    HoldImage,
    ResumeImage,
)
