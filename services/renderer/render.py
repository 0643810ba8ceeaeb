"""One render, from a request to manifests: open every source, choose its tool, run it, put the objects in a row.

In: a `RenderRequest` and the service's parts. Out: `Rendered`: the objects' bytes, and per source what was read.
Whatever goes wrong is a `RenderFailure`. Nothing is remembered here.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from services.renderer import directory, jsonnet, sources, tools
from services.renderer.digests import Digests
from services.renderer.directory import JSONNET, Limits
from services.renderer.environment import Environment, build_environment
from services.renderer.failures import Reason, RenderFailure
from services.renderer.files import input_paths
from services.renderer.known import CLUSTER, REVISION, Input, contents_of
from services.renderer.opened import (
    OpenedSource,
    comes_from_git,
    only_referred,
    open_archive,
    open_git,
    prepared,
)
from services.renderer.parts import Parts
from services.renderer.references import references
from services.renderer.sources import Tool, detect, parse
from shared.events import RenderedSource, RenderRequest, RenderSource
from shared.kinds.source import DirectoryOptions, Source

MAX_WARNINGS = 20


@dataclass(slots=True)
class SourceOutput:
    """One source's objects as canonical JSON. `facts`: inputs that are no paths."""

    tool: Tool
    objects: Sequence[bytes] = ()
    warnings: Sequence[str] = ()
    facts: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Rendered:
    """The whole answer: the manifests as one JSON list, and what they were made of."""

    manifests: bytes
    digest: str
    count: int
    sources: tuple[RenderedSource, ...]
    warnings: tuple[str, ...]
    inputs: tuple[Input, ...]
    contents: str


def instance_name(request: RenderRequest, argo_namespace: str) -> str:
    """How the Application is called in environments and override files."""
    if request.app_namespace in ("", argo_namespace):
        return request.app_name
    return f"{request.app_namespace}_{request.app_name}"


async def render(request: RenderRequest, parts: Parts) -> Rendered:
    """Render all sources in their order, within the time that a render may take."""
    try:
        async with asyncio.timeout(parts.settings.render_seconds):
            return await _render(request, parts)
    except TimeoutError as error:
        message = f"the render took longer than {parts.settings.render_seconds:g} s: simplify it or raise the limit"
        raise RenderFailure(Reason.RENDER_TIMEOUT, message, retriable=True) from error


async def _render(request: RenderRequest, parts: Parts) -> Rendered:
    opened = [await _open(position, given, request, parts) for position, given in enumerate(request.sources)]
    outputs = [await _one(each, opened, request, parts) for each in opened]
    return await parts.in_thread(_joined, opened, outputs, Digests(request, parts.mirrors), parts.settings.output_bytes)


async def _open(position: int, given: RenderSource, request: RenderRequest, parts: Parts) -> OpenedSource:
    source = parse(given.source)
    instance = instance_name(request, parts.argo_namespace)
    if comes_from_git(source):
        return await parts.in_thread(lambda: prepared(open_git(given, source, position, parts.mirrors), instance))
    data = await _archive(given, source, request, parts)
    limits = parts.archive_limits
    return await parts.in_thread(lambda: prepared(open_archive(given, source, position, data, limits), instance))


async def _archive(given: RenderSource, source: Source, request: RenderRequest, parts: Parts) -> bytes:
    repository = parts.lookup(source.repo_url, request.project)
    pass_credentials = bool(source.helm and source.helm.pass_credentials)
    return await parts.charts.archive(
        repository, source.chart, given.revision, fresh=request.no_cache, pass_credentials=pass_credentials
    )


async def _one(
    opened: OpenedSource, every: Sequence[OpenedSource], request: RenderRequest, parts: Parts
) -> SourceOutput:
    if opened.folder is None or only_referred(opened.source):
        return SourceOutput(Tool.DIRECTORY)
    environment = environment_of(opened, request, parts.argo_namespace)
    output = await _by_tool(tools.Job(opened, environment, request, parts), every)
    if environment.used_revision or not opened.from_git:
        output.facts.add(REVISION)
    return output


