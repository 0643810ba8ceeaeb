"""Go's hash of a Rollout's steps, so that a Rollout that Argo Rollouts began is not begun again: FNV-32a of their JSON.

In: steps as they are written. Out: the text of `status.currentStepHash`. The JSON is Go's: fields in the order of its
structs, empty ones left out but structs that are no pointers, `<`, `>` and `&` escaped.
"""

from collections.abc import Mapping
from typing import Any

import orjson

LETTERS = "bcdfghjklmnpqrstvwxz2456789"

_MATCH: dict[str, Any] = {"exact": None, "prefix": None, "regex": None}
_ARGS = [{"name": None, "value": None, "valueFrom": {"podTemplateHashValue": None, "fieldRef": {"fieldPath": None}}}]
_METADATA: dict[str, Any] = {"labels": None, "annotations": None}
_NAMED = [{"metricName": None}]
_ANALYSIS: dict[str, Any] = {
    "templates": [{"templateName": None, "clusterScope": None}],
    "args": _ARGS,
    "dryRun": _NAMED,
    "measurementRetention": [{"metricName": None, "limit": None}],
    "analysisRunMetadata": _METADATA,
}
_EXPERIMENT: dict[str, Any] = {
    "templates": [
        {
            "name": None,
            "specRef": None,
            "replicas": None,
            "metadata": _METADATA,
            "selector": {"matchLabels": None, "matchExpressions": [{"key": None, "operator": None, "values": None}]},
            "weight": None,
            "service": {"name": None},
        }
    ],
    "duration": None,
    "analyses": [
        {"name": None, "templateName": None, "clusterScope": None, "args": _ARGS, "requiredForCompletion": None}
    ],
    "dryRun": _NAMED,
    "analysisRunMetadata": _METADATA,
}
_STEP: dict[str, Any] = {
    "setWeight": None,
    "pause": {"duration": None},
    "experiment": _EXPERIMENT,
    "analysis": _ANALYSIS,
    "setCanaryScale": {"weight": None, "replicas": None, "matchTrafficWeight": None},
    "setHeaderRoute": {"name": None, "match": [{"headerName": None, "headerValue": _MATCH}]},
    "setMirrorRoute": {
        "name": None,
        "match": [{"method": _MATCH, "path": _MATCH, "headers": None}],
        "percentage": None,
    },
    "plugin": {"name": None, "config": None},
}
_ALWAYS = {"analysisRunMetadata", "metadata"}


def step_hash(steps: list[Any]) -> str:
    """The hash of `spec.strategy.canary.steps`; of no steps: of Go's null."""
    ordered = [_ordered(step, _STEP) for step in steps] or None
    return safe(fnv32a(_escaped(orjson.dumps(ordered))))


def _ordered(value: Any, shape: Any) -> Any:
    if isinstance(shape, list) and isinstance(value, list):
        return [_ordered(item, shape[0]) for item in value]
    if isinstance(shape, Mapping) and isinstance(value, Mapping):
        pairs = ((name, _field(name, value, inner)) for name, inner in shape.items())
        return {name: found for name, found in pairs if found is not None}
    return dict(sorted(value.items())) if isinstance(value, Mapping) else value


def _field(name: str, value: Mapping[str, Any], shape: Any) -> Any:
    found = value.get(name)
    if found is None:
        return {} if name in _ALWAYS else None
    if found == "" or found is False or found == []:
        return None
    return _ordered(found, shape)


def _escaped(text: bytes) -> bytes:
    return text.replace(b"<", b"\\u003c").replace(b">", b"\\u003e").replace(b"&", b"\\u0026")


def fnv32a(data: bytes) -> int:
    found = 0x811C9DC5
    for byte in data:
        found = (found ^ byte) * 0x01000193 % 2**32
    return found


def safe(number: int) -> str:
    """Kubernetes' way to write a hash without making words."""
    return "".join(LETTERS[ord(digit) % len(LETTERS)] for digit in str(number))
