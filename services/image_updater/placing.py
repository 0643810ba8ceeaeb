"""Where the new version of an Application's image is written: which source, repository, branch, file. Pure.

In: the Application, the image, the write-back settings. Out: a `Place`, or `Refused` with what to change. A path never
leaves the repository.
"""

import posixpath
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from services.image_updater.policy import HelmKeys, KustomizeName, PluginKeys, WantedImage
from services.image_updater.refusals import Refused
from services.image_updater.view import AppView
from shared.kinds.imageupdater import GitConfig, PullRequest, WriteBackConfig
from shared.kinds.source import Source
from shared.kinds.wire import InvalidObject

ARGOCD, GIT = "argocd", "git"
REPOCREDS, SECRET = "git:repocreds", "git:secret:"


class Kind(StrEnum):
    """What a file is to us."""

    OVERRIDES = "overrides"
    KUSTOMIZATION = "kustomization"
    VALUES = "helmvalues"
    SETTERS = "setters"


class Branches(NamedTuple):
    """`base` empty: the repository's default branch. `target` may hold a template; empty: the base itself."""

    base: str
    target: str


@dataclass(frozen=True, slots=True)
class Place:
    """One file (a folder with setters) in a repository. `secret`: namespace/name of credentials of its own."""

    url: str
    project: str
    branches: Branches
    kind: Kind
    path: str
    source_type: str
    secret: str = ""
    pull_request: PullRequest | None = None


class TypedSource(NamedTuple):
    position: int
    source: Source
    type: str


def merged(levels: Iterable[WriteBackConfig | None]) -> WriteBackConfig:
    """Nearest level first. A pull request is taken whole, never mixed of two levels."""
    known = [level for level in levels if level is not None]
    configs = [level.git_config for level in known if level.git_config is not None]
    git = GitConfig(
        repository=next((one.repository for one in configs if one.repository), ""),
        branch=next((one.branch for one in configs if one.branch), ""),
        write_back_target=next((one.write_back_target for one in configs if one.write_back_target), ""),
        pull_request=next((one.pull_request for one in configs if one.pull_request), None),
    )
    return WriteBackConfig(method=next((one.method for one in known if one.method), ARGOCD), git_config=git)


def method_of(config: WriteBackConfig) -> str:
    """`argocd` or `git`."""
    method = (config.method or ARGOCD).strip()
    if method == ARGOCD:
        return ARGOCD
    if method in (GIT, REPOCREDS) or (method.startswith(SECRET) and method != SECRET):
        return GIT
    raise Refused("InvalidWriteBack", f"write-back method {method!r} is unknown: argocd, git or git:secret:ns/name")


def secret_of(config: WriteBackConfig, namespace: str) -> str:
    """The Secret with git credentials, which must lie beside who asks: otherwise it could be used by strangers."""
    method = (config.method or "").strip()
    if not method.startswith(SECRET):
        return ""
    where, _, name = method.removeprefix(SECRET).rpartition("/")
    if where and where != namespace:
        raise Refused(
            "SecretNotPermitted",
            f"{method} names a Secret of namespace {where}: only those of {namespace}, where the rule is, may be used",
        )
    return f"{namespace}/{name}"


def typed_sources(view: AppView) -> list[TypedSource]:
    """An explicit block decides, then what the last comparison found at this position."""
    if view.spec.sourceHydrator is not None:
        raise Refused(
            "SourceHydratorUnsupported",
            "images of an Application with sourceHydrator are not updated yet: let the CI job write to its drySource",
        )
    try:
        sources = view.sources()
    except InvalidObject as error:
        raise Refused("InvalidApplication", str(error)) from error
    types = view.source_types()
    found = [types[at] if at < len(types) else "" for at in range(len(sources))]
    return [TypedSource(at, source, _explicit(source) or found[at]) for at, source in enumerate(sources)]


def _explicit(source: Source) -> str:
    if source.chart or source.helm is not None:
        return "Helm"
    if source.kustomize is not None:
        return "Kustomize"
    return "Plugin" if source.plugin is not None else "Directory" if source.directory is not None else ""


