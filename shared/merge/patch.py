"""JSON merge patch (RFC 7396) and JSON patch (RFC 6902).

In: a value and a patch. Out: the patched value; the given one stays as it is. One that doesn't fit: `PatchError`.
"""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any


class PatchError(ValueError):
    """A patch that can't be applied; the message says which operation and why."""


def json_merge_patch(target: Any, patch: Any) -> Any:
    """Apply a merge patch: maps are merged, null removes, everything else replaces."""
    if not isinstance(patch, Mapping):
        return deepcopy(patch)
    merged = dict(target) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = json_merge_patch(merged.get(key), value)
    return merged


def merge_patch_between(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Give the smallest merge patch from `old` to `new`; empty when they are the same. A null in `new` means absent."""
    patch: dict[str, Any] = {key: None for key, value in old.items() if value is not None and new.get(key) is None}
    for key, value in new.items():
        before = old.get(key)
        if value is None or (before == value and isinstance(before, bool) == isinstance(value, bool)):
            continue
        if isinstance(value, Mapping) and isinstance(before, Mapping):
            patch |= {key: inner} if (inner := merge_patch_between(before, value)) else {}
        else:
            patch[key] = value
    return patch


def json_patch(target: Any, operations: Iterable[Mapping[str, Any]]) -> Any:
    """Apply a JSON patch; either all of its operations or, by an error, none."""
    document = deepcopy(target)
    for position, operation in enumerate(operations):
        try:
            document = _apply(document, operation)
        except PatchError as error:
            raise PatchError(f"operation {position} ({operation.get('op')} {operation.get('path')}): {error}") from None
    return document


def _apply(document: Any, operation: Mapping[str, Any]) -> Any:
    kind, path = operation.get("op"), pointer(operation.get("path"))
    if kind in {"add", "replace", "test"} and "value" not in operation:
        raise PatchError("has no value")
    if kind == "add":
        return _add(document, path, deepcopy(operation["value"]))
    if kind == "remove":
        return _remove(document, path)
    if kind == "replace":
        find(document, path)
        return _replace(document, path, deepcopy(operation["value"]))
    if kind == "test":
        return _test(document, path, operation["value"])
    if kind in {"move", "copy"}:
        return _transfer(document, pointer(operation.get("from")), path, move=kind == "move")
    raise PatchError("op must be add, remove, replace, move, copy or test")


def pointer(text: Any) -> list[str]:
    """Read a JSON pointer (RFC 6901)."""
    if not isinstance(text, str) or (text and not text.startswith("/")):
        raise PatchError(f"{text!r} is no JSON pointer: it must be empty or begin with '/'")
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:]]


def _index(items: list[Any], part: str, *, end: int) -> int:
    if not part.isascii() or not part.isdigit() or (part != "0" and part.startswith("0")) or int(part) >= end:
        raise PatchError(f"there is no item {part!r} in a list of {len(items)}")
    return int(part)


def find(document: Any, path: Iterable[str]) -> Any:
    """Give the value at a path. Raises PatchError when there is none."""
    for part in path:
        if isinstance(document, list):
            document = document[_index(document, part, end=len(document))]
        elif isinstance(document, dict) and part in document:
            document = document[part]
        else:
            raise PatchError(f"there is no field {part!r}")
    return document


def _add(document: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    parent, last = find(document, path[:-1]), path[-1]
    if isinstance(parent, list):
        parent.insert(len(parent) if last == "-" else _index(parent, last, end=len(parent) + 1), value)
    elif isinstance(parent, dict):
        parent[last] = value
    else:
        raise PatchError(f"{last!r} can't be added to a plain value")
    return document


def _remove(document: Any, path: list[str]) -> Any:
    if not path:
        return None
    find(document, path)
    parent = find(document, path[:-1])
    if isinstance(parent, list):
        del parent[int(path[-1])]
    else:
        del parent[path[-1]]
    return document


def _replace(document: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    parent = find(document, path[:-1])
    parent[int(path[-1]) if isinstance(parent, list) else path[-1]] = value
    return document


def _test(document: Any, path: list[str], value: Any) -> Any:
    found = find(document, path)
    if found != value or isinstance(found, bool) != isinstance(value, bool):
        raise PatchError("the value is another one")
    return document


def _transfer(document: Any, source: list[str], path: list[str], *, move: bool) -> Any:
    if move and len(path) > len(source) and path[: len(source)] == source:
        raise PatchError("a value can't be moved into itself")
    value = deepcopy(find(document, source))
    return _add(_remove(document, source) if move else document, path, value)
