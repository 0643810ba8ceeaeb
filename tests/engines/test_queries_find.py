"""jq, gjson, sjson and JSONPath: known answers, the laws of identity, big numbers, errors."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.engines import query
from shared.engines.client import Engines
from shared.engines.errors import EngineError

DOCUMENT = {"a": {"b": [1, "x", None, {"c": True}]}, "n": 5, "s": "text", "k.d": 1, "items": [{"v": 1}, {"v": 2}]}
RAW = json.dumps(DOCUMENT).encode()
SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(codec="utf-8"), max_size=8)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.text("abcdef", min_size=1, max_size=3), JSON, max_size=5)


@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        (".a.b[1]", ["x"]),
        (".items[].v", [1, 2]),
        ("[.items[].v] | add", [3]),
        ("empty", []),
        (".nothing", [None]),
        ("{n, twice: (.n * 2)}", [{"n": 5, "twice": 10}]),
        (".n / 2", [2.5]),
        (".n * 2.0", [10]),
        ("keys", [["a", "items", "k.d", "n", "s"]]),
        ('.["k.d"]', [1]),
        ('.s | test("^t")', [True]),
        (".items | map(select(.v > 1))", [[{"v": 2}]]),
        ("[limit(3; repeat(1))]", [[1, 1, 1]]),
        ('"\\(.s)-\\(.n)"', ["text-5"]),
        ("@base64d", None),
        ("tojson | fromjson | .n", [5]),
        ("to_entries | length", [5]),
        ("reduce .items[] as $i (0; . + $i.v)", [3]),
        ("10000000000000000000000 + 1", [10000000000000000000001]),
        ('try error("x") catch .', ["x"]),
        ("halt", []),
    ],
)  # fmt: skip
async def test_jq(engines: Engines, filter_: str, expected: list[object] | None) -> None:
    if expected is None:
        with pytest.raises(EngineError):
            await query.jq(engines, filter_, DOCUMENT)
    else:
        assert await query.jq(engines, filter_, DOCUMENT) == expected


async def test_jq_stops_at_the_limit(engines: Engines) -> None:
    assert await query.jq(engines, "range(1; infinite)", None, limit=3) == [1, 2, 3]


async def test_jq_refuses_endless_outputs(engines: Engines) -> None:
    with pytest.raises(Exception, match="more than 100000 outputs"):
        await query.jq(engines, "repeat(1)", None)


@pytest.mark.parametrize(
    ("filter_", "reason"),
    [("(", "FilterInvalid"), ("nothing(1)", "FilterInvalid"), (".a.b.c", "FilterFailed"), ("error", "FilterFailed"),
     ('import "x" as x; 1', "FilterInvalid"), ('include "x"; 1', "FilterInvalid")],
)  # fmt: skip
async def test_jq_errors(engines: Engines, filter_: str, reason: str) -> None:
    with pytest.raises(EngineError) as caught:
        await query.jq(engines, filter_, DOCUMENT)
    assert caught.value.reason == reason


@settings(max_examples=80, deadline=None)
@given(value=JSON)
async def test_jq_identity_laws(engines: Engines, value: Any) -> None:
    assert await query.jq(engines, "., [.][], (tojson | fromjson), ({x: .} | .x)", value) == [value] * 4


@settings(max_examples=60, deadline=None)
@given(values=st.lists(st.integers(-(2**60), 2**60), min_size=1))
async def test_jq_sorts_and_adds_as_python(engines: Engines, values: list[int]) -> None:
    expected = [sorted(values), sum(values), min(values), sorted(set(values)), list(reversed(values))]
    assert await query.jq(engines, "sort, add, min, unique, reverse", values) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.b.1", query.Found(True, "String", '"x"', "x")),
        ("a.b.#", query.Found(True, "Number", "4", "4")),
        ("a.b.2", query.Found(True, "Null", "null", "")),
        ("a.b.3.c", query.Found(True, "True", "true", "true")),
        ("zz", query.Found(False, "Null", "", "")),
        ("k\\.d", query.Found(True, "Number", "1", "1")),
        ("items.#.v", query.Found(True, "JSON", "[1,2]", "[1,2]")),
        ("items.#(v==2).v", query.Found(True, "Number", "2", "2")),
        ("items.#(v>0)#.v", query.Found(True, "JSON", "[1,2]", "[1,2]")),
        ("{n,s}", query.Found(True, "JSON", '{"n":5,"s":"text"}', '{"n":5,"s":"text"}')),
        ("s|@tostr", query.Found(True, "String", '"\\"text\\""', '"text"')),
        ("*.b.0", query.Found(True, "Number", "1", "1")),
    ],
)
async def test_gjson(engines: Engines, path: str, expected: query.Found) -> None:
    assert await query.gjson(engines, RAW, [path]) == [expected]


async def test_gjson_refuses_what_is_no_json(engines: Engines) -> None:
    with pytest.raises(EngineError, match="invalid JSON"):
        await query.gjson(engines, b"{", ["a"])


@settings(max_examples=80, deadline=None)
@given(value=OBJECTS.filter(bool))
async def test_gjson_finds_every_member(engines: Engines, value: dict[str, Any]) -> None:
    found = await query.gjson(engines, json.dumps(value, ensure_ascii=False).encode(), list(value))
    assert [json.loads(each.raw) for each in found] == list(value.values())


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        ([query.Edit("n", "set", 6)], {**DOCUMENT, "n": 6}),
        ([query.Edit("new.deep", "set", [1, {"x": None}])], {**DOCUMENT, "new": {"deep": [1, {"x": None}]}}),
        ([query.Edit("items.-1", "set", {"v": 3})], {**DOCUMENT, "items": [{"v": 1}, {"v": 2}, {"v": 3}]}),
        ([query.Edit("items.0", "delete")], {**DOCUMENT, "items": [{"v": 2}]}),
        ([query.Edit("s", "raw", '{"a":[1]}')], {**DOCUMENT, "s": {"a": [1]}}),
        ([query.Edit("items.#.v", "set", 9)], {**DOCUMENT, "items": [{"v": 9}, {"v": 9}]}),
        ([query.Edit("k\\.d", "set", 2)], {**DOCUMENT, "k.d": 2}),
        ([query.Edit("n", "delete"), query.Edit("n", "set", 1)], {**DOCUMENT, "n": 1}),
    ],
)
async def test_sjson(engines: Engines, edits: list[query.Edit], expected: object) -> None:
    assert json.loads(await query.sjson(engines, RAW, edits)) == expected


@pytest.mark.parametrize("edit", [query.Edit("a", "raw", "{"), query.Edit("", "set", 1)])
async def test_sjson_errors(engines: Engines, edit: query.Edit) -> None:
    with pytest.raises(EngineError):
        await query.sjson(engines, RAW, [edit])


@settings(max_examples=80, deadline=None)
@given(before=OBJECTS, key=st.text("abcdef", min_size=1, max_size=3), value=JSON)
async def test_sjson_sets_what_gjson_reads(engines: Engines, before: dict[str, Any], key: str, value: Any) -> None:
    text = await query.sjson(engines, json.dumps(before).encode(), [query.Edit(key, "set", value)])
    assert json.loads(text) == {**before, key: value}
    (found,) = await query.gjson(engines, text, [key])
    assert json.loads(found.raw) == value


@pytest.mark.parametrize(
    ("template", "text", "values"),
    [
        ("{.n}", "5", [[5]]),
        ("{.a.b[3].c}", "true", [[True]]),
        ("{.items[*].v}", "1 2", [[1, 2]]),
        ("{.items[?(@.v==2)].v}", "2", [[2]]),
        ("{.items[-1:].v}", "2", [[2]]),
        ("{range .items[*]}{.v},{end}", "1,2,", None),
        ("{.k\\.d}", "1", [[1]]),
        ("{.a}", '{"b":[1,"x",null,{"c":true}]}', [[{"b": [1, "x", None, {"c": True}]}]]),
        ("n={.n}", "n=5", None),
        ("{$.s}", "text", [["text"]]),
        ("{..v}", "1 2", [[1, 2]]),
    ],
)
async def test_jsonpath(engines: Engines, template: str, text: str, values: list[list[object]] | None) -> None:
    found = await query.jsonpath(engines, template, DOCUMENT)
    assert found.text == text
    assert values is None or found.values == values


async def test_jsonpath_says_what_is_missing_unless_it_may(engines: Engines) -> None:
    with pytest.raises(EngineError, match="nothing is not found"):
        await query.jsonpath(engines, "{.nothing}", DOCUMENT)
    assert (await query.jsonpath(engines, "{.nothing}", DOCUMENT, allow_missing=True)).text == ""
    with pytest.raises(EngineError) as caught:
        await query.jsonpath(engines, "{.x", DOCUMENT)
    assert caught.value.reason == "PathInvalid"


CONTAINERS = {"spec": {"containers": [{"name": "a", "image": "x"}, {"name": "proxy", "image": "y"}, {"name": "c"}]}}


@pytest.mark.parametrize(
    ("filter_", "paths"),
    [
        ('.spec.containers[] | select(.name == "proxy")', [["spec", "containers", 1]]),
        (".spec.containers[1:]", [["spec", "containers", 1], ["spec", "containers", 2]]),
        (".spec.containers[-1].name", [["spec", "containers", 2, "name"]]),
        (".spec.containers[].image?", [["spec", "containers", at, "image"] for at in range(3)]),
        ("(.a, .b)  # a remark", [["a"], ["b"]]),
        (".nothing[] | select(.x)", []),
        (".spec.containers[] | select(.labels[] == 1)", []),
        (".spec.containers.name", []),
        ("empty", []),
    ],
)
async def test_jq_tells_where_it_leads(engines: Engines, filter_: str, paths: list[Any]) -> None:
    assert await query.jq_paths(engines, [query.Places([filter_], CONTAINERS)], seconds=5) == [paths]


@pytest.mark.parametrize(
    ("filter_", "reason"),
    [
        (".a |", "FilterInvalid"),
        ("nonsense(.a)", "FilterInvalid"),
        ('error("no")', "FilterFailed"),
        (".spec | keys | .[]", "FilterFailed"),
        ("last(repeat(.spec))", "FilterTimeout"),
    ],
)
async def test_what_is_wrong_with_one_value_or_expression_is_told_for_each(
    engines: Engines, filter_: str, reason: str
) -> None:
    items = [query.Places([".a"], {}), query.Places([".a", filter_], CONTAINERS), query.Places([filter_], CONTAINERS)]
    good, *bad = await query.jq_paths(engines, items, seconds=1)
    assert good == [["a"]]
    assert [(error.reason, filter_ in error.message) for error in bad] == [(reason, True)] * 2
