"""Questions that one service asks another, with the type of their answers. They are not kept on any stream.

A request names its subject and its reply model; a server that can't answer raises `RequestError`, which arrives at the
client as the same error with the same reason.
"""

from typing import Any, ClassVar, Literal, Protocol, Self, TypeVar

from pydantic import Field

from shared.events.message import Message, Moment

Answer_co = TypeVar("Answer_co", covariant=True)


class Asks(Protocol[Answer_co]):
    """What the bus needs of a request: its subject, its bytes, and what the answer looks like."""

    subject: ClassVar[str]

    def to_bytes(self) -> bytes: ...

    @classmethod
    def from_bytes(cls, data: bytes) -> Self: ...

    @classmethod
    def read_reply(cls, data: bytes) -> Answer_co: ...


class RequestFailed(Message):
    reason: str = Field(pattern=r"^[A-Z][A-Za-z0-9]*$", description="Machine-readable, as RevisionNotFound")
    message: str
    retriable: bool = False
    retry_after: float | None = Field(default=None, description="Seconds before which asking again is no use")


class RequestError(Exception):
    """A request was refused or failed; `retriable` says whether asking again later may help."""

    def __init__(self, reason: str, message: str, *, retriable: bool = False, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.retriable = retriable
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"{self.reason}: {self.message}"


class ResolvedRevision(Message):
    revision: str = Field(description="Commit sha")
    ref: str = Field(default="", description="Full ref name; empty when the target was a commit")


class ResolveRevision(Message):
    """Which commit does this target (branch, tag, semver range, sha, HEAD) mean now?"""

    subject: ClassVar[str] = "git.resolve"

    repo_url: str
    target_revision: str = "HEAD"
    project: str = ""
    tag_prefix: str = Field(default="", description="Only tags with this prefix count for a version range")
    refresh: bool = Field(default=False, description="Ask the remote even if the mirror is young")

    @classmethod
    def read_reply(cls, data: bytes) -> ResolvedRevision:
        return ResolvedRevision.from_bytes(data)


class CommitMetadata(Message):
    author: str = ""
    date: Moment | None = None
    subject_line: str = Field(default="", description="First line of the commit message")
    message: str = ""
    tags: tuple[str, ...] = ()


class RevisionMetadata(Message):
    subject: ClassVar[str] = "git.metadata"

    repo_url: str
    revision: str
    project: str = ""

    @classmethod
    def read_reply(cls, data: bytes) -> CommitMetadata:
        return CommitMetadata.from_bytes(data)


class Changes(Message):
    changed: tuple[str, ...] | None = Field(default=None, description="None: unknown or too many")


class ChangedPaths(Message):
    """Which paths differ between two commits?"""

    subject: ClassVar[str] = "git.changed"

    repo_url: str
    old: str
    new: str
    project: str = ""

    @classmethod
    def read_reply(cls, data: bytes) -> Changes:
        return Changes.from_bytes(data)


class Refs(Message):
    refs: dict[str, str] = Field(default_factory=dict, description="Full ref name to commit sha, tags peeled")
    head: str = Field(default="", description="The ref that HEAD points to")


class ListRefs(Message):
    subject: ClassVar[str] = "git.refs"

    repo_url: str
    project: str = ""
    refresh: bool = False

    @classmethod
    def read_reply(cls, data: bytes) -> Refs:
        return Refs.from_bytes(data)


class RevisionVerification(Message):
    verified: bool
    problems: tuple[str, ...] = Field(default=(), description="What is wrong, one sentence a revision, the first few")
    looked_at: int = Field(default=0, description="Commits and tags whose signature counted")


class VerifyRevision(Message):
    """Is this revision signed as a project wants it? `mode` and `keys` are its policy's."""

    subject: ClassVar[str] = "git.verify"

    repo_url: str
    revision: str
    ref: str = Field(default="", description="The ref it came from: an annotated tag's own signature counts")
    project: str = ""
    mode: Literal["head", "strict"]
    keys: tuple[str, ...] = ()
    keyring: str = Field(
        default="", description="Digest of the keys that the asker means; waits until they are the same"
    )

    @classmethod
    def read_reply(cls, data: bytes) -> RevisionVerification:
        return RevisionVerification.from_bytes(data)


class ResolvedChart(Message):
    version: str


class ResolveChart(Message):
    """Which version of a chart satisfies the constraint now?"""

    subject: ClassVar[str] = "chart.resolve"

    repo_url: str
    chart: str
    constraint: str = ""
    project: str = ""

    @classmethod
    def read_reply(cls, data: bytes) -> ResolvedChart:
        return ResolvedChart.from_bytes(data)


class RenderSource(Message):
    source: dict[str, Any] = Field(description="The Application's source object as it stands in its spec")
    revision: str = Field(default="", description="Resolved commit or chart version; empty for none")
    position: int = 0


class RenderedSource(Message):
    source_type: str = Field(description="Helm, Kustomize, Directory or Plugin")
    revision: str = ""
    count: int = Field(default=0, description="Objects of this source; the manifests are in source order")
    input_paths: tuple[str, ...] = Field(default=(), description="Paths read; those ending in / are whole folders")


class RenderReply(Message):
    digest: str = Field(description="Where the manifests are in the object store")
    count: int
    sources: tuple[RenderedSource, ...] = ()
    warnings: tuple[str, ...] = ()


class RenderRequest(Message):
    subject: ClassVar[str] = "render"

    app_name: str
    app_namespace: str
    project: str = "default"
    destination_namespace: str = ""
    sources: tuple[RenderSource, ...]
    kube_version: str = ""
    api_versions: tuple[str, ...] = ()
    settings: dict[str, str] = Field(default_factory=dict, description="The keys of argocd-cm that rendering reads")
    no_cache: bool = Field(default=False, description="Hard refresh: render again even if seen before")

    @classmethod
    def read_reply(cls, data: bytes) -> RenderReply:
        return RenderReply.from_bytes(data)


GENERAL: tuple[type[Message], ...] = (
    ResolveRevision,
    RevisionMetadata,
    ChangedPaths,
    ListRefs,
    VerifyRevision,
    ResolveChart,
    RenderRequest,
)
