"""What is wrong with an Application's spec, field by field: the messages of its InvalidSpecError conditions.

In: an Application that could be parsed. Out: sentences, empty when it is valid. What a project permits: see `project`.
"""

import re
from collections.abc import Iterator

from shared.kinds.application import Application
from shared.kinds.effective import InvalidDestination, cluster_choice, effective_sources, has_multiple_sources
from shared.kinds.source import Source

_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_TOOLS = ("helm", "kustomize", "directory", "plugin")


def problems(app: Application) -> list[str]:
    return [*_destination(app), *_sources(app)]


def _destination(app: Application) -> Iterator[str]:
    try:
        cluster_choice(app.spec.destination)
    except InvalidDestination as error:
        yield str(error)
    namespace = app.spec.destination.namespace
    if namespace and not _DNS_LABEL.fullmatch(namespace):
        yield f"spec.destination.namespace {namespace!r} is no namespace name: lower-case letters, digits and '-' only"


def _sources(app: Application) -> Iterator[str]:
    sources = effective_sources(app)
    many = has_multiple_sources(app)
    if not sources:
        yield "spec.source.repoURL and either spec.source.path or spec.source.chart are required"
    for position, source in enumerate(sources):
        yield from _source(source, f"spec.sources[{position}]" if many else "spec.source", many=many)
    yield from _references(sources)


def _source(source: Source, where: str, *, many: bool) -> Iterator[str]:
    if not source.repo_url or not (source.path or source.chart or source.is_oci or (many and source.ref)):
        ways = f"{where}.path, {where}.chart or {where}.ref" if many else f"{where}.path or {where}.chart"
        yield f"{where}.repoURL and either {ways} are required"
    if source.chart and not source.target_revision:
        yield f"{where}.targetRevision is required if the manifest source is a helm chart"
    if source.ref and source.chart:
        yield f"{where} can't have both ref and chart: only a git source can be referred to by others"
    tools = [name for name in _TOOLS if getattr(source, name) is not None]
    if len(tools) > 1:
        yield f"{where} has options of several tools ({', '.join(tools)}): keep those of one"
    yield from _path(source, where)


def _path(source: Source, where: str) -> Iterator[str]:
    if source.path.startswith("/"):
        yield f"{where}.path {source.path!r} is absolute: write it relative to the root of the repository"
    if ".." in source.path.split("/"):
        yield f"{where}.path {source.path!r} leaves the repository: '..' is not allowed"


def _references(sources: tuple[Source, ...]) -> Iterator[str]:
    names = [source.ref for source in sources if source.ref]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"spec.sources: the ref {name!r} is used by several sources; refs must be unique"
