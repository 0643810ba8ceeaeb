"""Tracking of the ConfigMaps and Secrets that a pod template uses, for Rollouts that ask for it: what they are digests
to stands in an annotation of the template as we make ReplicaSets of it, so a change is a new revision. Pure.

The Rollout's own template never gets the annotation: git and the cluster do not differ by it.
"""

import copy
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from services.rollout_manager.keys import Obj, Ref
from services.rollout_manager.state import mapping, text

TRACK = "tiphys.dev/track-config"
CONFIG = "tiphys.dev/config"
ON, OFF = "true", "false"


def problems(annotations: Mapping[str, str]) -> Iterator[str]:
    if annotations.get(TRACK, ON) not in {ON, OFF}:
        yield f'metadata.annotations["{TRACK}"]: Unsupported value: {annotations[TRACK]!r}: true or false'


def references(template: Obj, namespace: str) -> frozenset[Ref]:
    """The ConfigMaps and Secrets that the containers and volumes of a template use."""
    spec = mapping(template, "spec")
    names = [name for field in ("containers", "initContainers") for one in _objects(spec, field) for name in _env(one)]
    names += [name for volume in _objects(spec, "volumes") for name in _volume(volume)]
    return frozenset(Ref("", kind, namespace, name) for kind, name in names if name)


def _objects(obj: Mapping[str, Any], field: str) -> list[Obj]:
    found = obj.get(field)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _env(container: Obj) -> Iterator[tuple[str, str]]:
    for one in _objects(container, "env"):
        yield "ConfigMap", text(one, "valueFrom", "configMapKeyRef", "name")
        yield "Secret", text(one, "valueFrom", "secretKeyRef", "name")
    for one in _objects(container, "envFrom"):
        yield "ConfigMap", text(one, "configMapRef", "name")
        yield "Secret", text(one, "secretRef", "name")


def _volume(volume: Obj) -> Iterator[tuple[str, str]]:
    yield "ConfigMap", text(volume, "configMap", "name")
    yield "Secret", text(volume, "secret", "secretName")
    for source in _objects(mapping(volume, "projected"), "sources"):
        yield "ConfigMap", text(source, "configMap", "name")
        yield "Secret", text(source, "secret", "name")


def entries(template: Obj) -> dict[str, str]:
    """The digests that a template carries, by kind and name."""
    parts = (one.partition("=") for one in text(template, "metadata", "annotations", CONFIG).split(","))
    return {name: digest for name, _, digest in parts if digest}


def carrying(template: Obj, digests: Mapping[Ref, str | None], before: Mapping[str, str]) -> Obj:
    """The template with the digests of what it uses. What is not there (None) counts as it was `before`: that somebody
    has deleted it is no reason to make pods that can't start.
    """
    found = {f"{ref.kind}/{ref.name}": digest for ref, digest in digests.items()}
    known = {name: before.get(name) if digest is None else digest for name, digest in found.items()}
    written = ",".join(f"{name}={digest}" for name, digest in sorted(known.items()) if digest)
    made = without(template)
    if written:
        metadata = made.setdefault("metadata", {})
        metadata["annotations"] = {**(metadata.get("annotations") or {}), CONFIG: written}
    return made


def without(template: Obj) -> Obj:
    """The template as people write it."""
    made = copy.deepcopy(template)
    annotations = mapping(made, "metadata", "annotations")
    annotations.pop(CONFIG, None)
    if not annotations and isinstance(made.get("metadata"), dict):
        made["metadata"].pop("annotations", None)
    return made


def changed(before: Obj, after: Obj) -> str:
    """Which of them differ between two templates that both use them, in words."""
    one, other = entries(before), entries(after)
    names: Iterable[str] = sorted(name for name in one.keys() & other.keys() if one[name] != other[name])
    return ", ".join(name.replace("/", " ", 1) for name in names)
