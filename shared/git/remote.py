"""One visit to a remote repository: look at its refs and, over the same connection, fetch what is missing.

Blocking; runs on the executor of `shared.git.mirrors`. What is fetched is kept alive by flat refs below `refs/tiphys/`,
so that a branch `a` and a later branch `a/b` never get in each other's way.
"""

import hashlib
import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pygit2
from pygit2.enums import CredentialType

from shared.git.access import Access
from shared.git.commits import create_bare
from shared.git.errors import AuthenticationFailed, Cancelled, GitFailure, RevisionNotFound
from shared.git.mirror import open_mirror
from shared.git.refusals import libgit2_failure
from shared.git.relay import too_large

SHA = re.compile(r"[0-9a-f]{40}")
PEELED = "^{}"


class RemoteRefs(NamedTuple):
    """What a remote has: full ref names with the commits they mean (annotated tags peeled), and where HEAD points."""

    refs: dict[str, str]
    head: str


Choose = Callable[[RemoteRefs], Iterable[str]]
"""Given the remote's refs, which refs or SHAs must be in the mirror. Runs on the worker thread: pure."""


@dataclass(frozen=True, slots=True)
class Visit:
    """`address` is what libgit2 dials: the relay's local address, or the SSH address itself."""

    mirror: Path
    name: str
    address: str
    access: Access
    max_bytes: int
    depth: int = 0
    cancelled: threading.Event = field(default_factory=threading.Event)


def kept_as(want: str) -> str:
    return f"refs/tiphys/{hashlib.sha256(want.encode()).hexdigest()[:16]}"


def visit(what: Visit, choose: Choose) -> RemoteRefs:
    """Raises a `GitFailure`; the mirror is made when it isn't there."""
    if not what.mirror.exists():
        create_bare(what.mirror)
    repository = open_mirror(what.mirror)
    callbacks = _Callbacks(what)
    try:
        remote = repository.remotes.create_anonymous(what.address)
        remote.connect(callbacks)
        seen = _refs(remote.list_heads(connect=False))
        missing = _missing(repository, seen, choose(seen))
        if missing:
            specs = [f"+{want}:{kept_as(want)}" for want in missing]
            remote.fetch(specs, callbacks=callbacks, depth=what.depth)
    except (pygit2.GitError, KeyError, OSError) as error:
        raise callbacks.failure or libgit2_failure(what.name, error) from error
    else:
        _check_arrived(repository, what.name, seen, missing)
        return seen
    finally:
        repository.free()


def _refs(heads: list[pygit2.remotes.RemoteHead]) -> RemoteRefs:
    """Refs sorted as the remote sends them: a peeled tag follows its tag and wins."""
    refs, head = dict[str, str](), ""
    for found in heads:
        name = found.name or ""
        if name == "HEAD":
            head = found.symref_target or ""
        refs[name.removesuffix(PEELED)] = str(found.oid)
    return RemoteRefs(refs, head)


def _missing(repository: pygit2.Repository, seen: RemoteRefs, wants: Iterable[str]) -> list[str]:
    """The wants that must be downloaded; one that is here already is only kept alive."""
    missing = []
    for want in dict.fromkeys(wants):
        sha = want if SHA.fullmatch(want) else seen.refs.get(want)
        if sha is None:
            raise RevisionNotFound(f"the repository has no ref {want}: check targetRevision")
        if sha not in repository:
            missing.append(want)
        elif (kept := repository.references.get(kept_as(want))) is None or str(kept.target) != sha:
            repository.references.create(kept_as(want), sha, force=True)
    return missing


def _check_arrived(repository: pygit2.Repository, name: str, seen: RemoteRefs, wants: Iterable[str]) -> None:
    for want in wants:
        sha = seen.refs.get(want, want)
        if sha not in repository:
            raise RevisionNotFound(f"{name} did not send {want}: it has no such commit, or does not give it out")


class _Callbacks(pygit2.RemoteCallbacks):
    """Credentials for SSH (HTTP's are the relay's), trust, cancellation and the size cap."""

    def __init__(self, what: Visit) -> None:
        super().__init__()
        self._what = what
        self._asked = 0
        self.failure: GitFailure | None = None

    def credentials(
        self,
        url: str,  # noqa: ARG002 - libgit2's signature
        username_from_url: str | None,
        allowed_types: CredentialType,
    ) -> pygit2.Username | pygit2.KeypairFromMemory:
        user = username_from_url or self._what.access.username or "git"
        if allowed_types & CredentialType.USERNAME:
            return pygit2.Username(user)
        self._asked += 1
        key = self._what.access.ssh_key
        if not key or self._asked > 1:
            how = "refuses the SSH key: check" if key else "wants an SSH key: add"
            raise self._fail(AuthenticationFailed(f"{self._what.name} {how} sshPrivateKey in the repository Secret"))
        return pygit2.KeypairFromMemory(user, None, key.reveal(), "")

    def certificate_check(self, certificate: None, valid: bool, host: bytes) -> bool:  # noqa: ARG002 - libgit2's
        """libgit2 has compared an SSH host key with the known hosts that we gave it."""
        return valid or self._what.access.insecure

    def transfer_progress(self, stats: pygit2.remotes.TransferProgress) -> None:
        if self._what.cancelled.is_set():
            raise self._fail(Cancelled("the fetch was called off"))
        if stats.received_bytes > self._what.max_bytes:
            raise self._fail(too_large(self._what.name, self._what.max_bytes))

    def _fail(self, failure: GitFailure) -> GitFailure:
        self.failure = failure
        return failure
