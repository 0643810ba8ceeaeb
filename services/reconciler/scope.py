"""Small facts about an Application that several steps need: its name in tracking, its sources, which kinds are
namespaced, what rendering reads.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from services.reconciler.destination import Destination
from services.reconciler.errors import ComparisonFailed
from services.reconciler.keys import AppKey
from shared.kinds.refs import GroupKind
from shared.kinds.settings import ArgoSettings
from shared.kinds.tracking import instance_name
from shared.kube import ApiError, UnknownKind

Obj = dict[str, Any]
RENDER_KEYS = ("kustomize.", "helm.", "jsonnet.", "reposerver.")


def instance_of(key: AppKey, argo_namespace: str) -> str:
    """Give the name that tracking carries."""
    return instance_name(key.name, key.namespace, argo_namespace)


def sources_of(spec: Obj) -> tuple[Obj, ...]:
    """Give the sources of an Application as they stand in its spec (spec 1.1: several win over one)."""
    return tuple(spec.get("sources") or ([spec["source"]] if spec.get("source") else []))


async def namespaced_in(destination: Destination, kinds: Iterable[GroupKind]) -> dict[GroupKind, bool | None]:
    """Say of each kind whether it is namespaced; None: the cluster does not know the kind."""
    found: dict[GroupKind, bool | None] = {}
    for kind in kinds:
        try:
            found[kind] = (await destination.resource(kind)).namespaced
        except UnknownKind:
            found[kind] = None
        except ApiError as error:
            raise ComparisonFailed(f"Failed to load live state: {error.message}", retriable=True) from error
    return found


def defined(manifests: Iterable[Obj]) -> Iterator[tuple[GroupKind, bool]]:
    """Give the kinds that the CustomResourceDefinitions among the manifests bring, and whether they are namespaced."""
    for obj in manifests:
        if obj.get("kind") == "CustomResourceDefinition":
            spec = obj.get("spec") or {}
            kind = GroupKind(str(spec.get("group")), str((spec.get("names") or {}).get("kind")))
            yield kind, spec.get("scope") == "Namespaced"


def render_settings(argo: ArgoSettings) -> dict[str, str]:
    """Give the keys of `argocd-cm` that change what a render gives."""
    return {name: value for name, value in argo.data.items() if name.startswith(RENDER_KEYS)}
