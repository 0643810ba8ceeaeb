"""Plain files: which files of a folder are manifests, and what they hold. Jsonnet files are only named here.

In: files, a folder, the directory options. Out: `Manifest`s in Argo CD's order (names sorted, folder by folder).
Sizes are added up before a file is loaded. Parsed files are kept by their content's digest, so that a change of one
file in a folder parses one file.
"""

import re
import threading
from collections import OrderedDict
from collections.abc import Iterator
from typing import NamedTuple

from services.renderer.documents import Parsed, parse_file
from services.renderer.failures import Reason, RenderFailure
from services.renderer.files import Files
from services.renderer.globs import BadPattern, Matcher, anywhere
from shared.kinds.source import DirectoryOptions

MANIFEST = re.compile(r".*\.(yaml|yml|json|jsonnet)", re.DOTALL)
JSONNET = ".jsonnet"
MAX_FILES = 50_000
MAX_DEPTH = 100


class Limits(NamedTuple):
    """Bytes that one application's plain files may have together (0: no limit)."""

    combined: int


class Manifest(NamedTuple):
    """One file: its objects, or (None) a Jsonnet file that is to be evaluated."""

    path: str
    parsed: Parsed | None


class ParsedFiles:
    """What files held, by the digest of their contents and the kind of file; bounded in bytes, shared by threads."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.held = 0
        self._kept: OrderedDict[tuple[str, bool], Parsed] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, files: Files, path: str, digest: str | None, limit: int) -> Parsed | None:
        """None when the path leads nowhere (a broken link)."""
        key = (digest or "", path.endswith(".json"))
        known = self._kept.get(key) if digest else None
        if known is not None:
            return known
        data = files.read(path, limit=limit or None)
        if data is None:
            return None
        parsed = parse_file(data, path)
        if digest and not parsed.skipped:
            self._keep(key, parsed)
        return parsed

    def _keep(self, key: tuple[str, bool], parsed: Parsed) -> None:
        with self._lock:
            if key in self._kept:
                return
            self._kept[key] = parsed
            self.held += _weight(parsed)
            while self.held > self.capacity and self._kept:
                _, dropped = self._kept.popitem(last=False)
                self.held -= _weight(dropped)


def _weight(parsed: Parsed) -> int:
    return 200 + sum(map(len, parsed.objects))


def manifests(
    files: Files, folder: str, options: DirectoryOptions, limits: Limits, cache: ParsedFiles
) -> tuple[list[Manifest], list[str]]:
    """The manifests of a folder, and warnings about files that were left out."""
    found, warnings, total = list[Manifest](), list[str](), 0
    for path in selected(files, folder, options):
        if path.endswith(JSONNET):
            found.append(Manifest(path, None))
            continue
        size = files.size(path)
        total = _added(path, total, size or 0, limits)
        parsed = None if size is None else cache.get(files, path, files.tree_digest(path), limits.combined)
        if parsed is None:
            warnings.append(f"{path} is left out: it is a link that leads to no file")
        elif parsed.skipped:
            warnings.append(parsed.skipped)
        else:
            found.append(Manifest(path, parsed))
    return found, warnings


def selected(files: Files, folder: str, options: DirectoryOptions) -> Iterator[str]:
    """The paths of the files that count, in order."""
    include, exclude = _matcher(options.include), _matcher(options.exclude)
    start = len(folder) + 1 if folder else 0
    for path in _walk(files, folder, recurse=options.recurse):
        relative = path[start:]
        wanted = options.disable_extension_filter or MANIFEST.fullmatch(relative)
        if wanted and not (exclude and exclude(relative)) and (include is None or include(relative)):
            yield path


def _walk(files: Files, folder: str, *, recurse: bool) -> Iterator[str]:
    pending, seen = [(folder, 0, True)], 0
    while pending:
        path, depth, is_dir = pending.pop()
        seen += 1
        if seen > MAX_FILES or depth > MAX_DEPTH:
            raise RenderFailure(
                Reason.MANIFESTS_TOO_LARGE,
                f"{folder or 'the repository'} holds more than {MAX_FILES:,} files: narrow it",
            )
        if not is_dir:
            yield path
            continue
        if depth and not recurse:
            continue
        entries = files.list(path) or []
        below = [(f"{path}/{each.name}" if path else each.name, depth + 1, each) for each in entries]
        pending += [
            (name, deep, each.is_dir) for name, deep, each in reversed(below) if not (each.is_dir and each.is_link)
        ]


def _matcher(pattern: str) -> Matcher | None:
    if not pattern:
        return None
    try:
        return anywhere(pattern)
    except BadPattern as error:
        raise RenderFailure(Reason.INVALID_SOURCE, f"directory: {error}") from error


def _added(path: str, total: int, size: int, limits: Limits) -> int:
    if limits.combined and size > limits.combined:
        message = f"{path} is {size:,} bytes, allowed are {limits.combined:,}: leave it out or raise the limit"
        raise RenderFailure(Reason.FILE_TOO_LARGE, message)
    if limits.combined and total + size > limits.combined:
        message = (
            f"the manifests are larger than {limits.combined:,} bytes together (reached at {path}): "
            "split the application, exclude files or raise the limit"
        )
        raise RenderFailure(Reason.MANIFESTS_TOO_LARGE, message)
    return total + size
