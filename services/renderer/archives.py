"""Unpacking a chart or an OCI artifact in memory: a gzipped (or plain) tar from somebody else.

Out: paths and bytes. Never a file on disk, and never more than the limits: bytes are counted as they are
decompressed, so a small archive that swells is stopped. Absolute paths, `..`, devices and links that lead outside are
refused.
"""

import gzip
import io
import posixpath
import tarfile
import zlib
from collections.abc import Mapping
from typing import IO, NamedTuple, cast

from services.renderer.failures import Reason, RenderFailure

GZIP = b"\x1f\x8b"
MAX_LINKS = 1000


class ArchiveLimits(NamedTuple):
    """Bytes when unpacked, and number of entries."""

    unpacked: int
    entries: int = 20_000


class _Counted(io.RawIOBase):
    """A stream that stops when more than `limit` bytes came out of it."""

    def __init__(self, source: IO[bytes], limit: int, what: str) -> None:
        self.source, self.left, self.what, self.limit = source, limit, what, limit

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self.source.read(min(size, self.left + 1) if size >= 0 else self.left + 1)
        self.left -= len(data)
        if self.left < 0:
            message = f"{self.what} unpacks to more than {self.limit:,} bytes: allowed sizes are set by the operator"
            raise RenderFailure(Reason.FILE_TOO_LARGE, message)
        return data


def unpack(data: bytes, what: str, limits: ArchiveLimits) -> dict[str, bytes]:
    """The regular files of an archive by path, links inside it followed."""
    source: IO[bytes] = io.BytesIO(data)
    if data.startswith(GZIP):
        source = cast("IO[bytes]", gzip.GzipFile(fileobj=source))
    stream = cast("IO[bytes]", _Counted(source, limits.unpacked, what))
    files, links = dict[str, bytes](), dict[str, str]()
    try:
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for count, member in enumerate(archive):
                if count >= limits.entries:
                    raise RenderFailure(Reason.FILE_TOO_LARGE, f"{what} holds more than {limits.entries:,} entries")
                _take(archive, member, what, files, links)
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise RenderFailure(Reason.CHART_INVALID, f"{what} can't be unpacked: it is no gzipped tar archive") from error
    return _linked(files, links, what)


def below(files: Mapping[str, bytes], folder: str) -> dict[str, bytes]:
    """The files of one folder, with paths relative to it."""
    start = f"{folder}/"
    return {path[len(start) :]: data for path, data in files.items() if path.startswith(start)}


def _take(
    archive: tarfile.TarFile, member: tarfile.TarInfo, what: str, files: dict[str, bytes], links: dict[str, str]
) -> None:
    path = _safe(member.name, what)
    if member.isdir() or not path:
        return
    if member.issym():
        links[path] = _safe(posixpath.join(posixpath.dirname(path), member.linkname), what, link=member.linkname)
    elif member.islnk():
        links[path] = _safe(member.linkname, what)
    elif member.isreg() and not member.issparse():
        content = archive.extractfile(member)
        files[path] = b"" if content is None else content.read()
    else:
        raise RenderFailure(Reason.CHART_INVALID, f"{what} holds {path!r}, which is neither a file nor a folder")


def _safe(name: str, what: str, *, link: str = "") -> str:
    folded = posixpath.normpath(name)
    outside = name.startswith("/") or link.startswith("/") or folded == ".." or folded.startswith("../")
    if outside or "\x00" in name or "\\" in name:
        raise RenderFailure(Reason.PATH_ESCAPES_REPOSITORY, f"{what} holds {name[:200]!r}, which leads outside of it")
    return "" if folded == "." else folded


def _linked(files: dict[str, bytes], links: Mapping[str, str], what: str) -> dict[str, bytes]:
    """Links to files become those files; a link to a folder or to nothing is left out."""
    if len(links) > MAX_LINKS:
        raise RenderFailure(Reason.CHART_INVALID, f"{what} holds more than {MAX_LINKS} links")
    for path in links:
        target = _end_of(path, links)
        if target in files:
            files[path] = files[target]
    return files


def _end_of(path: str, links: Mapping[str, str]) -> str:
    """Where a chain of links ends; a circle ends anywhere, and there is no file."""
    for _ in links:
        path = links.get(path, path)
    return path
