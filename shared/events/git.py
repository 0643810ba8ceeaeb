"""What happened in git: a provider told us (`GitHook`), and what the mirror then found (`GitRevision`)."""

import hashlib
import re
from typing import ClassVar, Literal

from pydantic import Field

from shared.clock import rfc3339_ms
from shared.events.message import Event, Moment, digest_of

DELIVERY_TRAILER = "Tiphys-Delivery"
_TRAILER = re.compile(rf"{DELIVERY_TRAILER}: (image:[0-9a-f]{{8}}:[0-9a-f]{{64}})")


def git_delivery(normalised_repo: str, revision: str) -> str:
    """The delivery id of a commit: every part of Tiphys computes the same one."""
    return f"git:{hashlib.sha256(normalised_repo.encode()).hexdigest()[:8]}:{revision}"


def delivery_of(message: str) -> str:
    """The delivery that a commit of image_updater continues; empty for everybody else's commits."""
    return next((match[1] for line in message.splitlines() if (match := _TRAILER.fullmatch(line.strip()))), "")


class GitHook(Event):
    """A provider's webhook, verified but not yet believed: git itself is asked what really moved."""

    filter: ClassVar[str] = "hooks.git"
    kind: ClassVar[str] = "hook.git"

    provider: str
    repo_urls: tuple[str, ...] = Field(min_length=1, description="Every form the provider gives: https, ssh, web page")
    ref: str = Field(description="Full name, as refs/heads/main or refs/tags/v1")
    before: str | None = Field(default=None, description="None: the ref is new, or the provider does not say")
    after: str | None = Field(default=None, description="None: the ref was deleted, or the provider does not say")
    changed: tuple[str, ...] | None = Field(default=None, description="Changed paths; None: unknown")
    pushed_at: Moment | None = None

    def dedupe_id(self) -> str:
        return f"{self.provider}:{digest_of(self.delivery, self.ref, self.after or '')}"


class GitRevision(Event):
    """A ref has moved, with the paths that differ between the old and the new commit."""

    filter: ClassVar[str] = "delivery.git.revision"
    kind: ClassVar[str] = "git.revision"

    repo: str = Field(description="Normalised URL")
    ref: str
    old: str | None = Field(default=None, description="None: the ref is new")
    new: str | None = Field(default=None, description="None: the ref was deleted")
    changed: tuple[str, ...] | None = Field(default=None, description="None: unknown or too many, anything may differ")
    forced: bool = Field(default=False, description="The old commit is not an ancestor of the new one")
    author: str = ""
    subject_line: str = Field(default="", description="First line of the commit message")
    committed_at: Moment | None = None
    received_at: Moment = Field(description="When the webhook or the poll saw it")
    source: Literal["webhook", "poll"] = "poll"

    def dedupe_id(self) -> str:
        return digest_of(self.kind, self.repo, self.ref, self.old or "", self.new or "", rfc3339_ms(self.received_at))


class GitFailed(Event):
    """A repository can't be read any more, or fails in another way than before. Said once, not at every attempt."""

    filter: ClassVar[str] = "delivery.git.failed"
    kind: ClassVar[str] = "git.failed"

    repo: str = Field(description="Normalised URL")
    reason: str = Field(description="Machine-readable, as AuthenticationFailed")
    message: str
    retriable: bool = Field(default=False, description="It is tried again soon; otherwise someone has to act")
