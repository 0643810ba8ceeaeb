"""Why a render failed: a reason for machines, a message that says what to do, and whether asking again helps.

Every error of this service's parts ends here before it leaves; no message holds a credential or a path on our disk.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

from shared.git import errors as git
from shared.security import redact

CLIPPED = 4096


class Reason(StrEnum):
    """What the requester may act on; the names appear in conditions and events."""

    PATH_NOT_FOUND = "PathNotFound"
    PATH_ESCAPES_REPOSITORY = "PathEscapesRepository"
    INVALID_SOURCE = "InvalidSource"
    INVALID_YAML = "InvalidYaml"
    INVALID_MANIFEST = "InvalidManifest"
    HELM_FAILED = "HelmFailed"
    KUSTOMIZE_FAILED = "KustomizeFailed"
    JSONNET_FAILED = "JsonnetFailed"
    PLUGINS_NOT_BUILT = "PluginsNotBuilt"
    VALUE_FILE_NOT_FOUND = "ValueFileNotFound"
    SCHEME_NOT_ALLOWED = "SchemeNotAllowed"
    REF_NOT_FOUND = "RefNotFound"
    REF_REVISION_MISMATCH = "RefRevisionMismatch"
    CHART_NOT_FOUND = "ChartNotFound"
    VERSION_NOT_FOUND = "VersionNotFound"
    CHART_INVALID = "ChartInvalid"
    DIGEST_MISMATCH = "DigestMismatch"
    DEPENDENCY_UNAVAILABLE = "DependencyUnavailable"
    REPOSITORY_UNREACHABLE = "RepositoryUnreachable"
    CREDENTIALS_REFUSED = "CredentialsRefused"
    FILE_TOO_LARGE = "FileTooLarge"
    MANIFESTS_TOO_LARGE = "ManifestsTooLarge"
    RENDER_TIMEOUT = "RenderTimeout"
    REVISION_NOT_MIRRORED = "RevisionNotMirrored"
    RENDERER_OVERLOADED = "RendererOverloaded"


class RenderFailure(Exception):
    """The one error that leaves this service."""

    def __init__(self, reason: Reason, message: str, *, retriable: bool = False) -> None:
        super().__init__(redact(message)[:CLIPPED])
        self.reason = reason
        self.retriable = retriable

    @property
    def message(self) -> str:
        return str(self)


GIT_REASONS: dict[type[git.GitFailure], Reason] = {
    git.PathEscape: Reason.PATH_ESCAPES_REPOSITORY,
    git.FileTooLarge: Reason.FILE_TOO_LARGE,
    git.TreeTooLarge: Reason.MANIFESTS_TOO_LARGE,
    git.RevisionNotFound: Reason.REVISION_NOT_MIRRORED,
    git.RepositoryCorrupt: Reason.REVISION_NOT_MIRRORED,
}


@contextmanager
def git_failures() -> Iterator[None]:
    """Turn git's errors into ours; a commit that is not in the mirror yet will be there after the next fetch."""
    try:
        yield
    except git.GitFailure as error:
        reason = GIT_REASONS.get(type(error), Reason.REPOSITORY_UNREACHABLE)
        retriable = error.retriable or reason is Reason.REVISION_NOT_MIRRORED
        raise RenderFailure(reason, str(error), retriable=retriable) from error
