"""A source with its files at its revision: a commit's tree, an unpacked chart, or an artifact of a registry.

In: a source and its resolved revision. Out: `OpenedSource`. Git is read synchronously (on an executor), the others are
fetched. Mirrors are only read.
"""

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from services.renderer.archives import ArchiveLimits, below, unpack
from services.renderer.failures import Reason, RenderFailure, git_failures
from services.renderer.files import Files, MemoryFiles, Recording
from services.renderer.paths import app_path
from services.renderer.sources import merged, override_files, parse
from shared.events import RenderSource
from shared.git.mirror import mirror_path
from shared.git.tree import GitTree
from shared.kinds.secrets import normalise_url
from shared.kinds.source import Source

Obj = dict[str, Any]


@dataclass(frozen=True, slots=True)
class OpenedSource:
    """`folder` is the application's folder in `files`; None for a source that is only referred to."""

    position: int
    raw: Obj
    source: Source
    revision: str
    files: Recording
    folder: str | None
    from_git: bool
    names: frozenset[str] = frozenset()


def only_referred(source: Source) -> bool:
    """A `ref` source without a path gives files to others and no manifests."""
    return bool(source.ref) and not source.path and not source.chart


def comes_from_git(source: Source) -> bool:
    return not source.chart and not source.is_oci


def open_git(given: RenderSource, source: Source, position: int, mirrors: Path) -> OpenedSource:
    if not source.path and not source.ref:
        raise RenderFailure(Reason.INVALID_SOURCE, "the source has neither a path nor a chart: name one of them")
    folder = None if only_referred(source) else app_path(source.path)
    tree = git_tree(mirrors, source.repo_url, given.revision)
    return OpenedSource(position, given.source, source, given.revision, Recording(tree), folder, from_git=True)


def git_tree(mirrors: Path, repo_url: str, revision: str) -> GitTree:
    with git_failures():
        return GitTree(mirror_path(mirrors, normalise_url(repo_url)), revision)


def open_archive(
    given: RenderSource, source: Source, position: int, data: bytes, limits: ArchiveLimits
) -> OpenedSource:
    """A chart's files lie in a folder with its name; an artifact's lie at the top (or are a chart)."""
    files = chart_files(data, source.chart or source.repo_url, limits)
    folder = "" if source.chart else app_path(source.path)
    return OpenedSource(
        position, given.source, source, given.revision, Recording(MemoryFiles(files)), folder, from_git=False
    )


def chart_files(data: bytes, what: str, limits: ArchiveLimits) -> Mapping[str, bytes]:
    files = unpack(data, what, limits)
    charts = sorted(path for path in files if posixpath.basename(path) == "Chart.yaml" and path.count("/") == 1)
    return below(files, posixpath.dirname(charts[0])) if charts and "Chart.yaml" not in files else files


def prepared(opened: OpenedSource, instance: str) -> OpenedSource:
    """With what `.argocd-source*.yaml` beside the manifests says, and with the names of the folder's files."""
    if opened.folder is None:
        return opened
    raw = opened.raw
    for name in override_files(instance):
        path = f"{opened.folder}/{name}" if opened.folder else name
        data = opened.files.read(path)
        raw = raw if data is None else merged(raw, path, data)
    source = opened.source if raw is opened.raw else parse(raw)
    return replace(opened, raw=raw, source=source, names=names_in(opened.files, opened.folder))


def names_in(files: Files, folder: str) -> frozenset[str]:
    """The file names of the application's folder; `PathNotFound` when there is no such folder."""
    entries = files.list(folder)
    if entries is None:
        raise RenderFailure(
            Reason.PATH_NOT_FOUND, f"there is no folder {folder!r} at this revision: check the source's path"
        )
    return frozenset(entry.name for entry in entries if not entry.is_dir)
