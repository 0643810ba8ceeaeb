"""Commits made without a work tree: an in-memory index over a bare repository.

Comes in: paths with their bytes (None deletes). Goes out: the new commit's SHA. The branch moves only when its tip is
still the parent we built on; otherwise `BranchMoved`, and the caller builds anew.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import pygit2
from pygit2.enums import FileMode, RepositoryInitFlag

from shared.clock import epoch_ms
from shared.git.errors import BranchMoved
from shared.git.mirror import commit_of, isolate_libgit2, open_mirror

Sign = Callable[[bytes], str]
"""Signs a commit's text; gives the signature in its armour. Raises SigningFailed."""


class Author(NamedTuple):
    name: str = "Tiphys"
    email: str = "tiphys@localhost"


TIPHYS = Author()


def create_bare(path: Path, branch: str = "main") -> None:
    """An empty bare repository whose HEAD is `branch`; an existing one is kept."""
    isolate_libgit2()
    flags = RepositoryInitFlag.BARE | RepositoryInitFlag.MKPATH
    pygit2.init_repository(str(path), flags=flags, initial_head=branch)


def commit_files(
    bare: Path,
    branch: str,
    files: Mapping[str, bytes | None],
    message: str,
    author: Author = TIPHYS,
) -> str:
    """One commit on a branch (made when it doesn't exist) that writes or deletes these files."""
    repository = open_mirror(bare)
    ref = f"refs/heads/{branch}"
    parent = repository.references.get(ref)
    index = pygit2.Index()
    if parent is not None:
        index.read_tree(parent.peel(pygit2.Tree))
    for path, data in files.items():
        _stage(repository, index, path, data)
    signature = pygit2.Signature(author.name, author.email, epoch_ms() // 1000, 0)
    parents = [] if parent is None else [parent.target]
    try:
        tree = index.write_tree(repository)
        return str(repository.create_commit(ref, signature, signature, message, tree, parents))
    except pygit2.GitError as error:
        raise BranchMoved(f"branch {branch} moved while the commit was made: build it on the new tip") from error


class Draft(NamedTuple):
    """A commit to be: what differs from its parent, and who says what about it. `sign` None: unsigned."""

    files: Mapping[str, bytes | None]
    message: str
    author: Author = TIPHYS
    sign: Sign | None = None


def commit_on(mirror: Path, parent: str, draft: Draft) -> str:
    """One commit on top of another; no branch moves. Where that would be the same tree: the parent."""
    repository = open_mirror(mirror)
    base = commit_of(repository, parent)
    index = pygit2.Index()
    index.read_tree(base.tree)
    for path, data in draft.files.items():
        _stage(repository, index, path, data)
    tree = index.write_tree(repository)
    if tree == base.tree.id:
        return parent
    by = pygit2.Signature(draft.author.name, draft.author.email, epoch_ms() // 1000, 0)
    if draft.sign is None:
        return str(repository.create_commit(None, by, by, draft.message, tree, [base.id]))
    text = str(repository.create_commit_string(by, by, draft.message, tree, [base.id]))
    return str(repository.create_commit_with_signature(text, draft.sign(text.encode()), "gpgsig"))


def _stage(repository: pygit2.Repository, index: pygit2.Index, path: str, data: bytes | None) -> None:
    if data is None:
        index.remove(path)
        return
    mode = index[path].mode if path in index else FileMode.BLOB
    index.add(pygit2.IndexEntry(path, repository.create_blob(data), mode))
