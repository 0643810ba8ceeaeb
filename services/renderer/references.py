"""The other sources that a Helm source may read files of, by `$name`.

Pure. A reference to the repository that is being rendered must be at the same commit, as in Argo CD.
"""

from collections.abc import Mapping, Sequence

from services.renderer.failures import Reason, RenderFailure
from services.renderer.files import Files, Recording
from services.renderer.opened import OpenedSource
from services.renderer.values import Roots, allowed_schemes
from shared.kinds.secrets import normalise_url


def references(opened: OpenedSource, every: Sequence[OpenedSource], settings: Mapping[str, str]) -> Roots:
    """Where `opened` may read. Only references that it uses are checked."""
    helm = opened.source.helm
    named = [*helm.value_files, *(each.path for each in helm.file_parameters)] if helm else []
    used = {path.partition("/")[0][1:] for path in named if path.startswith("$")}
    refs: dict[str, Files] = {}
    for other in every:
        if other.source.ref and other.source.ref in used:
            refs[other.source.ref] = _checked(opened, other)
    return Roots(opened.files, opened.folder or "", refs, allowed_schemes(settings))


def _checked(opened: OpenedSource, other: OpenedSource) -> Recording:
    if other.source.chart:
        message = f"source {other.source.ref!r} is a chart: files can only be referred to in git repositories"
        raise RenderFailure(Reason.INVALID_SOURCE, message)
    same = normalise_url(other.source.repo_url) == normalise_url(opened.source.repo_url)
    if same and opened.from_git and other.revision != opened.revision:
        message = (
            f"source {other.source.ref!r} is the same repository at another commit ({other.revision[:8]}, "
            f"the application is at {opened.revision[:8]}): give both the same targetRevision"
        )
        raise RenderFailure(Reason.REF_REVISION_MISMATCH, message, retriable=True)
    return other.files
