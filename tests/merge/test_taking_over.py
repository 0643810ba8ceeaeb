"""Taking over what a client applied: who owns what then, what is left behind. On a real API server: tests/write."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.merge import left_behind, taken_over, without_undeclared

Obj = dict[str, Any]
OURS, KUBECTL = "argocd-controller", "kubectl-client-side-apply"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def entry(manager: str, operation: str, fields: Obj, **rest: Any) -> Obj:
    return {"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsV1": fields, **rest}


def live(*entries: Obj) -> Obj:
    return {"metadata": {"managedFields": list(entries)}}


def test_what_the_client_owned_becomes_ours_and_others_keep_theirs() -> None:
    theirs = entry("a-scaler", "Update", {"f:spec": {"f:replicas": {}}})
    status = entry(KUBECTL, "Update", {"f:status": {}}, subresource="status")
    obj = live(theirs, status, entry(KUBECTL, "Update", {"f:data": {"f:a": {}}}))
    assert taken_over(obj, OURS, [KUBECTL]) == [theirs, status, entry(OURS, "Apply", {"f:data": {"f:a": {}}})]


def test_what_we_own_already_is_joined_with_it() -> None:
    obj = live(entry(OURS, "Apply", {"f:data": {"f:a": {}}}), entry(KUBECTL, "Update", {"f:data": {"f:b": {}}}))
    assert taken_over(obj, OURS, [KUBECTL]) == [entry(OURS, "Apply", {"f:data": {"f:a": {}, "f:b": {}}})]


def test_fields_of_another_version_stay_with_their_owner() -> None:
    old = entry(KUBECTL, "Update", {"f:data": {}}, apiVersion="v1beta1")
    assert taken_over(live(entry(OURS, "Apply", {}), old), OURS, [KUBECTL]) is None


def test_there_may_be_nothing_to_take_over() -> None:
    assert taken_over(live(entry(OURS, "Apply", {}), entry("kubectl-edit", "Update", {})), OURS, [KUBECTL]) is None
    assert taken_over({}, OURS, [KUBECTL]) is None


names = st.sampled_from(["f:a", "f:b", "."])
nothing: st.SearchStrategy[Obj] = st.just({})
fields = st.recursive(nothing, lambda inner: st.dictionaries(names, inner, max_size=3))


@given(st.lists(st.tuples(st.sampled_from([KUBECTL, "x"]), st.sampled_from(["Update", "Apply"]), fields), max_size=4))
def test_taking_over_is_done_once_and_loses_no_field(entries: list[tuple[str, str, Obj]]) -> None:
    before = live(*(entry(*one) for one in entries))
    after = taken_over(before, OURS, [KUBECTL])
    if after is None:
        assert not any(one[:2] == (KUBECTL, "Update") for one in entries)
        return
    assert taken_over(live(*after), OURS, [KUBECTL]) is None
    (mine,) = [one for one in after if one["manager"] == OURS]
    assert all(covers(mine["fieldsV1"], tree) for who, how, tree in entries if (who, how) == (KUBECTL, "Update"))
    assert [one for one in after if one is not mine] == [
        entry(*one) for one in entries if one[:2] != (KUBECTL, "Update")
    ]


def covers(one: Obj, other: Obj) -> bool:
    return all(key in one and covers(one[key], inner) for key, inner in other.items())


def applied(was: Obj, **lives: Any) -> Obj:
    return {"metadata": {"annotations": {LAST_APPLIED: orjson.dumps(was).decode()}}, **lives}


@pytest.mark.parametrize(
    ("was", "lives", "wanted", "left"),
    [
        ({"data": {"a": "1", "b": "2"}}, {"data": {"a": "1", "b": "2"}}, {"data": {"a": "1"}}, True),
        ({"data": {"a": "1", "b": "2"}}, {"data": {"a": "1"}}, {"data": {"a": "1"}}, False),
        ({"data": {"a": "1"}}, {"data": {"a": "1", "else": "x"}}, {"data": {"a": "1"}}, False),
        ({"spec": {"list": [1, 2]}}, {"spec": {"list": [1, 2]}}, {"spec": {"list": [1]}}, True),
        ({"spec": {"list": [1, 2]}}, {"spec": {"list": [1]}}, {"spec": {"list": [1]}}, False),
        ({"status": {"a": 1}}, {"status": {"a": 1}}, {}, False),
        ({"spec": {"a": None}}, {"spec": {"a": 1}}, {"spec": {}}, False),
    ],
)
def test_what_a_client_applied_and_nobody_wants_any_more(was: Obj, lives: Obj, wanted: Obj, left: bool) -> None:
    assert left_behind(applied(was, **lives), wanted) is left


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "7"])
def test_a_record_that_can_not_be_read_tells_nothing(text: str) -> None:
    assert not left_behind({"metadata": {"annotations": {LAST_APPLIED: text}}, "data": {"a": "1"}}, {})


REFUSAL = """failed to create typed patch object (ns/s; /v1, Kind=Service): errors:
  .spec.ports[port=80,protocol="TCP"].bogus: field not declared in schema
  .spec.list[1].x: field not declared in schema
  .spec.wrong: field not declared in schema"""


def test_fields_that_a_kind_does_not_have_are_left_out_as_the_refusal_names_them() -> None:
    spec = {
        "ports": [{"port": 80, "bogus": 1}, {"port": 81, "bogus": 2}],
        "wrong": {},
        "list": [{"x": 1}, {"x": 1, "y": 2}],
    }
    ports = [{"port": 80}, {"port": 81, "bogus": 2}]
    assert without_undeclared({"spec": spec}, REFUSAL) == {"spec": {"ports": ports, "list": [{"x": 1}, {"y": 2}]}}


@given(st.text())
def test_a_message_that_names_no_field_leaves_the_very_same_object(message: str) -> None:
    obj: Obj = {"spec": {"a": 1}}
    assert without_undeclared(obj, message) is obj
    assert without_undeclared(obj, f".spec.b: field not declared in schema {message}") == obj
