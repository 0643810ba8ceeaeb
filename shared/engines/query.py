"""Questions to data: jq filters (gojq), gjson paths, sjson edits, Kubernetes' JSONPath.

jq's `env` and `$ENV` are empty. Reasons: FilterInvalid, FilterFailed, FilterTimeout, PathInvalid, PathFailed,
BadArguments.
"""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from shared.engines.client import Engines
from shared.engines.outcome import Outcome, outcome


class Found(NamedTuple):
    """What a gjson path led to: `kind` is Null, False, True, Number, String or JSON; `raw` the JSON text of it."""

    exists: bool
    kind: str
    raw: str
    text: str


class Places(NamedTuple):
    """One value, and the jq expressions to follow in it."""

    filters: Sequence[str]
    value: Any


class Edit(NamedTuple):
    """One sjson edit: `set` a value, `raw` JSON text, or `delete`."""

    path: str
    kind: Literal["set", "raw", "delete"] = "set"
    value: Any = None


class Results(NamedTuple):
    """A JSONPath template's printed text, and the values that each part in braces found."""

    text: str
    values: list[list[Any]]


async def jq(engines: Engines, filter_: str, data: Any, *, limit: int = 0) -> list[Any]:
    """A jq filter's outputs; `limit` stops after so many (0: all)."""
    found: list[Any] = await engines.call("jq.run", {"filter": filter_, "input": data, "limit": limit})
    return found


async def jq_paths(engines: Engines, items: Sequence[Places], *, seconds: float) -> list[Outcome]:
    """Where jq expressions lead in each value: lists of names and indexes, or an `EngineError` each.

    An expression that leads nowhere in a value (what it asks for is not there) has no paths. Each has `seconds` to run;
    one that took longer is not tried on the values after it.
    """
    asked = [{"filters": list(one.filters), "input": one.value} for one in items]
    longest = seconds * (1 + len({text for one in items for text in one.filters}))
    args = {"items": asked, "milliseconds": int(seconds * 1000)}
    answers = await engines.call("jq.paths", args, deadline=longest + engines.deadline)
    return [outcome(each) for each in answers]


async def gjson(engines: Engines, data: bytes, paths: Sequence[str]) -> list[Found]:
    """What is at each path of a JSON text."""
    found = await engines.call("gjson.get", {"json": data, "paths": list(paths)})
    return [Found(*each) for each in found]


async def sjson(engines: Engines, data: bytes, edits: Sequence[Edit]) -> bytes:
    """The JSON text with the edits made, in their order."""
    found: bytes = await engines.call("sjson.edit", {"json": data, "edits": [tuple(each) for each in edits]})
    return found


async def jsonpath(engines: Engines, template: str, data: Any, *, allow_missing: bool = False) -> Results:
    """A template such as `{.status.phase}`, as kubectl evaluates it."""
    args = {"template": template, "data": data, "allow_missing": allow_missing}
    found = await engines.call("jsonpath.get", args)
    return Results(found["text"], found["values"])
