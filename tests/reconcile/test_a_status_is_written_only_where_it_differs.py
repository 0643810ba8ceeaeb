"""The merge patch of a status (RFC 7396): applying it gives the new status, and equal statuses give no patch."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.reconciler.desired import Condition
from services.reconciler.status import changed, conditions
from shared.merge import merge_patch_between

LEAVES = st.one_of(st.integers(), st.text(max_size=3), st.booleans(), st.lists(st.integers(), max_size=3))
TREES = st.recursive(LEAVES, lambda inner: st.dictionaries(st.sampled_from("abcd"), inner, max_size=4), max_leaves=12)
OBJECTS = st.dictionaries(st.sampled_from("abcd"), TREES, max_size=4)


def merged(target: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


@given(OBJECTS, OBJECTS)
def test_the_patch_turns_one_status_into_the_other(before: Any, after: Any) -> None:
    assert merged(before, merge_patch_between(before, after)) == after


@given(OBJECTS)
def test_equal_statuses_need_no_patch(status: Any) -> None:
    assert merge_patch_between(status, status) == {}


def test_a_later_look_that_finds_the_same_is_no_change() -> None:
    assert not changed({"a": 1, "reconciledAt": "x"}, {"a": 1, "reconciledAt": "y"})
    assert changed({"a": 1}, {"a": 2})


def test_an_unchanged_condition_keeps_its_time() -> None:
    before = [{"type": "SyncError", "message": "m", "lastTransitionTime": "then"}]
    after = conditions(before, [Condition("SyncError", "m"), Condition("SyncError", "n")], "now")
    assert [one["lastTransitionTime"] for one in after] == ["then", "now"]
