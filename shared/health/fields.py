"""Reading a status as Go does: what is missing or null is the zero value, what has another type is an error."""

from collections.abc import Iterator, Mapping
from typing import Any


class Malformed(ValueError):
    """A field that has another type than its kind gives it."""


def mapping(obj: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    value: Any = obj
    for name in path:
        value = value.get(name) or {}
        if not isinstance(value, Mapping):
            raise Malformed(f"{'.'.join(path)}: {name} is no map")
    result: Mapping[str, Any] = value
    return result


def number(values: Mapping[str, Any], name: str) -> int:
    value = values.get(name) or 0
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Malformed(f"{name} is no number")
    return int(value)


def text(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Malformed(f"{name} is no text")
    return value


def items(values: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    found = values.get(name) or []
    if not isinstance(found, list):
        raise Malformed(f"{name} is no list")
    for item in found:
        if not isinstance(item, Mapping):
            raise Malformed(f"{name} holds what is no map")
        yield item


def condition(status: Mapping[str, Any], kind: str) -> Mapping[str, Any] | None:
    return next((one for one in items(status, "conditions") if one.get("type") == kind), None)


def quoted(value: str) -> str:
    """Write a name as Go's %q does; names of objects need no more."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
