"""`helm template`, without downloads: a chart's folder in, objects out.

A dependency that isn't in `charts/` is `EngineError` with reason `MissingDependencies`, and
`missing_dependencies(error)` lists them. Other reasons: ChartInvalid, ChartNotInstallable, ChartTooLarge,
ValuesInvalid, SchemaViolation, ReleaseNameInvalid, KubeVersionInvalid, KubeVersionIncompatible, TemplateFailed,
ManifestInvalid, PathEscape.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from shared.engines.client import Engines
from shared.engines.errors import EngineError
from shared.engines.files import FileAccess

SECONDS = 60.0


class Manifest(NamedTuple):
    """One object as JSON, and the chart's file that it came from."""

    source: str
    json: bytes


class Dependency(NamedTuple):
    """One entry of a chart's `dependencies:`; `locked` is the lock file's version, if there is one."""

    name: str
    repository: str
    version: str
    alias: str
    locked: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """CRDs, then manifests in install order, then hooks."""

    manifests: tuple[Manifest, ...]
    chart: str
    version: str
    notes: str


async def template(
    engines: Engines,
    files: FileAccess,
    chart: str,
    *,
    release: str,
    namespace: str = "",
    kube_version: str = "",
    api_versions: Sequence[str] = (),
    values: Sequence[bytes] = (),
    set_values: Sequence[str] = (),
    set_strings: Sequence[str] = (),
    set_files: Sequence[tuple[str, bytes]] = (),
    include_crds: bool = True,
    skip_tests: bool = False,
    skip_schema: bool = False,
    is_upgrade: bool = False,
    deadline: float = SECONDS,
) -> Rendered:
    """Render the chart in the folder `chart` of `files`. `values` are YAML texts, later ones win."""
    args = {
        "chart": chart,
        "release": release,
        "namespace": namespace,
        "kube_version": kube_version,
        "api_versions": list(api_versions),
        "values": list(values),
        "set": list(set_values),
        "set_string": list(set_strings),
        "set_file": list(set_files),
        "include_crds": include_crds,
        "skip_tests": skip_tests,
        "skip_schema": skip_schema,
        "is_upgrade": is_upgrade,
    }
    found = await engines.call("helm.template", args, deadline=deadline, files=files)
    manifests = tuple(Manifest(source, data) for source, data in found["objects"])
    return Rendered(manifests, found["chart"], found["version"], found["notes"])


def missing_dependencies(error: EngineError) -> tuple[Dependency, ...]:
    """What the chart needs beside it; empty when the error is about something else."""
    if error.reason != "MissingDependencies":
        return ()
    return tuple(Dependency(**each) for each in error.details)