def source_for(view: AppView, image: WantedImage, *, plain: bool = False) -> TypedSource:
    """The source that an image's keys belong to. `plain`: a folder of manifests will do as well."""
    sources = typed_sources(view)
    wanted = {HelmKeys: ("Helm",), KustomizeName: ("Kustomize",), PluginKeys: ("Plugin",)}.get(
        type(image.keys), ("Helm", "Kustomize", "Plugin", *(("Directory", "") if plain else ()))
    )
    found = next((one for one in sources if one.type in wanted), None)
    if found is None:
        have = ", ".join(sorted({one.type or "unknown yet" for one in sources})) or "none"
        need = " or ".join(filter(None, wanted))
        raise Refused(
            "UnsupportedSource",
            f"{image.alias}: the Application has no source of type {need} (it has: {have});"
            " for plain manifests use the write-back target setters",
            retriable="unknown yet" in have,
        )
    return found


def place_of(view: AppView, image: WantedImage, config: WriteBackConfig, *, namespace: str, argo: str) -> Place:
    """`namespace`: of the rule that decides; `argo`: Argo CD's own."""
    git = config.git_config or GitConfig()
    word, _, where = git.write_back_target.partition(":")
    kind = _kind(word)
    found = source_for(view, image, plain=kind is Kind.SETTERS)
    home = _home(view, found, git)
    default = {Kind.VALUES: "values.yaml", Kind.OVERRIDES: overrides_name(view, argo)}.get(kind, "")
    return Place(
        url=git.repository or home.repo_url,
        project=view.spec.project,
        branches=branches_of(git, home),
        kind=kind,
        path=inside(home.path, where.strip() or default),
        source_type=found.type,
        secret=secret_of(config, namespace),
        pull_request=git.pull_request,
    )


def _kind(word: str) -> Kind:
    try:
        return Kind(word.strip() or Kind.OVERRIDES)
    except ValueError:
        raise Refused(
            "InvalidWriteBack",
            f"write-back target {word!r} is unknown: kustomization, helmvalues or setters, each with a path if need be",
        ) from None


def _home(view: AppView, found: TypedSource, git: GitConfig) -> Source:
    """A chart of a registry can't be written to: its values come from a git source beside it."""
    if not (found.source.chart or found.source.is_oci):
        return found.source
    beside = next((one.source for one in typed_sources(view) if one.source.ref and not one.source.chart), None)
    if beside is not None:
        return beside
    if git.repository:
        return Source(repo_url=git.repository, target_revision=git.branch.partition(":")[0])
    raise Refused("UnsupportedSource", "the chart is in no git repository: set gitConfig.repository, or use argocd")


def branches_of(git: GitConfig, source: Source) -> Branches:
    """`base`, `base:target` or `:target`; without any the branch that the Application follows."""
    base, colon, target = git.branch.strip().partition(":")
    if colon and git.pull_request is not None:
        raise Refused("InvalidWriteBack", "a branch of the form base:target can't be combined with pullRequest")
    followed = "" if source.target_revision in ("", "HEAD") else source.target_revision.removeprefix("refs/heads/")
    return Branches(base or followed, target)


def overrides_name(view: AppView, argo: str) -> str:
    own = view.key.namespace == argo
    return f".argocd-source-{view.key.name if own else f'{view.key.namespace}_{view.key.name}'}.yaml"


def inside(folder: str, path: str) -> str:
    """A path from the repository's root: relative to the source's folder, or absolute within the repository."""
    joined = path.lstrip("/") if path.startswith("/") else posixpath.join(folder, path)
    normal = posixpath.normpath(joined.lstrip("/")) if joined else "."
    if normal == ".." or normal.startswith("../") or "\0" in normal:
        raise Refused("PathOutsideRepository", f"{path!r} leads out of the repository: nothing is written there")
    return "" if normal == "." else normal
