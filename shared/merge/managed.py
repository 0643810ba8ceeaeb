"""What a field manager owns of a live object beyond what is wanted: fields that an apply would remove.

In: `metadata.managedFields` (fieldsV1) of the live object and the desired object. Out: whether the manager owns a leaf
that the desired object doesn't have.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

_MISSING = object()
_STAMPED = frozenset({"f:apiVersion", "f:kind", "f:status"})


def owned_fields(live: Mapping[str, Any], manager: str) -> Iterator[dict[str, Any]]:
    """Give the fieldsV1 trees of what the manager applied, without those of subresources."""
    for entry in (live.get("metadata") or {}).get("managedFields") or ():
        if entry.get("manager") == manager and entry.get("operation") == "Apply" and not entry.get("subresource"):
            yield entry.get("fieldsV1") or {}


def owns_more(live: Mapping[str, Any], manager: str, desired: Any) -> bool:
    """Tell whether the manager owns any leaf that is not in `desired`."""
    return any(_more(fields, desired) for fields in owned_fields(live, manager))


def _more(fields: Mapping[str, Any], desired: Any) -> bool:
    for name, inside in fields.items():
        if name == "." or name in _STAMPED:
            continue
        wanted = _child(name, desired)
        if wanted is _MISSING or (inside and _more(inside, wanted)):
            return True
    return False


def together(trees: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Give one tree that names whatever one of these names; a leaf is all that is below it."""
    whole: dict[str, Any] = {}
    for tree in trees:
        for name, below in tree.items():
            known = whole.get(name)
            whole[name] = below if known is None else together([known, below]) if known and below else {}
    return whole


def only_managed(obj: Any, tree: Mapping[str, Any]) -> Any:
    """Give the object with those leaves only that a field tree names. An item without its keys is kept whole."""
    inner = {name: below for name, below in tree.items() if name != "."}
    if not inner:
        return obj
    if isinstance(obj, dict):
        return {key: only_managed(item, inner[f"f:{key}"]) for key, item in obj.items() if f"f:{key}" in inner}
    if isinstance(obj, list):
        kept = (_kept(at, item, inner) for at, item in enumerate(obj))
        return [item for item in kept if item is not _MISSING]
    return obj


def _kept(at: int, item: Any, tree: Mapping[str, Any]) -> Any:
    keyless = False
    for name, below in tree.items():
        kind, wanted = step_of(name)
        if kind == "k":
            if by_keys(wanted, [item]) is item:
                return only_managed(item, below)
            keyless |= isinstance(item, dict) and not (item.keys() | _DEFAULTED.keys()) >= wanted.keys()
        elif (kind == "v" and wanted == item) or (kind == "i" and wanted == at):
            return only_managed(item, below)
    return item if keyless else _MISSING


def step_of(name: str) -> tuple[str, Any]:
    """Read one step of fieldsV1: `f:` a field, `k:` an item by its keys, `v:` a value of a set, `i:` an index."""
    kind, _, rest = name.partition(":")
    if kind in {"k", "v"}:
        return kind, orjson.loads(rest)
    return (kind, int(rest)) if kind == "i" else (kind, rest)


def _child(name: str, desired: Any) -> Any:
    kind, wanted = step_of(name)
    if kind == "f":
        return desired.get(wanted, _MISSING) if isinstance(desired, dict) else _MISSING
    items = desired if isinstance(desired, list) else []
    if kind == "k":
        return by_keys(wanted, items)
    if kind == "v":
        return wanted if wanted in items else _MISSING
    return items[wanted] if kind == "i" and wanted < len(items) else _MISSING


# Keys of list items that the API server fills in; an item that leaves one out is meant with this value.
_DEFAULTED = {"protocol": "TCP"}


def by_keys(keys: Mapping[str, Any], items: list[Any]) -> Any:
    """Give the item with these keys; a value that is none of the items when there is none."""
    for item in items:
        if isinstance(item, dict) and all(item.get(key, _DEFAULTED.get(key)) == value for key, value in keys.items()):
            return item
    return _MISSING
