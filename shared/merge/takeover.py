"""Objects that were applied from a client before (`kubectl apply`, Argo CD without server-side apply): what their
former manager owns is taken over once, so that fields which leave git really go.

In: a live object and the names of managers. Out: the new `managedFields`, or whether something is left behind that
only the former manager's own record (the last-applied annotation) tells of. Never: a call.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from shared.merge.masking import LAST_APPLIED

Obj = dict[str, Any]


def taken_over(live: Mapping[str, Any], manager: str, former: Iterable[str]) -> list[Obj] | None:
    """Give `managedFields` in which `manager` has applied what the former ones own; None when there is nothing to take.

    An entry of another version than the one that is kept stays as it is: its field names need not mean the same.
    """
    entries: list[Obj] = list((live.get("metadata") or {}).get("managedFields") or ())
    names = frozenset(former)
    found = [entry for entry in entries if _of_a_client(entry, names)]
    mine = next((entry for entry in entries if _applied_by(entry, manager)), None)
    version = (mine or (found[0] if found else {})).get("apiVersion")
    taken = [entry for entry in found if entry.get("apiVersion") == version]
    if not taken:
        return None
    base = mine or {**taken[0], "manager": manager, "operation": "Apply"}
    fields = base.get("fieldsV1") or {}
    for entry in taken:
        fields = _union(fields, entry.get("fieldsV1") or {})
    kept = [entry for entry in entries if entry is not mine and not any(entry is one for one in taken)]
    return [*kept, {**base, "fieldsV1": fields}]


def _of_a_client(entry: Mapping[str, Any], names: frozenset[str]) -> bool:
    return entry.get("operation") == "Update" and not entry.get("subresource") and entry.get("manager") in names


def _applied_by(entry: Mapping[str, Any], manager: str) -> bool:
    return entry.get("operation") == "Apply" and not entry.get("subresource") and entry.get("manager") == manager


def _union(one: Mapping[str, Any], other: Mapping[str, Any]) -> Obj:
    merged = dict(one)
    for key, fields in other.items():
        merged[key] = _union(merged[key], fields) if key in merged else fields
    return merged


def left_behind(live: Mapping[str, Any], desired: Mapping[str, Any]) -> bool:
    """Tell whether a client applied a field that still lives and is no longer wanted.

    What was applied at another version says nothing: its field names need not mean the same.
    """
    annotations = (live.get("metadata") or {}).get("annotations") or {}
    if LAST_APPLIED not in annotations:
        return False
    try:
        applied = orjson.loads(annotations[LAST_APPLIED])
    except orjson.JSONDecodeError:
        return False
    same = isinstance(applied, dict) and applied.get("apiVersion") == desired.get("apiVersion")
    return same and _left({**applied, "status": None}, desired, live)


def _left(applied: Any, desired: Any, live: Any) -> bool:
    if isinstance(applied, dict) and isinstance(live, dict):
        wanted = desired if isinstance(desired, dict) else {}
        return any(
            key in live and (key not in wanted or _left(value, wanted[key], live[key]))
            for key, value in applied.items()
            if value not in (None, {}, [])  # kubectl records `annotations: {}` for an object without any
        )
    if isinstance(applied, list) and isinstance(live, list) and isinstance(desired, list):
        return len(applied) > len(desired) and len(live) > len(desired)
    return False
