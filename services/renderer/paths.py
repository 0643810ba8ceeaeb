"""Paths inside a repository: where a source's path, a value file or an import lies, decided without reading anything.

In: text that users wrote. Out: a path relative to the repository's root without `.` and `..`, or a `RenderFailure`.
Symlinks are the tree's matter: it refuses the ones that leave it.
"""

import re

from services.renderer.failures import Reason, RenderFailure

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def url_scheme(text: str) -> str | None:
    """The scheme when `text` is a URL."""
    match = _URL.match(text)
    return match[1].lower() if match else None


def normal(path: str, *, what: str) -> str:
    """Fold `.` and `..`; a path that climbs out of the root is refused, the root itself is ""."""
    if _CONTROL.search(path):
        raise RenderFailure(
            Reason.PATH_ESCAPES_REPOSITORY, f"{what} {path!r} holds control characters: write a plain path"
        )
    parts: list[str] = []
    for part in path.split("/"):
        if part == ".." and not parts:
            raise RenderFailure(
                Reason.PATH_ESCAPES_REPOSITORY,
                f"{what} {path!r} leads outside the repository: give a path inside it",
            )
        if part == "..":
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def app_path(path: str) -> str:
    """A source's own path; an absolute one is refused, as Argo CD refuses it."""
    if path.startswith("/"):
        raise RenderFailure(Reason.PATH_ESCAPES_REPOSITORY, f"the source's path {path!r} is absolute: make it relative")
    return normal(path, what="the source's path")


def join(folder: str, path: str, *, what: str) -> str:
    """A file named in a source: relative to the application's folder; with a leading "/" to the repository's root."""
    return normal(path if path.startswith("/") else f"{folder}/{path}", what=what)


def prefix(folder: str) -> str:
    """How a folder is written among input paths."""
    return f"{folder}/" if folder else "./"


def covers(folder: str, path: str) -> bool:
    """Is `path` below `folder`?"""
    return not folder or path.startswith(f"{folder}/")
