"""expr-lang and govaluate: values, each part's functions, undefined names, errors, agreement with Python."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.engines import expressions
from shared.engines.client import Engines
from shared.engines.errors import EngineError

ENV = {
    "app": {"status": {"phase": "Succeeded", "n": 3, "l": [1, 2, 3]}, "metadata": {"labels": {"a-b": "c"}}},
    "xs": [1, 2, 3],
    "f": 0.5,
    "none": None,
}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("app.status.phase in ['Succeeded', 'Failed']", True),
        ("app.status.n + 1", 4),
        ("app.status.l[0:2]", [1, 2]),
        ("app.metadata.labels['a-b']", "c"),
        ("app?.nothing?.deeper", None),
        ("app.nothing ?? 'default'", "default"),
        ("len(xs) == 3 && all(xs, # > 0)", True),
        ("filter(xs, {# > 1})", [2, 3]),
        ("map(xs, # * 2)", [2, 4, 6]),
        ("sum(xs)", 6),
        ("xs | first()", 1),
        ("'abc' contains 'b' and 'abc' startsWith 'a'", True),
        ("'abc' matches '^a.c$'", True),
        ("7 / 2", 3.5),
        ("7 % 4", 3),
        ("f > 0.4 ? 'yes' : 'no'", "yes"),
        ("none == nil", True),
        ("{'a': 1, 'b': [true]}", {"a": 1, "b": [True]}),
        ("duration('1h').Minutes()", 60.0),
        ("date('2026-11-23').Year()", 2026),
        ("let y = 2; y * y", 4),
        ("toJSON({'a': 1})", '{\n  "a": 1\n}'),
        ("fromJSON('[1]')[0]", 1.0),
        ("split('a,b', ',')", ["a", "b"]),
        ("upper(trim(' x '))", "X"),
        ("int('5') + 1", 6),
        ("1..3", [1, 2, 3]),
    ],
)
async def test_values(engines: Engines, expression: str, expected: object) -> None:
    assert await expressions.evaluate(engines, expression, ENV) == expected


@pytest.mark.parametrize(
    ("functions", "expression", "env", "expected"),
    [
        ("workflows", "asInt('3') + asFloat('0.5')", {}, 3.5),
        ("workflows", "sprig.upper('a') + sprig.trunc(2, 'xyz')", {}, "Axy"),
        ("workflows", "string(5) + string({'a': 1})", {}, '5{"a":1}'),
        ("workflows", "jsonpath(text, '$.a[1]')", {"text": '{"a": [1, "x"]}'}, "x"),
        ("workflows", "toJson([1])", {}, "[1]"),
        ("rollouts", "result[0] >= 0.95", {"result": [0.97]}, True),
        ("rollouts", "isNaN(result) || isInf(result)", {"result": float("nan")}, True),
        ("rollouts", "isNil('anything')", {"result": None}, True),
        ("rollouts", "isNil(nil)", {"result": [1]}, False),
        ("rollouts", "default('ignored', 7)", {"result": None}, 7),
        ("rollouts", "default(nil, 7)", {"result": 5}, 5),
        ("rollouts", "asInt(result) < 5", {"result": "4"}, True),
        ("rollouts", "len(filter(result, # > 1)) == 2", {"result": [0.5, 1.5, 2.5]}, True),
        ("notifications", "time.Parse(at).Year() == 2026", {"at": "2026-01-01T00:00:00Z"}, True),
        ("notifications", "time.Now().Sub(time.Parse(at)).Hours() > 1", {"at": "2020-01-01T00:00:00Z"}, True),
        ("notifications", "strings.ReplaceAll('a-b', '-', '+')", {}, "a+b"),
        ("notifications", "repo.RepoURLToHTTPS('git@h.com:a/b.git')", {}, "https://h.com/a/b"),
    ],
)
async def test_each_part_has_its_functions(
    engines: Engines, functions: expressions.Functions, expression: str, env: dict[str, Any], expected: object
) -> None:
    assert await expressions.evaluate(engines, expression, env, functions=functions) == expected


@pytest.mark.parametrize("name", ["env", "expandenv", "getHostByName"])
async def test_sprig_has_no_environment_here_either(engines: Engines, name: str) -> None:
    with pytest.raises(EngineError):
        await expressions.evaluate(engines, f"sprig.{name}('HOME')", {}, functions="workflows")


@pytest.mark.parametrize(
    ("expression", "reason", "words"),
    [
        ("1 +", "ExpressionInvalid", "unexpected token"),
        ("unknown > 1", "ExpressionInvalid", "unknown name unknown"),
        ("1 + 'a'", "ExpressionInvalid", "mismatched types"),
        ("xs[10]", "ExpressionFailed", "out of range"),
        ("app.nothing.deeper", "ExpressionFailed", "cannot fetch"),
        ("", "ExpressionInvalid", "unexpected token"),
    ],
)
async def test_errors_say_what(engines: Engines, expression: str, reason: str, words: str) -> None:
    with pytest.raises(EngineError) as caught:
        await expressions.evaluate(engines, expression, ENV)
    assert caught.value.reason == reason
    assert words in caught.value.message


async def test_undefined_names_may_be_nil(engines: Engines) -> None:
    assert await expressions.evaluate(engines, "unknown == nil", {}, undefined=True) is True


async def test_many_expressions_share_an_environment(engines: Engines) -> None:
    found = await expressions.evaluate_all(engines, ["f * 2", "nothing", "xs"], ENV)
    assert found[::2] == [1.0, [1, 2, 3]]
    assert isinstance(found[1], EngineError)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("a > 1 && b == 'x'", True),
        ("a + 1", 3.0),
        ("b =~ '^x'", True),
        ("'y' in ('x', 'y')", True),
        ("a > 5 ? 'big' : 'small'", "small"),
        ("c ?? 'none'", "none"),
        ("!(a == 2)", False),
        ("(first || second) && third", True),
        ("'Succeeded' == 'Succeeded'", True),
        ("'2026-01-02' > '2026-01-01'", True),
        ("2 ** 3 % 5", 8 % 5),
    ],
)
async def test_govaluate(engines: Engines, expression: str, expected: object) -> None:
    parameters = {"a": 2, "b": "x", "c": None, "first": False, "second": True, "third": True}
    assert await expressions.govaluate(engines, expression, parameters) == expected


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("(1", "ExpressionInvalid"),
        ("'a", "ExpressionInvalid"),
        ("missing > 1", "ExpressionFailed"),
        ("1 - true", "ExpressionFailed"),
    ],
)
async def test_govaluate_errors(engines: Engines, expression: str, reason: str) -> None:
    with pytest.raises(EngineError) as caught:
        await expressions.govaluate(engines, expression)
    assert caught.value.reason == reason


NUMBERS = st.integers(-90, 90)  # what eight of them multiply to is exact in a float, too
SUMS = st.recursive(
    NUMBERS.map(str),
    lambda inner: st.tuples(inner, st.sampled_from(["+", "-", "*"]), inner).map(lambda parts: f"({' '.join(parts)})"),
    max_leaves=8,
)
CHECKS = st.tuples(SUMS, st.sampled_from(["<", "<=", "==", "!=", ">", ">="]), SUMS).map(" ".join)


@settings(max_examples=40, deadline=None)
@given(texts=st.lists(CHECKS | SUMS, min_size=1, max_size=20))
async def test_arithmetic_agrees_with_python(engines: Engines, texts: list[str]) -> None:
    found = await expressions.evaluate_all(engines, texts, {})
    assert found == [eval(text) for text in texts]


@settings(max_examples=25, deadline=None)
@given(check=CHECKS)
async def test_govaluate_agrees_with_python(engines: Engines, check: str) -> None:
    assert await expressions.govaluate(engines, check) == eval(check)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=4),
    max_leaves=10,
)


@settings(max_examples=60, deadline=None)
@given(value=JSON)
async def test_an_environment_comes_back_unchanged(engines: Engines, value: object) -> None:
    assert await expressions.evaluate(engines, "value", {"value": value}) == value
