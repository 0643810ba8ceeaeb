"""What is signed in a mirror: a commit's or a tag's signature with the bytes it covers, and which commits of a history
a strict policy looks at.

Read from git's objects, never from a checkout. A seal is a commit with the trailer `Argocd-gpg-seal:`: whoever signs
one vouches for everything before it. Whether a seal is signed is the caller's to find out: it is in the history too.
"""

from pathlib import Path
from typing import NamedTuple

import pygit2
from pygit2.enums import SortMode

from shared.git.errors import RevisionNotFound
from shared.git.mirror import commit_of, open_mirror
from shared.git.remote import kept_as

SEAL = "argocd-gpg-seal:"
_MARKS = (b"-----BEGIN PGP SIGNATURE-----", b"-----BEGIN PGP MESSAGE-----", b"-----BEGIN SSH SIGNATURE-----")


class Signed(NamedTuple):
    """One object: `name` as people know it, `signature` empty when it has none."""

    oid: str
    name: str
    author: str
    signature: bytes = b""
    payload: bytes = b""


class History(NamedTuple):
    """The commits that have to be verified, newest first; `cut` are those whose parents the mirror lacks (depth)."""

    commits: tuple[str, ...]
    cut: tuple[str, ...] = ()


def signed_commit(mirror: Path, revision: str) -> Signed:
    """Give a commit's signature. Raises RevisionNotFound."""
    commit = commit_of(open_mirror(mirror), revision)
    signature, payload = commit.gpg_signature
    author = f"{commit.author.name} <{commit.author.email}>"
    return Signed(revision, revision, author, signature or b"", payload or b"")


def keeps(mirror: Path, ref: str) -> bool:
    """Tell whether the mirror has what a ref of the remote points to."""
    return open_mirror(mirror).references.get(kept_as(ref)) is not None


def signed_tag(mirror: Path, ref: str, revision: str) -> Signed | None:
    """Give an annotated tag's own signature; None for a plain one. Raises RevisionNotFound when it has moved on."""
    repository = open_mirror(mirror)
    kept = repository.references.get(kept_as(ref))
    tag = repository[kept.target] if kept is not None else None
    if tag is None or str(tag.peel(pygit2.Commit).id) != revision:
        raise RevisionNotFound(f"{ref} does not mean {revision} any more")
    if not isinstance(tag, pygit2.Tag):
        return None
    data = tag.read_raw()
    at = max(data.rfind(b"\n" + mark) for mark in _MARKS)
    author = f"{tag.tagger.name} <{tag.tagger.email}>" if tag.tagger else ""
    name = ref.removeprefix("refs/tags/")
    return Signed(str(tag.id), name, author, data[at + 1 :] if at >= 0 else b"", data[: at + 1] if at >= 0 else data)


def history(mirror: Path, revision: str, known_good: str = "") -> History:
    """Give what a strict policy looks at: the commit and all before it, back to the latest seals.

    `known_good`: a commit that was verified with everything before it; it is not looked at again.
    """
    repository = open_mirror(mirror)
    reached = _to_seals(repository, revision, known_good)
    sealed = {parent for oid in reached if is_seal(repository, oid) for parent in _parents(repository, oid)}
    walker = repository.walk(revision, SortMode.TOPOLOGICAL)
    for oid in (*sealed, known_good):
        if oid and oid in repository:
            walker.hide(oid)
    wanted = tuple(str(commit.id) for commit in walker)
    shallow = mirror / "shallow"
    edges = set(shallow.read_text().split()) if shallow.exists() else set()
    return History(wanted, tuple(one for one in wanted if one in edges and not is_seal(repository, one)))


def _to_seals(repository: pygit2.Repository, start: str, known_good: str) -> list[str]:
    """Give every commit that is reached without going past a seal."""
    commit_of(repository, start)
    found, pending = dict[str, None](), [start]
    while pending:
        oid = pending.pop()
        if oid in found or oid == known_good or oid not in repository:
            continue
        found[oid] = None
        pending += [] if is_seal(repository, oid) else _parents(repository, oid)
    return list(found)


def _parents(repository: pygit2.Repository, oid: str) -> list[str]:
    return [str(parent) for parent in commit_of(repository, oid).parent_ids]


def is_seal(repository: pygit2.Repository, oid: str) -> bool:
    """Tell whether a commit claims to vouch for everything before it."""
    message = commit_of(repository, oid).raw_message.decode(errors="replace").lower()
    return any(line.startswith(SEAL) for line in message.splitlines())
