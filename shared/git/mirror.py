"""A bare mirror on disk: where it is, how it is opened, which commit a name means.

Comes in: a folder and a repository's address. Goes out: a read handle. Local: the network is in `shared.git.remote`.
A handle sees objects that another process fetches later, because libgit2 looks again when it misses one.
"""

import functools
import hashlib
import shutil
from pathlib import Path

import pygit2
from pygit2.enums import ConfigLevel, RepositoryOpenFlag

from shared.git.errors import RepositoryCorrupt, RevisionNotFound

SHA_LENGTH = 40
HANDLES = 256
_OPEN = RepositoryOpenFlag.NO_SEARCH | RepositoryOpenFlag.BARE


def mirror_path(folder: Path, normalised_url: str) -> Path:
    """The mirror of a repository inside the mirrors' folder."""
    return folder / f"{hashlib.sha256(normalised_url.encode()).hexdigest()[:16]}.git"


@functools.cache
def isolate_libgit2() -> None:
    """No configuration of the user or the machine (rewrites, proxies) reaches us; a volume may have another owner."""
    for level in (ConfigLevel.PROGRAMDATA, ConfigLevel.SYSTEM, ConfigLevel.XDG, ConfigLevel.GLOBAL):
        pygit2.settings.search_path[level] = ""
    pygit2.settings.owner_validation = False


def open_mirror(path: Path) -> pygit2.Repository:
    """A fresh handle; `RepositoryCorrupt` when there is no usable mirror there."""
    isolate_libgit2()
    try:
        return pygit2.Repository(str(path), _OPEN)
    except pygit2.GitError as error:
        raise RepositoryCorrupt("the mirror can't be opened: it is fetched anew at the next attempt") from error


class _Handles:
    """Shared handles for reading, by path; a replaced mirror (another inode) gets a new one."""

    def __init__(self) -> None:
        self._open: dict[Path, tuple[int, pygit2.Repository]] = {}

    def get(self, path: Path, inode: int) -> pygit2.Repository:
        known = self._open.get(path)
        if known is None or known[0] != inode:
            self._open[path] = known = (inode, open_mirror(path))
            if len(self._open) > HANDLES:
                del self._open[next(iter(self._open))]
        return known[1]

    def close(self, path: Path) -> None:
        if known := self._open.pop(path, None):
            known[1].free()


_handles = _Handles()


def reading_handle(path: Path) -> pygit2.Repository:
    """A handle for reading, shared by all who read this mirror."""
    try:
        inode = path.stat().st_ino
    except OSError as error:
        raise RepositoryCorrupt("there is no mirror of this repository yet: resolve the revision first") from error
    return _handles.get(path, inode)


def remove_mirror(path: Path) -> None:
    """libgit2 remembers packs by their path while a handle has them: a new pack of the same name must not be taken for
    the old one.
    """
    _handles.close(path)
    shutil.rmtree(path, ignore_errors=True)


def commit_of(repository: pygit2.Repository, revision: str) -> pygit2.Commit:
    """The commit of a full SHA (an annotated tag is peeled); `RevisionNotFound` when the mirror doesn't hold it."""
    try:
        found = repository.get(revision)
        commit = found.peel(pygit2.Commit) if found is not None else None
    except (ValueError, pygit2.GitError) as error:
        raise RevisionNotFound(f"commit {revision[:SHA_LENGTH]} is not in the repository's mirror") from error
    if commit is None:
        raise RevisionNotFound(f"commit {revision[:SHA_LENGTH]} is not in the repository's mirror")
    return commit


def heads_of(path: Path) -> dict[str, str]:
    """Every direct ref of a bare repository with the object it points to."""
    repository = open_mirror(path)
    refs = repository.references.iterator()
    return {ref.name: str(ref.target) for ref in refs if isinstance(ref.target, pygit2.Oid)}


def holds(path: Path, revision: str) -> bool:
    """Whether the mirror has this commit, with its root folder readable. A mirror in the making has none."""
    if not path.exists():
        return False
    try:
        return commit_of(open_mirror(path), revision).tree is not None
    except (RevisionNotFound, RepositoryCorrupt):
        return False


def complete_sha(path: Path, short: str) -> str | None:
    """The commit that a shortened SHA means in this mirror; `RevisionNotFound` when it means several."""
    try:
        found = open_mirror(path).get(short)
    except ValueError as error:
        raise RevisionNotFound(f"{short} is the beginning of several commits: give more of the SHA") from error
    return str(found.id) if isinstance(found, pygit2.Commit) else None
