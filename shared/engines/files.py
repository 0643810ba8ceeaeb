"""What a worker may see of a file tree: the caller answers, so the caller knows every path that was read.

Paths are relative to the tree's root, with `/`; the root is ".". None means that there is nothing at the path.
Answers are given on the pool's threads, never on the event loop.
"""

import posixpath
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol


class FileEntry(Protocol):
    """One name in a folder; a link to a folder counts as a folder."""

    @property
    def name(self) -> str: ...
    @property
    def is_dir(self) -> bool: ...


class FileAccess(Protocol):
    """A read-only tree of files."""

    def read(self, path: str) -> bytes | None: ...
    def list(self, path: str) -> Sequence[FileEntry] | None: ...


class Entry(NamedTuple):
    """The plainest `FileEntry`."""

    name: str
    is_dir: bool


class InMemory:
    """A tree from a mapping of paths to bytes."""

    def __init__(self, contents: Mapping[str, bytes]) -> None:
        self.contents = dict(contents)
        self._folders: dict[str, dict[str, bool]] = {".": {}}
        for path in self.contents:
            self._add(path, is_dir=False)

    def _add(self, path: str, *, is_dir: bool) -> None:
        head, name = posixpath.split(path)
        folder = head or "."
        if folder not in self._folders:
            self._folders[folder] = {}
            self._add(folder, is_dir=True)
        self._folders[folder][name] = is_dir

    def read(self, path: str) -> bytes | None:
        return self.contents.get(path)

    def list(self, path: str) -> Sequence[FileEntry] | None:
        names = self._folders.get(path)
        return None if names is None else [Entry(name, is_dir) for name, is_dir in sorted(names.items())]
