"""One visit to a remote repository: look at its refs and, over the same connection, fetch what is missing.

Blocking; runs on the executor of `shared.git.mirrors`. What is fetched is kept alive by flat refs below `refs/tiphys/`,
so that a branch `a` and a later branch `a/b` never get in each other's way.
"""

import hashlib
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pygit2
from pygit2.enums import CredentialType

from shared.git.access import Access
from shared.git.commits import create_bare
from shared.git.errors import AuthenticationFailed, Cancelled, GitFailure
from shared.git.mirror import open_mirror
from shared.git.refusals import libgit2_failure
from shared.git.relay import too_large

NO_TAGS: Mapping[str, str] = {}
SHA = re.compile(r"[0-9a-f]{40}")
PEELED = "^{}"


class RemoteRefs(NamedTuple):
    """What a remote has: full ref names with the commits they mean (annotated tags peeled), where HEAD points, and the
    objects of the annotated tags themselves.
    """

    refs: dict[str, str]
    head: str
    tags: Mapping[str, str] = NO_TAGS


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
    """Raises a `GitFailure`; the mirror is made when it isn't there.

    A commit that the remote doesn't have is no failure: the mirror does not have it either then.
    """
    if not what.mirror.exists():
        create_bare(what.mirror)
    repository = open_mirror(what.mirror)
    try:
        return _Session(what, repository).visit(choose)
    finally:
        repository.free()


class _Session:
    """One connection, and a second one for hosts that give no commit by its SHA."""

    def __init__(self, what: Visit, repository: pygit2.Repository) -> None:
        self._what, self._repository = what, repository
        self._callbacks = Callbacks(what)

    def visit(self, choose: Choose) -> RemoteRefs:
        try:
            remote = self._connect()
            seen = _refs(remote.list_heads(connect=False))
            refs, commits = _sorted(choose(seen), seen)
            self._fetch(remote, [ref for ref in refs if not self._keeps(ref, seen.tags.get(ref, seen.refs[ref]))])
            self._fetch_commits(remote, [sha for sha in commits if not self._keeps(sha, sha)], seen)
        except (pygit2.GitError, KeyError, OSError) as error:
            raise self._callbacks.failure or libgit2_failure(self._what.name, error) from error
        return seen

    def _connect(self) -> pygit2.Remote:
        remote = self._repository.remotes.create_anonymous(self._what.address)
        remote.connect(self._callbacks)
        return remote

    def _fetch(self, remote: pygit2.Remote, wants: list[str]) -> None:
        if wants:
            specs = [f"+{want}:{kept_as(want)}" for want in wants]
            remote.fetch(specs, callbacks=self._callbacks, depth=self._what.depth)

    def _fetch_commits(self, remote: pygit2.Remote, commits: list[str], seen: RemoteRefs) -> None:
        """Many hosts give commits by SHA; from the others all branches and tags are taken instead."""
        try:
            self._fetch(remote, commits)
        except pygit2.GitError:
            if self._callbacks.failure is not None:
                raise
            self._fetch(self._connect(), [name for name in seen.refs if name.startswith(("refs/heads/", "refs/tags/"))])

    def _keeps(self, want: str, sha: str) -> bool:
        """Whether the mirror has it already; then it is kept alive under the ref of this want."""
        if sha not in self._repository:
            return False
        kept = self._repository.references.get(kept_as(want))
        if kept is None or str(kept.target) != sha:
            self._repository.references.create(kept_as(want), sha, force=True)
        return True


def _sorted(wants: Iterable[str], seen: RemoteRefs) -> tuple[list[str], list[str]]:
    """Refs that the remote has, and commits."""
    chosen = list(dict.fromkeys(wants))
    return [want for want in chosen if want in seen.refs], [want for want in chosen if SHA.fullmatch(want)]


def _refs(heads: list[pygit2.remotes.RemoteHead]) -> RemoteRefs:
    """Refs sorted as the remote sends them: a peeled tag follows its tag and wins."""
    refs, tags, head = dict[str, str](), dict[str, str](), ""
    for found in heads:
        name = (found.name or "").removesuffix(PEELED)
        if name == "HEAD":
            head = found.symref_target or ""
        if found.name != name and name in refs:
            tags[name] = refs[name]
        refs[name] = str(found.oid)
    return RemoteRefs(refs, head, tags)


class Callbacks(pygit2.RemoteCallbacks):
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