async def _by_tool(job: tools.Job, every: Sequence[OpenedSource]) -> SourceOutput:
    opened, settings = job.opened, job.request.settings
    tool = detect(opened.source, opened.names, settings)
    match tool:
        case Tool.HELM:
            objects = await tools.helm(job, references(opened, every, settings))
            return SourceOutput(tool, objects, facts={CLUSTER})
        case Tool.KUSTOMIZE:
            return SourceOutput(tool, *await tools.kustomize(job))
        case Tool.DIRECTORY:
            return await _directory(job)
        case Tool.PLUGIN:
            message = "config management plugins are not built: use Helm, Kustomize, Jsonnet or plain files"
            raise RenderFailure(Reason.PLUGINS_NOT_BUILT, message)


async def _directory(job: tools.Job) -> SourceOutput:
    parts, options = job.parts, job.opened.source.directory or DirectoryOptions()
    limits = Limits(parts.settings.combined_manifests_bytes)
    found, warnings = await parts.in_thread(
        directory.manifests, job.opened.files, job.folder, options, limits, parts.parsed
    )
    if not _has_jsonnet(found) or not sources.jsonnet_enabled(job.request.settings):
        return SourceOutput(Tool.DIRECTORY, [obj for _, parsed in found if parsed for obj in parsed.objects], warnings)
    wanted = jsonnet.gather(options.jsonnet, job.folder, job.environment)
    objects: list[bytes] = []
    for path, parsed in found:
        objects += await tools.jsonnet(job, path, wanted) if parsed is None else parsed.objects
    return SourceOutput(Tool.DIRECTORY, objects, warnings)


def _has_jsonnet(found: Sequence[tuple[str, object]]) -> bool:
    return any(path.endswith(JSONNET) for path, _ in found)


def environment_of(opened: OpenedSource, request: RenderRequest, argo_namespace: str) -> Environment:
    return build_environment(
        app=instance_name(request, argo_namespace),
        namespace=request.destination_namespace,
        project=request.project,
        revision=opened.revision,
        repo_url=opened.source.repo_url,
        path=opened.source.path,
        target_revision=opened.source.target_revision,
    )


def _joined(opened: Sequence[OpenedSource], outputs: Sequence[SourceOutput], digests: Digests, limit: int) -> Rendered:
    objects = [each for output in outputs for each in output.objects]
    size = sum(map(len, objects)) + len(objects) + 2
    if size > limit:
        message = f"the rendered manifests are {size:,} bytes, allowed are {limit:,}: split the application"
        raise RenderFailure(Reason.MANIFESTS_TOO_LARGE, message)
    warnings = [warning for output in outputs for warning in output.warnings]
    manifests = b"[" + b",".join(objects) + b"]"
    inputs = tuple(each for pair in zip(opened, outputs, strict=True) for each in _inputs(*pair))
    return Rendered(
        manifests=manifests,
        digest=hashlib.sha256(manifests).hexdigest(),
        count=len(objects),
        sources=tuple(map(_described, opened, outputs)),
        warnings=tuple(warnings[:MAX_WARNINGS]),
        inputs=inputs,
        contents=contents_of(inputs, digests),
    )


def _described(opened: OpenedSource, output: SourceOutput) -> RenderedSource:
    return RenderedSource(
        source_type=output.tool,
        revision=opened.revision,
        count=len(output.objects),
        input_paths=_paths(opened),
    )


def _paths(opened: OpenedSource) -> tuple[str, ...]:
    return input_paths(opened.folder, opened.files.touched) if opened.from_git else ()


def _inputs(opened: OpenedSource, output: SourceOutput) -> list[Input]:
    return [Input(opened.position, name) for name in (*_paths(opened), *sorted(output.facts))]
