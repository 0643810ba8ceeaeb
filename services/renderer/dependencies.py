"""The dependencies of a chart in git that are not beside it: what `helm dependency build` would fetch, as files to add.

In: the chart's files. Out: the missing archives (or local charts) as paths below the chart's folder. What is vendored
in `charts/` is used as it is; versions come from the lock file when there is one.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from services.renderer.charts import Charts
from services.renderer.failures import Reason, RenderFailure
from services.renderer.files import Files
from services.renderer.paths import join
from services.renderer.repositories import Lookup
from shared.yamlio import YamlError, load_all

MAX_DEPENDENCIES = 100
MAX_LOCAL_FILES = 5000
MAX_LOCAL_BYTES = 32 * 1024 * 1024
LOCKS = ("Chart.lock", "requirements.lock")


class Dependency(NamedTuple):
    """One entry of `dependencies:`; `version` may be a constraint, `locked` is the exact one."""

    name: str
    repository: str
    version: str
    locked: str = ""


def declared(files: Files, folder: str) -> list[Dependency]:
    """The dependencies that Chart.yaml (or an old chart's requirements.yaml) declares."""
    chart = _load(files, _inside(folder, "Chart.yaml"))
    if chart.get("apiVersion") == "v1":
        chart = _load(files, _inside(folder, "requirements.yaml"))
    entries = chart.get("dependencies") or []
    if not isinstance(entries, list) or len(entries) > MAX_DEPENDENCIES:
        message = f"{_inside(folder, 'Chart.yaml')}: dependencies must be a list of at most {MAX_DEPENDENCIES}"
        raise RenderFailure(Reason.CHART_INVALID, message)
    locked = {name: version for lock in LOCKS for name, version in _locked(_load(files, _inside(folder, lock)))}
    return [_dependency(entry, locked) for entry in entries if isinstance(entry, Mapping)]


def missing(files: Files, folder: str) -> list[Dependency]:
    """Those that are not vendored, each once: an aliased chart may be listed several times."""
    wanted = declared(files, folder)
    if not wanted:
        return []
    names = {entry.name for entry in files.list(_inside(folder, "charts")) or ()}
    absent = [each for each in wanted if not _vendored(each.name, names)]
    return list(dict.fromkeys(absent))


@dataclass(frozen=True, slots=True)
class Market:
    """Where charts come from, for one project; `fresh`: ask the network even for what is on disk."""

    charts: Charts
    lookup: Lookup
    project: str
    fresh: bool


def is_local(wanted: Dependency) -> bool:
    return wanted.repository.startswith("file://")


def local(files: Files, folder: str, wanted: Iterable[Dependency]) -> dict[str, bytes]:
    """The dependencies that lie in the same repository, as files to lay over the chart. Blocking."""
    return {path: data for each in wanted if is_local(each) for path, data in _local(files, folder, each)}


async def remote(folder: str, wanted: Iterable[Dependency], market: Market) -> dict[str, bytes]:
    """The dependencies from repositories, as archives to lay over the chart."""
    added: dict[str, bytes] = {}
    for each in wanted:
        if not is_local(each):
            added |= await _remote(folder, each, market)
    return added


async def _remote(folder: str, wanted: Dependency, market: Market) -> dict[str, bytes]:
    if not wanted.repository:
        message = (
            f"dependency {wanted.name} names no repository and is not in charts/: vendor it or name its repository"
        )
        raise RenderFailure(Reason.DEPENDENCY_UNAVAILABLE, message)
    try:
        repository = market.lookup(wanted.repository, market.project)
        version = wanted.locked or await market.charts.resolve(repository, wanted.name, wanted.version)
        data = await market.charts.archive(repository, wanted.name, version, fresh=market.fresh)
    except RenderFailure as error:
        message = f"dependency {wanted.name} {wanted.locked or wanted.version}: {error.message}"
        raise RenderFailure(Reason.DEPENDENCY_UNAVAILABLE, message, retriable=error.retriable) from error
    return {_inside(folder, f"charts/{wanted.name}-{version}.tgz"): data}


def _local(files: Files, folder: str, wanted: Dependency) -> Iterator[tuple[str, bytes]]:
    """A chart elsewhere in the same repository, copied beside the others."""
    source = join(folder, wanted.repository.removeprefix("file://"), what=f"dependency {wanted.name}")
    if files.read(_inside(source, "Chart.yaml")) is None:
        message = (
            f"dependency {wanted.name}: there is no chart at {wanted.repository}: the path is relative to the chart"
        )
        raise RenderFailure(Reason.DEPENDENCY_UNAVAILABLE, message)
    total = 0
    for count, path in enumerate(_below(files, source)):
        data = files.read(path) or b""
        total += len(data)
        if count >= MAX_LOCAL_FILES or total > MAX_LOCAL_BYTES:
            raise RenderFailure(Reason.FILE_TOO_LARGE, f"dependency {wanted.name}: the chart at {source} is too large")
        yield _inside(folder, f"charts/{wanted.name}/{path[len(source) :].lstrip('/')}"), data


def _below(files: Files, folder: str) -> Iterator[str]:
    pending = [folder]
    while pending:
        path = pending.pop()
        for entry in files.list(path) or ():
            child = _inside(path, entry.name)
            if not entry.is_dir:
                yield child
            elif not entry.is_link:
                pending.append(child)


def _vendored(name: str, names: set[str]) -> bool:
    archive = re.compile(re.escape(name) + r"-v?\d.*\.(tgz|tar\.gz)")
    return name in names or any(archive.fullmatch(each) for each in names)


def _dependency(entry: Mapping[str, Any], locked: Mapping[str, str]) -> Dependency:
    name = str(entry.get("name") or "")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        raise RenderFailure(Reason.CHART_INVALID, f"a dependency has the name {name[:100]!r}: that is no chart's name")
    return Dependency(name, str(entry.get("repository") or ""), str(entry.get("version") or ""), locked.get(name, ""))


def _locked(lock: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for entry in lock.get("dependencies") or ():
        if isinstance(entry, Mapping) and entry.get("name") and entry.get("version"):
            yield str(entry["name"]), str(entry["version"])


def _load(files: Files, path: str) -> Mapping[str, Any]:
    data = files.read(path)
    if data is None:
        return {}
    try:
        documents = load_all(data, path)
    except YamlError as error:
        raise RenderFailure(Reason.INVALID_YAML, str(error)) from error
    return documents[0] if documents and isinstance(documents[0], Mapping) else {}


def _inside(folder: str, path: str) -> str:
    return f"{folder}/{path}" if folder else path
