"""Fields that a kind does not have, taken out of an object as the API server names them in its refusal.

In: an object and the message (`.spec.ports[port=80,protocol="TCP"].bogus: field not declared in schema`). Out: the
object without these fields; the very same object when the message names none that it has.
"""

import re
from typing import Any

import orjson

from shared.merge.managed import by_keys

Obj = dict[str, Any]
_NAMED = re.compile(r"(?P<path>\.\S+): field not declared in schema")
_STEP = re.compile(r"\.(?P<field>[^.\[]+)|\[(?P<index>\d+)\]|\[(?P<keys>[^\]]+)\]")
_KEY = re.compile(r'(?P<name>\w+)=(?P<value>"[^"]*"|[^,"]+)')


def without_undeclared(obj: Obj, message: str) -> Obj:
    """Give the object without the fields that the message says its kind does not have."""
    for found in _NAMED.finditer(message):
        steps = list(_STEP.finditer(found["path"]))
        if steps and "".join(step[0] for step in steps) == found["path"]:
            obj = _without(obj, steps)
    return obj


def _without(value: Any, steps: list[re.Match[str]]) -> Any:
    step, rest = steps[0], steps[1:]
    field = step["field"]
    if field is not None:
        if not isinstance(value, dict) or field not in value:
            return value
        if not rest:
            return {name: item for name, item in value.items() if name != field}
        return {**value, field: _without(value[field], rest)}
    if not isinstance(value, list) or not rest:
        return value
    meant = _item(value, step)
    return [_without(item, rest) if item is meant else item for item in value]


def _item(items: list[Any], step: re.Match[str]) -> Any:
    if step["index"] is not None:
        at = int(step["index"])
        return items[at] if at < len(items) else None
    keys = {key["name"]: orjson.loads(key["value"]) for key in _KEY.finditer(step["keys"])}
    return by_keys(keys, items)
