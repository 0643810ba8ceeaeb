"""`kustomize build` of a folder, with the edits that an Argo CD source asks for made on a copy in memory.

Reasons: KustomizeFailed, RemoteResource (`details`: the address), HelmInKustomize, UnsupportedBuildOption, PathEscape.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.engines.client import Engines
from shared.engines.files import FileAccess

SECONDS = 60.0
NO_EDITS: Mapping[str, Any] = {}


async def build(
    engines: Engines,
    files: FileAccess,
    folder: str,
    *,
    edits: Mapping[str, Any] = NO_EDITS,
    options: Sequence[str] = (),
    deadline: float = SECONDS,
) -> tuple[bytes, ...]:
    """The objects as JSON.

    `edits` are Argo CD's fields: namePrefix, nameSuffix, images, replicas [{name, count}], commonLabels,
    forceCommonLabels, labelWithoutSelector, labelIncludeTemplates, commonAnnotations, forceCommonAnnotations,
    namespace, patches [{path, patch, target, options}], components. `options` are the words of
    `kustomize.buildOptions`.
    """
    args = {"folder": folder, "edits": dict(edits), "options": list(options)}
    found = await engines.call("kustomize.build", args, deadline=deadline, files=files)
    return tuple(data for _, data in found)
