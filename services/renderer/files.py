"""The files that a source may read, whatever they come from: a commit's tree or an unpacked archive; and who read what.

`Files` is the shape that both have. `MemoryFiles` holds an archive. `Recording` notes every path that was read,
listed or looked for, because those and nothing else decide whether a later commit can render differently.
"""

import hashlib
import posixpath
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from services.renderer.failures import git_failures
from services.renderer.paths import covers, prefix
from shared.git.tree import Entry


class Files(Protocol):
    """Read-only files under one root; None means that there is nothing at the path."""

    def read(self, path: str, *, limit: int | None = None) -> bytes | None: ...
    def list(self, path: str) -> Sequence[Entry] | None: ...
    def size(self, path: str) -> int | None: ...
    def tree_digest(self, path: str) -> str | None: ...
    def paths_of(self, path: str) -> tuple[str, ...]: ...


class MemoryFiles:
    """An unpacked archive."""

    def __init__(self, contents: Mapping[str, bytes]) -> None:
        self.contents = contents
        self._folders: dict[str, dict[str, bool]] = {"": {}}
        for path in contents:
            self._add(path, is_dir=False)

    def _add(self, path: str, *, is_dir: bool) -> None:
        folder, name = posixpath.split(path)
        if folder not in self._folders:
            self._folders[folder] = {}
            self._add(folder, is_dir=True)
        self._folders[folder].setdefault(name, is_dir)

    def read(self, path: str, *, limit: int | None = None) -> bytes | None:
        """The bytes; an archive's limits were checked when it was unpacked."""
        data = self.contents.get(_folded(path))
        return data if data is None or limit is None else data[: limit + 1]

    def list(self, path: str) -> Sequence[Entry] | None:
        names = self._folders.get(_folded(path))
        return None if names is None else [Entry(name, is_dir) for name, is_dir in sorted(names.items())]

    def size(self, path: str) -> int | None:
        data = self.contents.get(_folded(path))
        return None if data is None else len(data)

    def tree_digest(self, path: str) -> str | None:
        data = self.contents.get(_folded(path))
        return None if data is None else hashlib.sha256(data).hexdigest()

    def paths_of(self, path: str) -> tuple[str, ...]:
        return (_folded(path),)


class Overlay:
    """Files with some added on top, such as the fetched dependencies of a chart."""

    def __init__(self, below: Files, added: Mapping[str, bytes]) -> None:
        self.below = below
        self.above = MemoryFiles(added)

    def read(self, path: str, *, limit: int | None = None) -> bytes | None:
        data = self.above.read(path, limit=limit)
        return self.below.read(path, limit=limit) if data is None else data

    def list(self, path: str) -> Sequence[Entry] | None:
        below, above = self.below.list(path), self.above.list(path)
        if below is None or above is None:
            return below if above is None else above
        return [entry for _, entry in sorted({entry.name: entry for entry in (*below, *above)}.items())]


class Recording:
    """Files of one source; `touched` are the repository paths whose change can change what was seen."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self.touched: set[str] = set()

    def read(self, path: str, *, limit: int | None = None) -> bytes | None:
        with git_failures():
            self.touched.update(self.files.paths_of(path))
            return self.files.read(path, limit=limit)

    def list(self, path: str) -> Sequence[Entry] | None:
        with git_failures():
            self.touched.update(self._folder_paths(path))
            return self.files.list(path)

    def size(self, path: str) -> int | None:
        with git_failures():
            self.touched.update(self.files.paths_of(path))
            return self.files.size(path)

    def tree_digest(self, path: str) -> str | None:
        with git_failures():
            return self.files.tree_digest(path)

    def paths_of(self, path: str) -> tuple[str, ...]:
        with git_failures():
            return self.files.paths_of(path)

    def _folder_paths(self, path: str) -> Iterable[str]:
        *links, real = self.files.paths_of(path)
        return (*links, prefix(real))


def input_paths(folder: str | None, touched: Iterable[str]) -> tuple[str, ...]:
    """The application's folder (None: it has none) as a prefix, and whatever else was touched outside it."""
    own = () if folder is None else (prefix(folder),)
    outside = {path for path in touched if folder is None or not _inside(folder, path)}
    folders = {path for path in outside if path.endswith("/")}
    kept = {path for path in outside if not any(path != other and path.startswith(other) for other in folders)}
    return (*own, *sorted(kept))


def _inside(folder: str, path: str) -> bool:
    return path == prefix(folder) or (path != "./" and covers(folder, path))


def _folded(path: str) -> str:
    return "" if path in ("", ".") else posixpath.normpath(path).lstrip("/")
