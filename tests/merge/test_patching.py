"""JSON merge patch and JSON patch, by the examples of their RFCs and the laws between them."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.merge import PatchError, json_merge_patch, json_patch, merge_patch_between

Obj = dict[str, Any]
VALUES = st.recursive(
    st.booleans() | st.integers(-3, 3) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
    max_leaves=10,
)
MAPS = st.dictionaries(st.sampled_from("abcd"), VALUES, max_size=4)
RFC_7396 = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": "foo"}, None, None),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]
RFC_6902 = [
    ({"foo": "bar"}, {"op": "add", "path": "/baz", "value": "qux"}, {"baz": "qux", "foo": "bar"}),
    ({"foo": ["a", "c"]}, {"op": "add", "path": "/foo/1", "value": "b"}, {"foo": ["a", "b", "c"]}),
    ({"foo": [1]}, {"op": "add", "path": "/foo/-", "value": [2]}, {"foo": [1, [2]]}),
    ({"a": 1, "b": 2}, {"op": "remove", "path": "/a"}, {"b": 2}),
    ({"a": [1, 2]}, {"op": "remove", "path": "/a/0"}, {"a": [2]}),
    ({"a": 1}, {"op": "replace", "path": "/a", "value": 2}, {"a": 2}),
    ({"a": {"b": 1}, "c": {}}, {"op": "move", "from": "/a/b", "path": "/c/d"}, {"a": {}, "c": {"d": 1}}),
    ({"a": {"b": 1}}, {"op": "copy", "from": "/a", "path": "/c"}, {"a": {"b": 1}, "c": {"b": 1}}),
    ({"a/b": 1, "~": 2}, {"op": "replace", "path": "/a~1b", "value": 3}, {"a/b": 3, "~": 2}),
    ({"~1": 10}, {"op": "test", "path": "/~01", "value": 10}, {"~1": 10}),
    ({"a": 1}, {"op": "replace", "path": "", "value": []}, []),
]
REFUSED = [
    {"op": "remove", "path": "/nope"},
    {"op": "replace", "path": "/nope", "value": 1},
    {"op": "add", "path": "/a/9", "value": 1},
    {"op": "add", "path": "/a/01", "value": 1},
    {"op": "add", "path": "/a/x", "value": 1},
    {"op": "add", "path": "a", "value": 1},
    {"op": "add", "path": "/b"},
    {"op": "add", "path": "/n/x", "value": 1},
    {"op": "test", "path": "/n", "value": True},
    {"op": "move", "from": "/o", "path": "/o/p"},
    {"op": "merge", "path": "/a", "value": 1},
]


@pytest.mark.parametrize(("target", "patch", "result"), RFC_7396)
def test_a_merge_patch_does_what_its_rfc_says(target: Any, patch: Any, result: Any) -> None:
    assert json_merge_patch(target, patch) == result


@pytest.mark.parametrize(("target", "operation", "result"), RFC_6902)
def test_a_json_patch_does_what_its_rfc_says(target: Any, operation: Obj, result: Any) -> None:
    before = deepcopy(target)
    assert json_patch(target, [operation]) == result
    assert target == before


@pytest.mark.parametrize("operation", REFUSED)
def test_a_patch_that_does_not_fit_says_which_operation(operation: Obj) -> None:
    document = {"a": [1], "n": 1, "o": {"p": 1}}
    with pytest.raises(PatchError, match="operation 1"):
        json_patch(document, [{"op": "add", "path": "/new", "value": 1}, operation])
    assert document == {"a": [1], "n": 1, "o": {"p": 1}}


@given(MAPS, MAPS)
def test_the_patch_between_two_values_makes_one_of_the_other(old: Obj, new: Obj) -> None:
    assert json_merge_patch(old, merge_patch_between(old, new)) == new


@given(MAPS)
def test_nothing_changed_is_an_empty_patch(value: Obj) -> None:
    assert merge_patch_between(value, deepcopy(value)) == {}


@given(MAPS, MAPS)
def test_applying_a_merge_patch_again_changes_nothing(target: Obj, patch: Obj) -> None:
    once = json_merge_patch(target, patch)
    assert json_merge_patch(once, patch) == once
