"""Secrets in a diff: every value is hidden, equal values look equal and different ones differ in length.

In: the states of one Secret (desired, live, ...). Out: the same with masks, in `data`, `stringData`, and in the copy
that `kubectl apply` keeps in an annotation.
"""

from base64 import b64decode
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

Obj = dict[str, Any]
MASK = "++++++++"
STEP = "++++"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_SECTIONS = ("data", "stringData")


def is_secret(obj: Mapping[str, Any] | None) -> bool:
    return obj is not None and obj.get("kind") == "Secret" and obj.get("apiVersion") == "v1"


class _Masks:
    """One row of masks per field name: the first value seen gets the shortest."""

    def __init__(self) -> None:
        self._seen: dict[str, list[Any]] = {}

    def mask(self, field: str, value: Any) -> str:
        values = self._seen.setdefault(field, [])
        if value not in values:
            values.append(value)
        return MASK + STEP * values.index(value)


def mask_secrets(states: Sequence[Obj | None]) -> list[Obj | None]:
    """Mask several states of one Secret together, so that a reader sees which values differ, and nothing else."""
    masks = _Masks()
    return [_masked(state, masks) if state is not None and is_secret(state) else state for state in states]


def hide_values(text: str, obj: Mapping[str, Any]) -> str:
    """Give a text about a Secret (an API server's complaint, say) without its values, encoded or plain."""
    if not is_secret(obj):
        return text
    values = {str(value) for section in _SECTIONS for value in _values(obj.get(section))}
    for value in sorted({*values, *(plain for value in values if (plain := _decoded(value)))}, key=len, reverse=True):
        text = text.replace(value, MASK) if value else text
    return text


def _values(section: Any) -> Iterable[Any]:
    return section.values() if isinstance(section, dict) else [section] if section is not None else []


def _decoded(value: str) -> str:
    try:
        return b64decode(value, validate=True).decode()
    except ValueError:
        return ""


def _masked(secret: Obj, masks: _Masks) -> Obj:
    masked = dict(secret)
    for section in _SECTIONS:
        if isinstance(secret.get(section), dict):
            masked[section] = {field: masks.mask(field, value) for field, value in secret[section].items()}
        elif secret.get(section) is not None:
            masked[section] = MASK
    metadata = secret.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    if isinstance(annotations, dict) and LAST_APPLIED in annotations:
        kept = {**annotations, LAST_APPLIED: _masked_text(str(annotations[LAST_APPLIED]), masks)}
        masked["metadata"] = {**secret["metadata"], "annotations": kept}
    return masked


def _masked_text(text: str, masks: _Masks) -> str:
    """Mask the Secret inside the annotation; what can't be read is hidden whole."""
    try:
        inner = orjson.loads(text)
    except orjson.JSONDecodeError:
        return MASK
    return orjson.dumps(_masked(inner, masks)).decode() if isinstance(inner, dict) else MASK
