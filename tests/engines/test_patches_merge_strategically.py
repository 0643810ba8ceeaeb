"""Strategic merge: lists by their keys, directives, laws of patches, three-way patches as kubectl makes them."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.engines import strategic
from shared.engines.client import Engines
from shared.engines.errors import EngineError
from shared.engines.strategic import Kind

DEPLOYMENT = Kind("apps", "v1", "Deployment")
SERVICE = Kind("", "v1", "Service")


def raw(value: object) -> bytes:
    return json.dumps(value).encode()


def pods(*containers: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"containers": list(containers), **spec}}}}


async def applied(engines: Engines, original: object, patch: object, kind: Kind = DEPLOYMENT) -> Any:
    return json.loads(await strategic.apply(engines, kind, raw(original), raw(patch)))


async def test_containers_merge_by_name(engines: Engines) -> None:
    before = pods({"name": "a", "image": "x:1", "env": [{"name": "E", "value": "1"}]}, {"name": "b", "image": "y"})
    patch = pods({"name": "a", "image": "x:2", "env": [{"name": "F", "value": "2"}]})
    (first, second) = (await applied(engines, before, patch))["spec"]["template"]["spec"]["containers"]
    assert first["image"] == "x:2"
    assert {each["name"] for each in first["env"]} == {"E", "F"}
    assert second == {"name": "b", "image": "y"}


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        (pods({"name": "a", "$patch": "delete"}), pods({"name": "b"})),
        (pods({"$patch": "replace"}, {"name": "c"}), pods({"name": "c"})),
        (pods({"name": "a", "image": None}), pods({"name": "a"}, {"name": "b"})),
        ({"spec": {"template": {"spec": None}}}, {"spec": {"template": {}}}),
        ({}, pods({"name": "a", "image": "x"}, {"name": "b"})),
        (
            {"spec": {"template": {"spec": {"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]}}}},
            pods({"name": "b"}, {"name": "a", "image": "x"}),
        ),
    ],
)
async def test_directives(engines: Engines, patch: object, expected: object) -> None:
    assert await applied(engines, pods({"name": "a", "image": "x"}, {"name": "b"}), patch) == expected


async def test_finalizers_merge_and_tolerations_are_replaced(engines: Engines) -> None:
    before = {"metadata": {"finalizers": ["a"]}, **pods(tolerations=[{"key": "x"}])}
    patch = {"metadata": {"finalizers": ["b"]}, **pods(tolerations=[{"key": "y"}])}
    found = await applied(engines, before, patch)
    assert sorted(found["metadata"]["finalizers"]) == ["a", "b"]
    assert found["spec"]["template"]["spec"]["tolerations"] == [{"key": "y"}]


async def test_ports_of_a_service_merge_by_port(engines: Engines) -> None:
    before = {"spec": {"ports": [{"port": 80, "name": "http"}, {"port": 443}]}}
    found = await applied(engines, before, {"spec": {"ports": [{"port": 80, "name": "web"}]}}, SERVICE)
    assert {each["port"]: each.get("name") for each in found["spec"]["ports"]} == {80: "web", 443: None}


async def test_unknown_kinds_are_refused(engines: Engines) -> None:
    with pytest.raises(EngineError, match="use a merge patch") as caught:
        await applied(engines, {}, {}, Kind("example.com", "v1", "Thing"))
    assert caught.value.reason == "UnknownKind"


@pytest.mark.parametrize(
    ("original", "patch"), [(b"{", b"{}"), (b"{}", b"["), (b'{"spec": {"x": 1}}', b'{"spec": {"$patch": "nonsense"}}')]
)
async def test_bad_patches_are_refused(engines: Engines, original: bytes, patch: bytes) -> None:
    with pytest.raises(EngineError) as caught:
        await strategic.apply(engines, DEPLOYMENT, original, patch)
    assert caught.value.reason == "PatchInvalid"


async def test_a_three_way_patch_removes_what_was_applied_and_keeps_what_others_set(engines: Engines) -> None:
    last = {"metadata": {"labels": {"a": "1", "gone": "x"}}, **pods({"name": "c", "image": "x:1"})}
    wanted = {"metadata": {"labels": {"a": "2"}}, **pods({"name": "c", "image": "x:2"})}
    live = {
        "metadata": {"labels": {"a": "1", "gone": "x", "other": "o"}},
        **pods({"name": "c", "image": "x:1", "imagePullPolicy": "Always"}, {"name": "sidecar", "image": "s"}),
    }
    patch = await strategic.three_way(engines, DEPLOYMENT, raw(last), raw(wanted), raw(live))
    found = json.loads(await strategic.apply(engines, DEPLOYMENT, raw(live), patch))
    assert found["metadata"]["labels"] == {"a": "2", "other": "o"}
    containers = {each["name"]: each for each in found["spec"]["template"]["spec"]["containers"]}
    assert containers["c"] == {"name": "c", "image": "x:2", "imagePullPolicy": "Always"}
    assert "sidecar" in containers


Object = dict[str, Any]
NAMES = st.sampled_from(["a", "b", "c", "d"])
WORDS = st.text("xyz", min_size=1, max_size=3)
FIELDS = st.fixed_dictionaries({"image": WORDS}, optional={"workingDir": WORDS})
CONTAINERS = st.dictionaries(NAMES, FIELDS, max_size=4).map(
    lambda named: [{"name": name, **fields} for name, fields in named.items()]
)
OBJECTS = st.builds(
    lambda containers, labels, replicas: {
        "metadata": {"labels": labels},
        "spec": {"replicas": replicas, "template": {"spec": {"containers": containers}}},
    },
    CONTAINERS,
    st.dictionaries(NAMES, WORDS, max_size=3),
    st.integers(0, 9),
)


def normal(value: dict[str, Any]) -> dict[str, Any]:
    """Without the empty maps and lists that patches leave or drop, and with lists in order."""
    containers = value.get("spec", {}).get("template", {}).get("spec", {}).get("containers") or []
    return {
        "labels": value.get("metadata", {}).get("labels") or {},
        "replicas": value.get("spec", {}).get("replicas"),
        "containers": sorted(containers, key=lambda each: str(each["name"])),
    }


@settings(max_examples=100, deadline=None)
@given(before=OBJECTS, after=OBJECTS)
async def test_the_difference_applied_is_the_other_object(
    engines: Engines, before: dict[str, Any], after: dict[str, Any]
) -> None:
    patch = await strategic.diff(engines, DEPLOYMENT, raw(before), raw(after))
    assert normal(await applied(engines, before, json.loads(patch))) == normal(after)


@settings(max_examples=100, deadline=None)
@given(before=OBJECTS, patch=OBJECTS)
async def test_applying_twice_is_applying_once(engines: Engines, before: dict[str, Any], patch: dict[str, Any]) -> None:
    once = await applied(engines, before, patch)
    assert await applied(engines, once, patch) == once


@settings(max_examples=60, deadline=None)
@given(value=OBJECTS)
async def test_no_difference_is_an_empty_patch(engines: Engines, value: dict[str, Any]) -> None:
    assert await strategic.diff(engines, DEPLOYMENT, raw(value), raw(value)) == b"{}"
    assert await strategic.three_way(engines, DEPLOYMENT, raw(value), raw(value), raw(value)) == b"{}"
