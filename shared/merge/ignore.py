"""Fields that a comparison leaves out (`ignoreDifferences`): by JSON pointer, by jq path, by who manages them.

In: objects, and rules as people write them. Out: copies without those fields, or with live's values in their place.
A jq expression that is only a path (`.spec.containers[].image`, `.webhooks[]?.clientConfig`) is followed here;
`jq_path` gives None for any other, which jq itself has to run. What is given is never changed, and what a rule doesn't
find is no error.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from functools import lru_cache
from typing import Any

from shared.merge.managed import by_keys, step_of
from shared.merge.patch import PatchError, pointer

Obj = dict[str, Any]


class Each(Enum):
    """Every item of a list, or every value of a map: jq's `[]`."""

    EACH = "[]"


class _Absent(Enum):
    ABSENT = "absent"


Step = str | int | Each
Path = tuple[Step, ...]
Fields = tuple[Iterable[str], Iterable[str], Iterable[str]]  # JSON pointers, jq expressions, managers
ABSENT = _Absent.ABSENT
_JQ = re.compile(
    r"""\.(?P<name>[A-Za-z_][A-Za-z0-9_]*)\??"""
    r"""|\.?\[\s*"(?P<quoted>[^"\\]*)"\s*\]\??|\."(?P<plain>[^"\\]*)"\??"""
    r"""|\.?\[\s*(?P<index>\d+)\s*\]\??|(?P<each>\.?\[\s*\])\??"""
)


@lru_cache(maxsize=4096)
def pointer_path(text: str) -> Path | None:
    """Read a JSON pointer; None when it isn't one. The whole object can't be ignored."""
    try:
        return tuple(pointer(text)) or None
    except PatchError:
        return None


@lru_cache(maxsize=4096)
def jq_path(text: str) -> Path | None:
    """Read a jq expression that is a path and nothing else; None for all others."""
    rest, steps = text.strip(), list[Step]()
    at = 0
    while at < len(rest):
        match = _JQ.match(rest, at) if rest.startswith(".") else None
        if match is None:
            return None
        steps.append(_step(match))
        at = match.end()
    return tuple(steps) or None


def _step(match: re.Match[str]) -> Step:
    if match["each"]:
        return Each.EACH
    if match["index"]:
        return int(match["index"])
    return next(name for name in (match["name"], match["quoted"], match["plain"]) if name is not None)


def without(obj: Obj, paths: Iterable[Path]) -> Obj:
    """Give the object without what is at these paths."""
    for path in paths:
        obj = _change(obj, path, lambda _: ABSENT)
    return obj


def without_places(obj: Obj, places: Iterable[Path]) -> Obj:
    """Give the object without what is at these places, all of them named as they are before anything is left out.

    The last of a list goes first, so that the numbers of the others hold.
    """
    return without(obj, sorted(places, key=lambda path: [(type(step) is int, step) for step in path], reverse=True))


def without_ignored(obj: Obj, live: Mapping[str, Any], fields: Fields, places: Iterable[Path] = ()) -> Obj:
    """Give the object without all that is ignored of it. `places`: where the expressions that are no paths lead."""
    pointers, expressions, managers = fields
    left = without_managed(without_places(obj, places), managed_by(live, managers))
    read = [*map(pointer_path, pointers), *map(jq_path, expressions)]
    return without(left, [path for path in read if path is not None])


def with_live(obj: Obj, live: Obj, paths: Iterable[Path]) -> Obj:
    """Give the object with live's values at these paths, and without what live doesn't have there."""
    for path in paths:
        obj = _overlaid(obj, live, path)
    return obj


def changed_at(obj: Obj, path: Path, change: Callable[[Any], Any]) -> Obj:
    """Give the object with `change` done to what is at the path, if anything is."""
    found: Obj = _change(obj, path, change)
    return found


def _change(value: Any, path: Path, change: Callable[[Any], Any]) -> Any:
    """Copy along the path only."""
    if not path:
        return change(value)
    step, rest = path[0], path[1:]
    if isinstance(value, dict):
        keys = list(value) if step is Each.EACH else [step] if step in value else []
        changed = {key: _change(value[key], rest, change) for key in keys}
        return {key: found for key, item in value.items() if (found := changed.get(key, item)) is not ABSENT}
    if isinstance(value, list):
        places = range(len(value)) if step is Each.EACH else [_index(step)]
        items = [_change(item, rest, change) if at in places else item for at, item in enumerate(value)]
        return [item for item in items if item is not ABSENT]
    return value


def _index(step: Step) -> int:
    return int(step) if isinstance(step, int) or (isinstance(step, str) and step.isdecimal()) else -1


def _overlaid(value: Any, live: Any, path: Path) -> Any:
    if not path:
        return live
    step, rest = path[0], path[1:]
    if isinstance(value, dict) and isinstance(live, dict):
        keys = [*value, *(key for key in live if key not in value)] if step is Each.EACH else [step]
        changed = {key: _overlaid(value.get(key, ABSENT), live.get(key, ABSENT), rest) for key in keys}
        return {key: item for key, item in {**value, **changed}.items() if item is not ABSENT}
    if isinstance(value, list) and isinstance(live, list):
        places = range(len(value)) if step is Each.EACH else [_index(step)]
        return [
            _overlaid(item, live[at], rest) if at in places and at < len(live) else item
            for at, item in enumerate(value)
        ]
    return value


def managed_by(live: Mapping[str, Any], managers: Iterable[str]) -> list[Obj]:
    """Give the field trees (fieldsV1) of what these managers own of a live object."""
    wanted = set(managers)
    entries = (live.get("metadata") or {}).get("managedFields") or ()
    return [entry.get("fieldsV1") or {} for entry in entries if entry.get("manager") in wanted]


def without_managed(obj: Obj, trees: Iterable[Mapping[str, Any]]) -> Obj:
    """Give the object without the leaves that these field trees name."""
    for tree in trees:
        found = _unmanaged(obj, tree)
        obj = {} if found is ABSENT else found
    return obj


def _unmanaged(value: Any, tree: Mapping[str, Any]) -> Any:
    inner = {name: below for name, below in tree.items() if name != "."}
    if not inner:
        return ABSENT
    if isinstance(value, dict):
        left = {key: _field(key, item, inner) for key, item in value.items()}
        return {key: item for key, item in left.items() if item is not ABSENT}
    if isinstance(value, list):
        items = (_item(at, item, inner) for at, item in enumerate(value))
        return [item for item in items if item is not ABSENT]
    return value


def _field(key: str, item: Any, tree: Mapping[str, Any]) -> Any:
    below = tree.get(f"f:{key}")
    return item if below is None else _unmanaged(item, below)


def _item(at: int, item: Any, tree: Mapping[str, Any]) -> Any:
    for name, below in tree.items():
        kind, wanted = step_of(name)
        if (
            (kind == "k" and by_keys(wanted, [item]) is item)
            or (kind == "v" and wanted == item)
            or (kind == "i" and wanted == at)
        ):
            return _unmanaged(item, below)
    return item
