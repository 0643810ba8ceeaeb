"""Jsonnet: values, external variables, top-level arguments, imports and their order, errors with a place."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.engines import jsonnet
from shared.engines.client import Engines
from shared.engines.errors import EngineError
from shared.engines.files import InMemory


async def value(engines: Engines, text: str, **options: Any) -> Any:
    return json.loads(
        await jsonnet.evaluate(engines, InMemory({"a/x.jsonnet": text.encode()}), "a/x.jsonnet", **options)
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{a: 1 + 2, b: self.a * 2}", {"a": 3, "b": 6}),
        ("[x * x for x in std.range(1, 4)]", [1, 4, 9, 16]),
        ("{a: 1} + {a+: 2, b:: 3}", {"a": 3}),
        ("std.sort([3, 1, 2])", [1, 2, 3]),
        ("local f(x, y=2) = x + y; f(1)", 3),
        ("if true then 'yes' else error 'no'", "yes"),
        ("std.manifestJsonMinified({a: [1]})", '{"a":[1]}'),
        ("null", None),
    ],
)
async def test_values(engines: Engines, text: str, expected: object) -> None:
    assert await value(engines, text) == expected


async def test_variables_are_text_or_code(engines: Engines) -> None:
    text = "function(who, times) {who: who, times: times, t: std.extVar('t'), c: std.extVar('c')}"
    options = {
        "ext_vars": {"t": "1"},
        "ext_code": {"c": "[1, 2]"},
        "tla_vars": {"who": "me"},
        "tla_code": {"times": "2 + 1"},
    }
    assert await value(engines, text, **options) == {"who": "me", "times": 3, "t": "1", "c": [1, 2]}


async def test_imports_are_beside_the_file_then_in_the_folders_the_last_one_first(engines: Engines) -> None:
    main = b"[import 'here.libsonnet', import 'lib.libsonnet', importstr 'sub/t.txt', import 'chain.libsonnet']"
    files = InMemory(
        {
            "app/x.jsonnet": main,
            "app/here.libsonnet": b"'beside'",
            "lib1/here.libsonnet": b"'lib1'",
            "lib1/lib.libsonnet": b"'lib1'",
            "lib2/lib.libsonnet": b"'lib2'",
            "lib2/chain.libsonnet": b"(import 'deep/y.libsonnet') + '!'",
            "lib2/deep/y.libsonnet": b"importstr '../t.txt'",
            "lib2/t.txt": b"relative",
            "app/sub/t.txt": b"text",
        }
    )
    found = await jsonnet.evaluate(engines, files, "app/x.jsonnet", search=["app", "lib1", "lib2"])
    assert json.loads(found) == ["beside", "lib2", "text", "relative!"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{a: }", "a/x.jsonnet:1"),
        ("error 'because'", "because"),
        ("import 'none.libsonnet'", "none.libsonnet"),
        ("std.extVar('absent')", "absent"),
        ("{a: 1}.b", "Field does not exist"),
        ("1 / 0", "Division by zero"),
    ],
)
async def test_errors_have_a_place(engines: Engines, text: str, words: str) -> None:
    with pytest.raises(EngineError, match=words) as caught:
        await value(engines, text)
    assert caught.value.reason == "JsonnetFailed"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**50), 2**50) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc_", min_size=1), inner, max_size=4),
    max_leaves=15,
)


@settings(max_examples=60, deadline=None)
@given(data=JSON)
async def test_json_evaluates_to_itself(engines: Engines, data: Any) -> None:
    assert await value(engines, json.dumps(data, ensure_ascii=False)) == data
