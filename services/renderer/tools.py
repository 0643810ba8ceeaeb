"""The tools themselves: what was gathered goes to the engines worker, what comes back becomes canonical objects.

During a call the worker asks for files of the source, and only of it; every path it asks for is recorded. The engines'
failures become `RenderFailure`s that say which tool it was.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson

from services.renderer import dependencies
from services.renderer import kustomize as kustomizations
from services.renderer.charts import Best
from services.renderer.dependencies import Market
from services.renderer.documents import canonical
from services.renderer.environment import Environment
from services.renderer.failures import Reason, RenderFailure
from services.renderer.files import Files, Overlay
from services.renderer.helm import Cluster, HelmJob, gather, with_names
from services.renderer.jsonnet import JsonnetJob, objects_of
from services.renderer.opened import OpenedSource
from services.renderer.parts import Parts
from services.renderer.remote_values import with_remote_values
from services.renderer.values import Roots
from shared.engines import helm as helm_engine
from shared.engines import jsonnet as jsonnet_engine
from shared.engines import kustomize as kustomize_engine
from shared.engines import semver
from shared.engines.client import Engines
from shared.engines.errors import EngineCrashed, EngineError, EngineOutputTooLarge, EngineTimeout
from shared.events import RenderRequest
from shared.kinds.source import HelmOptions, KustomizeOptions

REASONS = {
    "PathEscape": Reason.PATH_ESCAPES_REPOSITORY,
    "ChartTooLarge": Reason.FILE_TOO_LARGE,
    "ChartInvalid": Reason.CHART_INVALID,
    "MissingDependencies": Reason.DEPENDENCY_UNAVAILABLE,
}


def best_version(engines: Engines) -> Best:
    """Semver as the engines know it; a prerelease counts only when the constraint names one."""

    async def best(constraint: str, versions: Sequence[str]) -> str | None:
        with engine_failures(Reason.VERSION_NOT_FOUND):
            return await semver.best(engines, constraint, versions)

    return best


@dataclass(frozen=True, slots=True)
class Job:
    """One source to render, and what that needs."""

    opened: OpenedSource
    environment: Environment
    request: RenderRequest
    parts: Parts

    @property
    def cluster(self) -> Cluster:
        return Cluster(self.request.destination_namespace, self.request.kube_version, self.request.api_versions)

    @property
    def folder(self) -> str:
        return self.opened.folder or ""


async def helm(job: Job, roots: Roots) -> Sequence[bytes]:
    """`helm template` of a folder with a chart."""
    options, parts = job.opened.source.helm or HelmOptions(), job.parts
    wanted = await parts.in_thread(gather, options, roots, job.environment, job.request.app_name, job.cluster)
    wanted = await with_remote_values(wanted, parts.client, parts.settings.value_file_bytes)
    files = await _with_dependencies(job)
    with engine_failures(Reason.HELM_FAILED, lambda message: with_names(message, wanted.value_names)):
        rendered = await helm_engine.template(
            parts.engines, files, **_options(wanted), deadline=parts.settings.tool_seconds
        )
    return await parts.in_thread(_objects, rendered.manifests)


async def kustomize(job: Job) -> tuple[Sequence[bytes], Sequence[str]]:
    """`kustomize build` of a folder, with the source's edits; the objects, and warnings."""
    options, parts, files = job.opened.source.kustomize or KustomizeOptions(), job.parts, job.opened.files
    wanted = await parts.in_thread(
        kustomizations.gather, options, files, job.folder, job.environment, job.request.settings
    )
    with engine_failures(Reason.KUSTOMIZE_FAILED):
        built = await kustomize_engine.build(
            parts.engines,
            files,
            wanted.folder or ".",
            edits=wanted.edits,
            options=wanted.options,
            deadline=parts.settings.tool_seconds,
        )
    objects = await parts.in_thread(_objects, [("the kustomization", each) for each in built])
    return objects, wanted.warnings


async def jsonnet(job: Job, path: str, wanted: JsonnetJob) -> Sequence[bytes]:
    """One Jsonnet file."""
    parts = job.parts
    with engine_failures(Reason.JSONNET_FAILED):
        output = await jsonnet_engine.evaluate(
            parts.engines,
            job.opened.files,
            path,
            ext_vars=wanted.external.text,
            ext_code=wanted.external.code,
            tla_vars=wanted.arguments.text,
            tla_code=wanted.arguments.code,
            search=wanted.search,
            deadline=parts.settings.tool_seconds,
        )
    return await parts.in_thread(objects_of, output, path)


async def _with_dependencies(job: Job) -> Files | Overlay:
    """The source's files, with the chart's missing dependencies laid in."""
    files, parts = job.opened.files, job.parts
    wanted = await parts.in_thread(dependencies.missing, files, job.folder)
    if not wanted:
        return files
    market = Market(parts.charts, parts.lookup, job.request.project, fresh=job.request.no_cache)
    added = await dependencies.remote(job.folder, wanted, market)
    added |= await parts.in_thread(dependencies.local, files, job.folder, wanted)
    return Overlay(files, added)


def _options(job: HelmJob) -> dict[str, Any]:
    return {
        "chart": job.chart or ".",
        "release": job.release,
        "namespace": job.namespace,
        "kube_version": job.kube_version,
        "api_versions": job.api_versions,
        "values": job.values,
        "set_values": job.set_values,
        "set_strings": job.set_strings,
        "set_files": job.set_files,
        "include_crds": job.include_crds,
        "skip_tests": job.skip_tests,
        "skip_schema": job.skip_schema,
    }


def _objects(rendered: Iterable[tuple[str, bytes]]) -> list[bytes]:
    """(file it came from, object as JSON) pairs as canonical objects."""
    return [each for source, data in rendered for each in canonical([orjson.loads(data)], source)]


@contextmanager
def engine_failures(otherwise: Reason, said: Callable[[str], str] = str) -> Iterator[None]:
    """The engines' reasons as ours; a tool's own words, put by `said`, are the message."""
    try:
        yield
    except EngineError as error:
        raise RenderFailure(REASONS.get(error.reason, otherwise), said(error.message)) from error
    except EngineTimeout as error:
        raise RenderFailure(Reason.RENDER_TIMEOUT, str(error)) from error
    except EngineOutputTooLarge as error:
        raise RenderFailure(Reason.MANIFESTS_TOO_LARGE, str(error)) from error
    except EngineCrashed as error:
        raise RenderFailure(otherwise, str(error), retriable=not error.out_of_memory) from error
