"""A Kustomize source: the edits that its options mean, in the order in which Argo CD makes them.

In: the options, the folder's files, the environment. Out: a `KustomizeJob` for the engines worker, which applies the
edits to a copy in its memory. Nothing in git is changed and nothing remote is fetched.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.renderer.environment import Environment
from services.renderer.failures import Reason, RenderFailure
from services.renderer.files import Files
from services.renderer.paths import join
from shared.kinds.source import KustomizeOptions, KustomizePatch, KustomizeTarget

BUILD_OPTIONS = "kustomize.buildOptions"
WITHOUT_EFFECT = frozenset({"--enable-helm", "--enable-exec", "--enable-alpha-plugins", "--enable-star", "--network"})


@dataclass(frozen=True, slots=True)
class KustomizeJob:
    """`edits` are the kustomization's fields to set, `options` the words of a `kustomize build` command line."""

    folder: str
    edits: Mapping[str, Any]
    options: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def gather(
    options: KustomizeOptions, files: Files, folder: str, environment: Environment, settings: Mapping[str, str]
) -> KustomizeJob:
    """`kubeVersion` and `apiVersions` are for charts inside a kustomization, which the worker refuses: not needed."""
    words = build_options(options, settings)
    dropped = [word for word in words if word.partition("=")[0] in WITHOUT_EFFECT]
    return KustomizeJob(
        folder=folder,
        edits=edits(options, files, folder, environment),
        options=tuple(word for word in words if word not in dropped),
        warnings=tuple(f"kustomize.buildOptions: {word} has no effect: renders run no programs" for word in dropped),
    )


def build_options(options: KustomizeOptions, settings: Mapping[str, str]) -> tuple[str, ...]:
    """`kustomize.buildOptions`, or those of the version that the source asks for."""
    if options.version:
        own = settings.get(f"{BUILD_OPTIONS}.{options.version}")
        if own is not None:
            return tuple(own.split())
    return tuple(settings.get(BUILD_OPTIONS, "").split())


def annotations(options: KustomizeOptions, environment: Environment) -> dict[str, str]:
    if not options.common_annotations_envsubst:
        return dict(options.common_annotations)
    return {name: environment.expand(value) for name, value in options.common_annotations.items()}


def components(options: KustomizeOptions, files: Files, folder: str) -> list[str]:
    """The components to add; missing ones are left out only when the source says so."""
    if not options.ignore_missing_components:
        return list(options.components)
    return [each for each in options.components if files.list(join(folder, each, what="component")) is not None]


def edits(options: KustomizeOptions, files: Files, folder: str, environment: Environment) -> dict[str, Any]:
    """Only what is set, so that a source without options builds the kustomization as it is."""
    if options.common_labels and options.label_include_templates and not options.label_without_selector:
        message = "labelIncludeTemplates works only together with labelWithoutSelector: set both or none"
        raise RenderFailure(Reason.INVALID_SOURCE, message)
    wanted: dict[str, Any] = {
        "namePrefix": options.name_prefix,
        "nameSuffix": options.name_suffix,
        "images": list(options.images),
        "replicas": [{"name": each.name, "count": count_of(each.count, each.name)} for each in options.replicas],
        "commonLabels": dict(options.common_labels),
        "forceCommonLabels": options.force_common_labels,
        "labelWithoutSelector": options.label_without_selector,
        "labelIncludeTemplates": options.label_include_templates,
        "commonAnnotations": annotations(options, environment),
        "forceCommonAnnotations": options.force_common_annotations,
        "namespace": options.namespace,
        "patches": [_patch(each) for each in options.patches],
        "components": components(options, files, folder),
    }
    return {name: value for name, value in wanted.items() if value}


def _patch(given: KustomizePatch) -> dict[str, Any]:
    wanted = {"path": given.path, "patch": given.patch, "options": dict(given.options)}
    target = given.target and given.target.model_dump(by_alias=True, include=set(KustomizeTarget.model_fields))
    return {name: value for name, value in {**wanted, "target": target}.items() if value}


def count_of(count: int | str, name: str) -> int:
    """A number, or a number in quotes."""
    if isinstance(count, str) and not count.strip().isdigit():
        raise RenderFailure(Reason.INVALID_SOURCE, f"kustomize.replicas: the count {count!r} of {name} is no number")
    return int(count)
