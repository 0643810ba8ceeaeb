"""Brings one commit of a mirror to one branch of its remote. Blocking; runs on the executor of `shared.git.mirrors`.

The remote moves its branch only from where we saw it: whoever pushed meanwhile makes this a `BranchMoved`, and the
caller builds anew. What a host's rules refuse is `PushRefused`, with the host's own words.
"""

import hashlib
import re
from typing import NamedTuple

import pygit2

from shared.git.errors import AuthenticationFailed, BranchMoved, GitFailure, PushRefused
from shared.git.mirror import open_mirror
from shared.git.refusals import libgit2_failure
from shared.git.remote import Callbacks, Visit
from shared.security import redact

_MOVED = re.compile(
    r"fast.?forward|fetch first|not present locally|stale|lock ref|cannot lock|incorrect old|failed to update ref",
    re.IGNORECASE,
)
_DENIED = re.compile(r"permission|denied|not authori[sz]ed|authenticat", re.IGNORECASE)
LONGEST_REASON = 300


class Push(NamedTuple):
    """`force`: the branch is ours, so it may be moved to what is not its descendant."""

    commit: str
    branch: str
    force: bool = False


def push(what: Visit, change: Push) -> None:
    """Raises BranchMoved, PushRefused, AuthenticationFailed, or what else keeps the remote from being reached."""
    repository = open_mirror(what.mirror)
    name = f"refs/tiphys/push-{hashlib.sha256(change.branch.encode()).hexdigest()[:16]}"
    callbacks = _Answers(what)
    try:
        repository.references.create(name, change.commit, force=True)
        remote = repository.remotes.create_anonymous(what.address)
        remote.push([f"{'+' if change.force else ''}{name}:refs/heads/{change.branch}"], callbacks)
    except (pygit2.GitError, KeyError, OSError) as error:
        raise callbacks.failure or _failure(what.name, change.branch, error) from error
    finally:
        if name in repository.references:
            repository.references.delete(name)
        repository.free()
    if callbacks.refusal:
        raise _refused(what.name, change.branch, callbacks.refusal)


class _Answers(Callbacks):
    def __init__(self, what: Visit) -> None:
        super().__init__(what)
        self.refusal = ""

    def push_update_reference(self, refname: str, message: str | None) -> None:  # noqa: ARG002 - libgit2's signature
        self.refusal = message or ""


def _failure(name: str, branch: str, error: Exception) -> GitFailure:
    text = str(error)
    if _MOVED.search(text):
        return _moved(branch)
    return libgit2_failure(name, error)


def _refused(name: str, branch: str, words: str) -> GitFailure:
    said = redact(" ".join(words.split()))[:LONGEST_REASON]
    if _MOVED.search(words):
        return _moved(branch)
    if _DENIED.search(words) and "protected" not in words.lower():
        return AuthenticationFailed(f"{name} does not let these credentials push to {branch} ({said})")
    return PushRefused(
        f"{name} refuses the push to {branch} ({said}): let these credentials push there, or write to another branch "
        "with a pull request"
    )


def _moved(branch: str) -> BranchMoved:
    return BranchMoved(f"branch {branch} moved while the commit was made: it is built on the new tip")
