"""One source of an Application as it will be rendered: its options, overrides from git merged in, and the tool to use.

Pure: the override files' bytes come in, a `Source` comes out.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Any

from services.renderer.failures import Reason, RenderFailure
from shared.kinds.source import Source
from shared.kinds.wire import InvalidObject
from shared.merge import json_merge_patch
from shared.yamlio import YamlError, load_all

Obj = dict[str, Any]

OVERRIDES = ".argocd-source.yaml"
PROTECTED = ("chart", "path", "repoURL", "targetRevision")
KUSTOMIZATIONS = frozenset({"kustomization.yaml", "kustomization.yml", "Kustomization"})


class Tool(StrEnum):
    """The source types of an Application's status."""

    HELM = "Helm"
    KUSTOMIZE = "Kustomize"
    DIRECTORY = "Directory"
    PLUGIN = "Plugin"


TOGGLES = {Tool.HELM: "helm.enable", Tool.KUSTOMIZE: "kustomize.enable"}


def override_files(instance: str) -> tuple[str, ...]:
    """The files beside the manifests that may change a source, in the order in which they are merged."""
    return (OVERRIDES, f".argocd-source-{instance}.yaml") if instance else (OVERRIDES,)


def parse(source: Mapping[str, Any]) -> Source:
    try:
        return Source.parse(source)
    except InvalidObject as error:
        raise RenderFailure(Reason.INVALID_SOURCE, f"the source can't be read: {error}") from error


def merged(source: Obj, name: str, data: bytes) -> Obj:
    """The source with one override file merged in; where it comes from can't be overridden."""
    try:
        documents = load_all(data, name)
    except YamlError as error:
        raise RenderFailure(Reason.INVALID_YAML, f"{error}") from error
    if not documents:
        return source
    patched = json_merge_patch(source, documents[0])
    protected = {key: source[key] for key in PROTECTED if key in source}
    return {**{key: value for key, value in patched.items() if key not in PROTECTED}, **protected}


def enabled(tool: Tool, settings: Mapping[str, str]) -> bool:
    toggle = TOGGLES.get(tool)
    return toggle is None or settings.get(toggle, "true").strip().lower() != "false"


def jsonnet_enabled(settings: Mapping[str, str]) -> bool:
    """Switched off, Jsonnet files of a folder are left out."""
    return settings.get("jsonnet.enable", "true").strip().lower() != "false"


def explicit(source: Source) -> Tool | None:
    """The tool that the source names by having its block; two blocks are an error, as in Argo CD."""
    named = [
        tool
        for tool, block in (
            (Tool.HELM, source.helm),
            (Tool.KUSTOMIZE, source.kustomize),
            (Tool.DIRECTORY, source.directory),
            (Tool.PLUGIN, source.plugin),
        )
        if block is not None
    ]
    if len(named) > 1:
        message = f"the source has options of several tools ({', '.join(named)}): keep one of the blocks"
        raise RenderFailure(Reason.INVALID_SOURCE, message)
    return named[0] if named else None


def detect(source: Source, names: Collection[str], settings: Mapping[str, str]) -> Tool:
    """The tool for a folder with these file names; a tool that is switched off leaves plain files."""
    named = explicit(source)
    if named is not None:
        return named if enabled(named, settings) else Tool.DIRECTORY
    if source.chart or ("Chart.yaml" in names and enabled(Tool.HELM, settings)):
        return Tool.HELM
    if not KUSTOMIZATIONS.isdisjoint(names) and enabled(Tool.KUSTOMIZE, settings):
        return Tool.KUSTOMIZE
    return Tool.DIRECTORY
