"""A Helm source: everything that `helm template` would be given, gathered from the source's options and files.

In: an opened source, the environment, where references lead. Out: canonical objects. The chart is rendered by the
engines worker, which sees the chart's folder and the bytes that are handed over here, and nothing else.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import orjson

from services.renderer.environment import Environment
from services.renderer.failures import Reason, RenderFailure
from services.renderer.values import Place, Roots, locate, value_files
from shared.kinds.source import HelmOptions

MAX_VALUE_FILE = 16 * 1024 * 1024
_COMMA = re.compile(r"(?<!\\),")
_VERSION = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?")
_RELEASE = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
MAX_RELEASE = 53
INLINE = "the values in the source"
_NUMBERED = re.compile(r"^values (\d+) of \d+")


@dataclass(frozen=True, slots=True)
class Cluster:
    """What templates may know of the destination: namespace, version, available APIs."""

    namespace: str = ""
    kube_version: str = ""
    api_versions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HelmJob:
    """One `helm template`: `values` are YAML texts, later ones win; URLs are still to be fetched."""

    chart: str
    release: str
    namespace: str
    kube_version: str
    api_versions: tuple[str, ...]
    values: tuple[bytes | Place, ...] = ()
    value_names: tuple[str, ...] = ()
    set_values: tuple[str, ...] = ()
    set_strings: tuple[str, ...] = ()
    set_files: tuple[tuple[str, bytes | Place], ...] = ()
    include_crds: bool = True
    skip_tests: bool = False
    skip_schema: bool = False


def gather(options: HelmOptions, roots: Roots, environment: Environment, app: str, cluster: Cluster) -> HelmJob:
    """Read what the options name. Blocking: files come from the object database."""
    places = value_files(options.value_files, roots, environment, ignore_missing=options.ignore_missing_value_files)
    inline = inline_values(options)
    plain, strings = parameters(options, environment)
    return HelmJob(
        chart=roots.folder,
        release=release_name(options.release_name or app),
        namespace=options.namespace or cluster.namespace,
        kube_version=plain_version(options.kube_version or cluster.kube_version),
        api_versions=options.api_versions or cluster.api_versions,
        values=(*(_content(place, roots) for place in places), *((inline,) if inline else ())),
        value_names=(*(_shown(place) for place in places), *((INLINE,) if inline else ())),
        set_values=plain,
        set_strings=strings,
        set_files=tuple(_file_parameters(options, roots, environment)),
        include_crds=not options.skip_crds,
        skip_tests=options.skip_tests,
        skip_schema=options.skip_schema_validation,
    )


def with_names(message: str, names: Sequence[str]) -> str:
    """The engine counts values; people know them by their files."""
    return _NUMBERED.sub(lambda match: names[int(match[1]) - 1], message)


def inline_values(options: HelmOptions) -> bytes:
    """`valuesObject` wins over the text in `values`."""
    if options.values_object is not None:
        return orjson.dumps(options.values_object)
    return options.values.encode()


def parameters(options: HelmOptions, environment: Environment) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The `--set` and `--set-string` expressions; of several with one name the last counts."""
    plain = {each.name: each.value for each in options.parameters if not each.force_string}
    strings = {each.name: each.value for each in options.parameters if each.force_string}
    return tuple(_expressions(plain.items(), environment)), tuple(_expressions(strings.items(), environment))


def escaped(value: str) -> str:
    """A comma in a value is a comma, except in a list `{a,b}`."""
    if value.startswith("{") and value.endswith("}"):
        return value
    return _COMMA.sub(r"\\,", value)


def plain_version(version: str) -> str:
    """`v1.31.2+k3s1` as `1.31.2`: what every Helm version takes."""
    match = _VERSION.match(version)
    if version and match is None:
        raise RenderFailure(Reason.INVALID_SOURCE, f"{version[:50]!r} is no Kubernetes version: write it as 1.31.0")
    return f"{match[1]}.{match[2]}.{match[3] or 0}" if match else ""


def release_name(name: str) -> str:
    if len(name) > MAX_RELEASE or not _RELEASE.fullmatch(name):
        message = (
            f"{name[:100]!r} can't be a Helm release name (lower case letters, digits, '-' and '.', "
            f"at most {MAX_RELEASE} characters): set helm.releaseName"
        )
        raise RenderFailure(Reason.INVALID_SOURCE, message)
    return name


def _expressions(pairs: Iterable[tuple[str, str]], environment: Environment) -> Iterable[str]:
    return (f"{name}={escaped(environment.expand(value))}" for name, value in pairs)


def _file_parameters(
    options: HelmOptions, roots: Roots, environment: Environment
) -> Sequence[tuple[str, bytes | Place]]:
    located = (
        (each.name, locate(each.path, roots, environment, what=f"fileParameters path {each.path!r}"))
        for each in options.file_parameters
    )
    return [(name, _content(place, roots)) for name, place in located]


def _shown(place: Place) -> str:
    return f"${place.ref}/{place.path}" if place.ref else place.path.partition("?")[0]


def _content(place: Place, roots: Roots) -> bytes | Place:
    """A URL stays what it is: it is fetched later, by somebody who may wait."""
    if place.is_url:
        return place
    data = roots.files_of(place).read(place.path, limit=MAX_VALUE_FILE)
    if data is None:
        raise RenderFailure(Reason.VALUE_FILE_NOT_FOUND, f"there is no file {place.path}: check the path in the source")
    return data
