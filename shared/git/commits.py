"""Commits made without a work tree: an in-memory index over a bare repository.

Comes in: paths with their bytes (None deletes). Goes out: the new commit's SHA. The branch moves only when its tip is
still the parent we built on; otherwise `BranchMoved`, and the caller builds anew.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pygit2
from pygit2.enums import FileMode, RepositoryInitFlag

from shared.clock import epoch_ms
from shared.git.errors import BranchMoved
from shared.git.mirror import isolate_libgit2, open_mirror


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


def _stage(repository: pygit2.Repository, index: pygit2.Index, path: str, data: bytes | None) -> None:
    if data is None:
        index.remove(path)
        return
    mode = index[path].mode if path in index else FileMode.BLOB
    index.add(pygit2.IndexEntry(path, repository.create_blob(data), mode))
