"""The local check says "in sync" only where that is certain."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.merge import contains, digest, owns_more, quantity, strip_volatile

Obj = dict[str, Any]
SCALARS = st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "a", "1", "1Gi", "500m"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
    max_leaves=12,
)
MAPS = st.dictionaries(st.sampled_from(["a", "b", "limits", "emptyDir"]), VALUES, max_size=4)


def workload(**spec: Any) -> Obj:
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


def custom(**spec: Any) -> Obj:
    return {"apiVersion": "example.org/v1", "kind": "Thing", "spec": spec}


SAME = [
    (workload(a=1), workload(a=1, b=2)),
    (workload(a=None), workload()),
    (workload(tolerations=[]), workload()),
    (workload(labels={}, resources={}), workload()),
    (workload(value="", hostNetwork=False), workload()),
    (workload(limits={"cpu": "1000m", "memory": "1Gi"}), workload(limits={"cpu": "1", "memory": "1073741824"})),
    (workload(requests={"cpu": 1}), workload(requests={"cpu": "1"})),
    (workload(list=[{"a": 1}]), workload(list=[{"a": 1, "defaulted": True}])),
    (custom(a={"b": None}), custom(a={})),
]
DIFFERENT = [
    (workload(a=1), workload()),
    (workload(a=1), workload(a="1")),
    (workload(a=1), workload(a=True)),
    (workload(a=0), workload(a=False)),
    (workload(list=[1]), workload(list=[1, 2])),
    (workload(list=[1, 2]), workload(list=[2, 1])),
    (workload(emptyDir={}), workload()),
    (workload(storageClassName=""), workload()),
    (workload(automountServiceAccountToken=False), workload()),
    (workload(replicas=0), workload()),
    (workload(value=False, hostNetwork=0), workload()),
    (workload(podSelector={}), workload()),
    (workload(name="1000m"), workload(name="1")),
    (workload(a={"b": 1}), workload(a="b")),
    (custom(items=[]), custom()),
    (custom(labels={}), custom()),
    (custom(limits={"cpu": "1000m"}), custom(limits={"cpu": "1"})),
]


@pytest.mark.parametrize(("desired", "live"), SAME)
def test_what_is_already_so_needs_no_call(desired: Obj, live: Obj) -> None:
    assert contains(desired, live)


@pytest.mark.parametrize(("desired", "live"), DIFFERENT)
def test_what_may_differ_is_not_called_the_same(desired: Obj, live: Obj) -> None:
    assert not contains(desired, live)


@given(MAPS)
def test_everything_contains_itself(value: Obj) -> None:
    assert contains(value, deepcopy(value))


@given(MAPS, MAPS)
def test_more_fields_in_live_change_nothing(value: Obj, more: Obj) -> None:
    assert contains(value, {**more, **value})


@given(MAPS, MAPS)
def test_contained_leaves_are_equal(desired: Obj, live: Obj) -> None:
    if contains(desired, live):
        for key, value in desired.items():
            if value is not None and not isinstance(value, dict | list):
                assert live[key] == value


@given(MAPS)
def test_a_digest_does_not_depend_on_the_order_of_keys(value: Obj) -> None:
    assert digest(value) == digest(dict(reversed(value.items())))


@pytest.mark.parametrize(
    ("one", "other"),
    [("1", "1000m"), ("1Gi", "1073741824"), ("1e3", "1k"), ("0.5", "500m"), ("1.5Gi", "1536Mi"), ("100n", "0.1u")],
)
def test_equal_quantities_are_equal(one: str, other: str) -> None:
    assert quantity(one) == quantity(other) is not None


@pytest.mark.parametrize("text", ["", "m", "1x", "1 Gi", "--1", "1e9999", "Gi", "1.2.3", "9" * 100])
def test_what_is_no_quantity_has_no_value(text: str) -> None:
    assert quantity(text) is None


def test_what_the_api_server_stamps_is_not_compared() -> None:
    live = {
        "kind": "A",
        "metadata": {
            "name": "a",
            "uid": "1",
            "resourceVersion": "2",
            "generation": 3,
            "managedFields": [],
            "labels": {},
        },
        "status": {"ready": True},
    }
    assert strip_volatile(live) == {"kind": "A", "metadata": {"name": "a", "labels": {}}}


def owned(fields: Obj, **entry: str) -> Obj:
    return {"metadata": {"managedFields": [{"manager": "us", "operation": "Apply", "fieldsV1": fields, **entry}]}}


SPEC = {"spec": {"replicas": 1, "ports": [{"port": 80, "name": "http"}], "finalizers": ["a"], "plain": [1, 2]}}


@pytest.mark.parametrize(
    ("fields", "more"),
    [
        ({"f:spec": {"f:replicas": {}}}, False),
        ({"f:spec": {"f:replicas": {}, "f:paused": {}}}, True),
        ({"f:spec": {"f:ports": {'k:{"port":80,"protocol":"TCP"}': {".": {}, "f:port": {}, "f:name": {}}}}}, False),
        ({"f:spec": {"f:ports": {'k:{"port":81,"protocol":"TCP"}': {".": {}}}}}, True),
        ({"f:spec": {"f:ports": {'k:{"port":80,"protocol":"UDP"}': {".": {}}}}}, True),
        ({"f:spec": {"f:finalizers": {'v:"a"': {}}}}, False),
        ({"f:spec": {"f:finalizers": {'v:"b"': {}}}}, True),
        ({"f:spec": {"f:plain": {"i:1": {}}}}, False),
        ({"f:spec": {"f:plain": {"i:2": {}}}}, True),
        ({"f:spec": {"f:replicas": {"f:deep": {}}}}, True),
    ],
)
def test_fields_that_we_own_and_no_longer_want_are_found(fields: Obj, *, more: bool) -> None:
    assert owns_more(owned(fields), "us", SPEC) is more


def test_only_what_we_applied_ourselves_counts() -> None:
    extra: Obj = {"f:spec": {"f:paused": {}}}
    assert not owns_more(owned(extra, manager="them"), "us", SPEC)
    assert not owns_more(owned(extra, operation="Update"), "us", SPEC)
    assert not owns_more(owned(extra, subresource="status"), "us", SPEC)
    assert not owns_more({}, "us", SPEC)
