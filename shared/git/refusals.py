"""What a failure of a remote means: HTTP answers, broken connections and libgit2's errors become our errors, once.

The texts name the repository's address without credentials and say what to do.
"""

import re
import ssl

import aiohttp
import pygit2

from shared.git.errors import (
    AuthenticationFailed,
    CertificateRejected,
    GitFailure,
    HostKeyMismatch,
    RepositoryCorrupt,
    RepositoryNotFound,
    RepositoryUnreachable,
)
from shared.security import redact

CLASSES_OF_A_BROKEN_MIRROR = (4, 5, 6, 7, 9, 11, 14)  # reference, zlib, repository, config, odb, object, tree
CLASS_INDEXER = 15
_MISSING = re.compile(r"not found|does not exist|not appear to be a git repository|no such repository", re.IGNORECASE)
_REFUSED = re.compile(r"authenticat|publickey|credentials|permission denied|access denied", re.IGNORECASE)
GIT_ANSWER = "application/x-git-"


def refusal(name: str, answer: aiohttp.ClientResponse, *, has_credentials: bool) -> GitFailure | None:
    """None for an answer that is git's."""
    status = answer.status
    if status == 200:
        return None if answer.content_type.startswith(GIT_ANSWER) else _no_git(name)
    if status in (401, 403):
        return AuthenticationFailed(_denied(name, status, has_credentials=has_credentials))
    if status in (404, 410):
        hint = "" if has_credentials else ", or it is private and needs a repository Secret"
        return RepositoryNotFound(f"{name} is not there: check the address{hint}")
    wait = answer.headers.get("Retry-After", "")
    return RepositoryUnreachable(
        f"{name} answers with HTTP {status}: it is tried again", retry_after=float(wait) if wait.isdecimal() else None
    )


def _no_git(name: str) -> GitFailure:
    return RepositoryNotFound(f"{name} answers, but not as a git repository: check the address (a login page?)")


def _denied(name: str, status: int, *, has_credentials: bool) -> str:
    if not has_credentials:
        return f"{name} wants credentials: add a repository Secret or a credential template for this address"
    if status == 403:
        return f"{name} refuses these credentials access (HTTP 403): give their owner permission to read"
    return f"{name} refuses the credentials (HTTP 401): renew them in the repository Secret"


def unreachable(name: str, error: Exception) -> GitFailure:
    """A connection that did not come about, or broke."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError | ssl.SSLError):
        return CertificateRejected(
            f"the TLS certificate of {name} is not trusted ({_tls_reason(error)}): "
            "add its authority to argocd-tls-certs-cm"
        )
    if isinstance(error, TimeoutError):
        return RepositoryUnreachable(f"{name} does not answer in time: it is tried again")
    return RepositoryUnreachable(f"{name} can't be reached ({_reason(error)}): it is tried again")


def _tls_reason(error: Exception) -> str:
    cause = getattr(error, "certificate_error", None) or getattr(error, "os_error", None) or error
    return getattr(cause, "verify_message", "") or getattr(cause, "reason", "") or type(cause).__name__


def _reason(error: Exception) -> str:
    cause = getattr(error, "os_error", None) or error
    return getattr(cause, "strerror", None) or type(cause).__name__


def libgit2_failure(name: str, error: Exception) -> GitFailure:
    """What libgit2 could not do: the remote's fault, or the mirror's."""
    text = redact(str(error))
    kind = getattr(error, "error_class", 0)
    if isinstance(error, pygit2.errors.CertificateError):
        return HostKeyMismatch(
            f"the SSH host key of {name} is not the known one: put the right key into argocd-ssh-known-hosts-cm"
        )
    if (
        isinstance(error, pygit2.errors.NotFoundError | KeyError)
        or kind in CLASSES_OF_A_BROKEN_MIRROR
        or _lacks_a_base(kind, text)
    ):
        return RepositoryCorrupt(f"the mirror of {name} is damaged ({text}): it is fetched anew")
    if isinstance(error, pygit2.AuthError) or _REFUSED.search(text):
        return AuthenticationFailed(f"{name} refuses the SSH key: check sshPrivateKey in the repository Secret")
    if _MISSING.search(text):
        return RepositoryNotFound(f"{name} is not there, or the key may not read it: check the address")
    return RepositoryUnreachable(f"{name} can't be fetched ({text}): it is tried again")


def _lacks_a_base(kind: int, text: str) -> bool:
    """The remote sent a delta against an object that it thinks we have."""
    return kind == CLASS_INDEXER and "delta" in text
