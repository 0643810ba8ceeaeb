"""Lua for health and actions: conversions, the library switch, shapes of empty tables, errors."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.engines import lua
from shared.engines.client import Engines
from shared.engines.errors import EngineError

HEALTH = """
hs = {}
if obj.status ~= nil and obj.status.conditions ~= nil then
  for i, condition in ipairs(obj.status.conditions) do
    if condition.type == "Ready" then
      if condition.status == "True" then hs.status = "Healthy" else hs.status = "Degraded" end
      hs.message = condition.message
      return hs
    end
  end
end
hs.status = "Progressing"
hs.message = "Waiting"
return hs
"""


def ready(status: str) -> dict[str, Any]:
    return {"status": {"conditions": [{"type": "Other"}, {"type": "Ready", "status": status, "message": "m"}]}}


@pytest.mark.parametrize(
    ("obj", "verdict"),
    [
        (ready("True"), ("Healthy", "m")),
        (ready("False"), ("Degraded", "m")),
        ({}, ("Progressing", "Waiting")),
        ({"status": None}, ("Progressing", "Waiting")),
        ({"status": {"conditions": []}}, ("Progressing", "Waiting")),
    ],
)
async def test_a_health_script_judges(engines: Engines, obj: dict[str, Any], verdict: tuple[str, str]) -> None:
    assert await lua.health(engines, HEALTH, obj) == verdict


async def test_a_health_script_must_return_a_table(engines: Engines) -> None:
    for script in ("return 1", "return nil", ""):
        with pytest.raises(EngineError, match="no table with status"):
            await lua.health(engines, script, {})


async def test_an_action_changes_the_object_and_keeps_its_shape(engines: Engines) -> None:
    obj = {
        "spec": {"replicas": 1, "list": [], "map": {}, "deep": [{"m": {}, "l": []}]},
        "metadata": {"annotations": {}, "name": "x"},
    }
    script = "obj.spec.replicas = actionParams.n + 1 obj.metadata.labels = {a = 'b'} return obj"
    (found,) = await lua.run(engines, script, {"obj": obj, "actionParams": {"n": 4}})
    assert found["spec"] == {"replicas": 5, "list": [], "map": {}, "deep": [{"m": {}, "l": []}]}
    assert found["metadata"] == {"annotations": {}, "name": "x", "labels": {"a": "b"}}


async def test_time_is_there_and_nothing_else_of_os(engines: Engines) -> None:
    script = "local n = 0 for k in pairs(os) do n = n + 1 end return n, os.time() > 1.7e9, os.date('%Y', 0)"
    assert await lua.run(engines, script, {}) == [4, True, "1970"]


async def test_require_gives_what_is_open_and_nothing_else(engines: Engines) -> None:
    script = """local os = require("os") local found, why = pcall(require, "io") return os.date("%Y", 0), found, why"""
    year, found, why = await lua.run(engines, script, {})
    assert (year, found) == ("1970", False)
    assert "module io not found" in why


@pytest.mark.parametrize("library", ["string", "math", "coroutine"])
async def test_the_switch_opens_libraries(engines: Engines, library: str) -> None:
    script = f"return {library} ~= nil"
    assert await lua.run(engines, script, {}) == [False]
    assert await lua.run(engines, script, {}, open_libs=True) == [True]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("return 1, 1.5, 'x', true, nil", [1, 1.5, "x", True, None]),
        ("return {1, 2, {3}}", [[1, 2, [3]]]),
        ("return {a = {b = {}}}", [{"a": {"b": []}}]),
        ("return {}", [[]]),
        ("local t = {} table.insert(t, 'a') return t, #t", [["a"], 1]),
        ("print('quiet') return tostring(0.1), tonumber('7')", ["0.1", 7]),
        ("return pcall(function() error('x') end)", None),
        ("", []),
        ("return 2^53, -0.0, 1/4", [2**53, 0, 0.25]),
    ],
)
async def test_values_come_back(engines: Engines, script: str, expected: list[object] | None) -> None:
    found = await lua.run(engines, script, {})
    assert found == expected if expected is not None else found[0] is False


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("return 1 +", "syntax error"),
        ("return nothing.x", "nil"),
        ("error('because')", "because"),
        ("return function() end", "function"),
        ("return {1, 2, a = 3}", "mixes"),
        ("return {[1] = 1, [3] = 3}", "neither a list's nor an object's"),
        ("return {[true] = 1}", "boolean as key"),
        ("return {[1.5] = 1}", "neither"),
    ],
)
async def test_errors_say_what(engines: Engines, script: str, words: str) -> None:
    with pytest.raises(EngineError, match=words) as caught:
        await lua.run(engines, script, {})
    assert caught.value.reason == "ScriptFailed"


async def test_a_script_has_so_much_time(engines: Engines) -> None:
    with pytest.raises(EngineError, match="longer than 200ms") as caught:
        await lua.run(engines, "while true do end", {}, seconds=0.2)
    assert caught.value.reason == "ScriptTimeout"


async def test_scripts_do_not_see_each_other(engines: Engines) -> None:
    await lua.run(engines, "leak = 1 table.insert = nil return 1", {})
    assert await lua.run(engines, "return leak, table.insert ~= nil", {}) == [None, True]


JSON = st.recursive(
    st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(codec="utf-8"), max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=4),
    max_leaves=15,
)


@settings(max_examples=100, deadline=None)
@given(value=JSON)
async def test_an_object_comes_back_unchanged(engines: Engines, value: Any) -> None:
    assert await lua.run(engines, "return obj", {"obj": {"value": value}}) == [{"value": value}]
