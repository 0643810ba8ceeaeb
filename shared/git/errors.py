"""What can go wrong with git, classified once.

Every error has a machine `reason` and says whether trying again can help.
The message says what to do and never holds a credential.

GitFailure
├── RepositoryUnreachable (retriable: refused, reset, timed out, 5xx, 429)
├── RepositoryNotFound
├── RepositoryTooLarge
├── RepositoryCorrupt (retriable: the mirror is made anew)
├── AuthenticationFailed
├── HostKeyMismatch
├── CertificateRejected
├── UnsupportedAddress
├── RevisionNotFound
├── BranchMoved (retriable: build on the new tip)
├── PushRefused (a rule of the host, as for a protected branch)
├── SigningFailed
├── PathEscape
├── FileTooLarge
├── TreeTooLarge
├── ToolFailed (retriable: gpg or ssh-keygen is missing, hangs or breaks)
├── VerificationUnfinished (retriable: what is verified so far is kept)
└── Cancelled (retriable)
"""

from typing import ClassVar


class GitFailure(Exception):
    retriable: ClassVar[bool] = False

    @property
    def reason(self) -> str:
        return type(self).__name__


class RepositoryUnreachable(GitFailure):
    retriable = True

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RepositoryNotFound(GitFailure):
    pass


class RepositoryTooLarge(GitFailure):
    pass


class RepositoryCorrupt(GitFailure):
    retriable = True


class AuthenticationFailed(GitFailure):
    pass


class HostKeyMismatch(GitFailure):
    pass


class CertificateRejected(GitFailure):
    pass


class UnsupportedAddress(GitFailure):
    pass


class RevisionNotFound(GitFailure):
    pass


class BranchMoved(GitFailure):
    retriable = True


class PushRefused(GitFailure):
    pass


class SigningFailed(GitFailure):
    pass


class PathEscape(GitFailure):
    pass


class FileTooLarge(GitFailure):
    pass


class TreeTooLarge(GitFailure):
    pass


class ToolFailed(GitFailure):
    retriable = True


class VerificationUnfinished(GitFailure):
    retriable = True


class Cancelled(GitFailure):
    retriable = True
