"""One revision's files, read from the object database of a bare mirror.

Comes in: a mirror, a full SHA and paths relative to the repository's root. Goes out: bytes, listings, tree object ids.
Symlinks are followed inside the tree only. Nothing is written, and no blob is loaded before its size is known.
"""

import os
import posixpath
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pygit2
from pygit2.enums import FileMode, ObjectType

from shared.git.errors import FileTooLarge, PathEscape, TreeTooLarge
from shared.git.mirror import commit_of, reading_handle

MAX_FILE_BYTES = 32 * 1024 * 1024
MAX_WALKED_FILES = 200_000
MAX_LINKS = 40
MAX_LINK_BYTES = 4096
MAX_KEPT = 20_000


class Entry(NamedTuple):
    """One name in a folder; a link to a folder is a folder. A submodule is an empty folder."""

    name: str
    is_dir: bool
    is_link: bool = False


class Found(NamedTuple):
    """Where a path ends (None: nowhere), and the repository paths that decided it: links first, the real path last."""

    node: pygit2.Object | None
    paths: tuple[str, ...]


Entries = list[Entry]


class GitTree:
    """The files of one commit. What isn't there is None; what lies outside is `PathEscape`."""

    def __init__(self, mirror: Path, revision: str, *, max_file_bytes: int = MAX_FILE_BYTES) -> None:
        self.revision = revision
        self.max_file_bytes = max_file_bytes
        self._repository = reading_handle(mirror)
        self._root = commit_of(self._repository, revision).tree
        self._found: dict[str, Found] = {}

    def read(self, path: str, *, limit: int | None = None) -> bytes | None:
        """A file's bytes; `FileTooLarge` over `limit` (default: the tree's own), before anything is loaded."""
        node = self.find(path).node
        if node is None or node.type != ObjectType.BLOB:
            return None
        size = self._repository.odb.read_header(node.id)[1]
        allowed = self.max_file_bytes if limit is None else limit
        if size > allowed:
            raise FileTooLarge(f"{path} is {size:,} bytes, allowed are {allowed:,}: leave it out or raise the limit")
        return self._repository.odb.read(node.id)[1]

    def list(self, path: str = "") -> Entries | None:
        """A folder's names, sorted; None for a file or for nothing."""
        found = self.find(path)
        if not isinstance(found.node, pygit2.Tree):
            return None
        return sorted(self._entry(found.paths[-1], child) for child in found.node)

    def size(self, path: str) -> int | None:
        """A file's length from its object's header."""
        node = self.find(path).node
        if node is None or node.type != ObjectType.BLOB:
            return None
        return self._repository.odb.read_header(node.id)[1]

    def tree_digest(self, path: str = "") -> str | None:
        """The object id of the folder or file at a path: equal ids are equal contents, links inside not followed."""
        node = self.find(path).node
        return None if node is None else str(node.id)

    def paths_of(self, path: str) -> tuple[str, ...]:
        """Every repository path whose change can change what `path` means: the links on the way and the real path."""
        return self.find(path).paths

    def walk(self, prefix: str = "", *, limit: int = MAX_WALKED_FILES) -> Iterator[str]:
        """The files below a folder, as repository paths in name order; links to folders are not entered.

        `TreeTooLarge` over `limit`: a few kilobytes of git can describe billions of files.
        """
        found = self.find(prefix)
        if not isinstance(found.node, pygit2.Tree):
            return
        pending: list[tuple[str, pygit2.Object]] = [(found.paths[-1], found.node)]
        seen = 0
        while pending:
            path, node = pending.pop()
            seen += 1
            if seen > limit:
                raise TreeTooLarge(
                    f"{prefix or 'the repository'} holds more than {limit:,} files: choose a smaller path"
                )
            if not isinstance(node, pygit2.Tree):
                yield path
                continue
            below = sorted(
                ((_join(path, _name(child)), child) for child in node), reverse=True, key=lambda pair: pair[0]
            )
            pending += [(name, child) for name, child in below if child.type != ObjectType.COMMIT]

    def find(self, path: str) -> Found:
        """Follows a path as a file system would, with the repository's root as the end of the world.

        A commit never changes: what was found once is kept, and a file is looked up in its folder when that is known.
        """
        found = self._found.get(path)
        if found is None:
            found = self._beside_known(path) or self._follow(path)
            if len(self._found) < MAX_KEPT:
                self._found[path] = found
        return found

    def _beside_known(self, path: str) -> Found | None:
        folder, _, name = path.rpartition("/")
        known = self._found.get(folder) if folder else None
        if known is None or known.paths != (folder,) or name in ("", ".", ".."):
            return None
        child = None if known.node is None else _child(known.node, name)
        return None if child is not None and child.filemode == FileMode.LINK else Found(child, (path,))

    def _follow(self, path: str) -> Found:
        names, links = list[str](), list[str]()
        nodes: list[pygit2.Object] = [self._root]
        pending = _parts(path)
        while pending:
            part = pending.pop()
            if part == "..":
                _leave(path, names, nodes)
                continue
            child = _child(nodes[-1], part)
            if child is None:
                return Found(None, (*links, posixpath.normpath("/".join((*names, part, *reversed(pending))))))
            if child.filemode == FileMode.LINK:
                links.append("/".join((*names, part)))
                pending += self._target(links, child)
                continue
            names.append(part)
            nodes.append(child)
        return Found(nodes[-1], (*links, "/".join(names)))

    def _target(self, links: Sequence[str], link: pygit2.Object) -> Sequence[str]:
        """Where a symlink leads, as steps still to take."""
        if len(links) > MAX_LINKS or self._repository.odb.read_header(link.id)[1] > MAX_LINK_BYTES:
            raise PathEscape(f"{links[0]} is a symlink that leads nowhere: it goes in a circle or is too long")
        target = os.fsdecode(self._repository.odb.read(link.id)[1])
        if target.startswith("/"):
            raise PathEscape(f"{links[-1]} is a symlink to an absolute path: link to a file inside the repository")
        return _parts(target)

    def _entry(self, folder: str, child: pygit2.Object) -> Entry:
        if child.filemode != FileMode.LINK:
            return Entry(_name(child), child.type != ObjectType.BLOB)
        try:
            target = self.find(_join(folder, _name(child))).node
        except PathEscape:
            target = None  # reading it will say so; listing the folder beside it must go on
        return Entry(_name(child), isinstance(target, pygit2.Tree), is_link=True)


def _parts(path: str) -> list[str]:
    """The steps of a path, the first one last."""
    if path.startswith("/"):
        raise PathEscape(f"{path} is absolute: give a path relative to the repository's root")
    return [part for part in reversed(path.split("/")) if part not in ("", ".")]


def _leave(path: str, names: list[str], nodes: list[pygit2.Object]) -> None:
    if not names:
        raise PathEscape(f"{path} leads out of the repository: only files inside it can be read")
    names.pop()
    nodes.pop()


def _child(node: pygit2.Object, name: str) -> pygit2.Object | None:
    if not isinstance(node, pygit2.Tree):
        return None
    try:
        return node[name]
    except (KeyError, ValueError):
        return None


def _name(node: pygit2.Object) -> str:
    return os.fsdecode(node.raw_name or b"")


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
