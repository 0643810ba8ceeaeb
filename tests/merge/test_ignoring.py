"""What is ignored is out of the comparison, and keeps live's value when it is applied."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.merge import jq_path, managed_by, pointer_path, with_live, without, without_managed
from shared.merge.ignore import Each, Path

Obj = dict[str, Any]
WEB: Obj = {
    "metadata": {"name": "web", "annotations": {"a.b/c": "1", "keep": "2"}},
    "spec": {"replicas": 3, "containers": [{"name": "a", "image": "x"}, {"name": "b", "image": "y"}]},
}


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (".spec.replicas", ("spec", "replicas")),
        (".spec.containers[].image", ("spec", "containers", Each.EACH, "image")),
        (".webhooks[]?.clientConfig.caBundle", ("webhooks", Each.EACH, "clientConfig", "caBundle")),
        ('.metadata.annotations["a.b/c"]', ("metadata", "annotations", "a.b/c")),
        ('.metadata.annotations."a.b/c"', ("metadata", "annotations", "a.b/c")),
        (".spec.containers[1]", ("spec", "containers", 1)),
        (' .["spec"]? ', ("spec",)),
    ],
)
def test_a_jq_expression_that_is_a_path_is_followed(text: str, path: Path) -> None:
    assert jq_path(text) == path


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        '["a"]',
        '.spec.containers[] | select(.name == "a")',
        ".spec.containers[] | .image",
        ".a,.b",
        "del(.a)",
        ".a[1:]",
        '.a["x\\"y"]',
        ".a == 1",
    ],
)  # fmt: skip
def test_any_other_expression_is_left_to_jq(text: str) -> None:
    assert jq_path(text) is None


@pytest.mark.parametrize(
    ("text", "path"), [("/spec/replicas", ("spec", "replicas")), ("/a~1b/~0", ("a/b", "~")), ("", None), ("spec", None)]
)
def test_a_json_pointer_is_read(text: str, path: Path | None) -> None:
    assert pointer_path(text) == path


def test_ignored_fields_are_left_out_wherever_they_are() -> None:
    before = deepcopy(WEB)
    found = without(
        WEB, [("spec", "replicas"), ("spec", "containers", Each.EACH, "image"), ("metadata", "annotations", "a.b/c")]
    )
    assert found == {
        "metadata": {"name": "web", "annotations": {"keep": "2"}},
        "spec": {"containers": [{"name": "a"}, {"name": "b"}]},
    }
    assert before == WEB


@pytest.mark.parametrize(
    "path", [("spec", "nope"), ("nope", "deep"), ("spec", "containers", 9), ("metadata", "name", "x")]
)
def test_what_is_not_there_changes_nothing(path: Path) -> None:
    assert without(WEB, [path]) == WEB


def test_items_of_lists_may_be_left_out_by_number() -> None:
    assert without({"a": [1, 2, 3]}, [("a", 1)]) == {"a": [1, 3]}
    assert without({"a": [1, 2, 3]}, [("a", "0")]) == {"a": [2, 3]}
    assert without({"a": [1, 2, 3]}, [("a", Each.EACH)]) == {"a": []}


def test_applying_keeps_what_live_has_at_ignored_places() -> None:
    live = {"spec": {"replicas": 7, "containers": [{"name": "a", "image": "live"}, {"name": "b"}], "paused": True}}
    paths: list[Path] = [("spec", "replicas"), ("spec", "containers", Each.EACH, "image"), ("spec", "paused")]
    assert with_live(WEB, live, paths)["spec"] == {
        "replicas": 7,
        "containers": [{"name": "a", "image": "live"}, {"name": "b"}],
        "paused": True,
    }


def test_what_others_manage_is_left_out_leaf_by_leaf() -> None:
    fields = {
        "f:spec": {
            "f:replicas": {},
            "f:containers": {'k:{"name":"a"}': {".": {}, "f:image": {}}},
            "f:finalizers": {'v:"x"': {}},
        }
    }
    live = {"metadata": {"managedFields": [{"manager": "hpa", "fieldsV1": fields}, {"manager": "us", "fieldsV1": {}}]}}
    desired = {"spec": {**WEB["spec"], "finalizers": ["x", "y"]}}
    assert without_managed(desired, managed_by(live, ["hpa"])) == {
        "spec": {"containers": [{"name": "a"}, {"name": "b", "image": "y"}], "finalizers": ["y"]}
    }
    assert without_managed(desired, managed_by(live, ["somebody"])) == desired


VALUES = st.recursive(
    st.integers(0, 3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=10,
)
MAPS = st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3)
PATHS = st.lists(st.sampled_from(["a", "b", 0, 1, Each.EACH]), min_size=1, max_size=3).map(tuple)


@given(MAPS, st.lists(PATHS, max_size=3))
def test_ignoring_the_same_places_again_changes_nothing(value: Obj, paths: list[Path]) -> None:
    keyed = [path for path in paths if not any(isinstance(step, int) for step in path)]
    once = without(value, keyed)
    assert without(once, keyed) == once


@given(MAPS, PATHS)
def test_live_laid_over_itself_is_itself(value: Obj, path: Path) -> None:
    assert with_live(value, value, [path]) == value
