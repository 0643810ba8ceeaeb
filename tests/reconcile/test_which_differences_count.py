"""A comparison counts what is wanted and not ignored: properties of the rules, and what each compare option changes."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reconciler.compare import Places, judge, judge_prediction, live_digest
from services.reconciler.desired import Scope, Target, target_of
from shared.kinds.customizations import Ignored
from shared.kinds.ignoring import aggregated, counting_for, ignored_for, together
from shared.kinds.settings import ArgoSettings
from shared.kinds.tracking import Tracking

Obj = dict[str, Any]
Leaf = tuple[str | int, ...]
NONE: Mapping[str, str] = {}


def wanted(obj: Obj, rules: Iterable[Obj] = (), data: Mapping[str, str] = NONE) -> Target:
    """An object prepared as an Application with these rules and settings does."""
    argo = ArgoSettings.from_configmap(data)
    assert argo.problems == ()
    scope = Scope(
        "ns",
        Tracking(),
        "app",
        lambda _kind: True,
        lambda _kind: False,
        lambda key, one: together([ignored_for(key, rules, argo), aggregated(one, argo)]),
        lambda one: counting_for(one, {}, argo),
    )
    return target_of(obj, scope)


def thing(spec: Any, **more: Any) -> Obj:
    return {"apiVersion": "example.org/v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": spec, **more}


def status(target: Target, live: Obj, predicted: Obj) -> str:
    return judge_prediction(target, live, live_digest(live), predicted).status


VALUES = st.recursive(
    st.integers(0, 3),
    lambda inner: st.lists(inner, min_size=1, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, min_size=1),
    max_leaves=8,
)
SPECS = st.dictionaries(st.sampled_from("abc"), VALUES, min_size=1, max_size=3)


def leaves(value: Any, at: Leaf = ()) -> list[Leaf]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    return [at] if inner is None else [leaf for key, item in inner for leaf in leaves(item, (*at, key))]


def changed(obj: Obj, leaf: Leaf) -> Obj:
    copy: Any = deepcopy(obj)
    holder = copy
    for step in leaf[:-1]:
        holder = holder[step]
    holder[leaf[-1]] = "changed"
    return dict(copy)


@given(SPECS, st.data())
def test_a_change_is_ignored_just_where_a_rule_says_so_however_it_is_written(spec: Obj, data: st.DataObject) -> None:
    obj = thing(spec)
    places = leaves(obj["spec"], ("spec",))
    ignored, moved = data.draw(st.sampled_from(places)), data.draw(st.sampled_from(places))
    ignored = ignored[: data.draw(st.integers(2, len(ignored)))]
    pointer = {"jsonPointers": ["/" + "/".join(map(str, ignored))]}
    jq = {"jqPathExpressions": ["".join(f"[{step}]" if type(step) is int else f".{step}" for step in ignored)]}
    for fields in (pointer, jq):
        target = wanted(obj, [{"group": "example.org", "kind": "Th*", **fields}])
        live = changed(target.obj, moved)
        verdict = judge(target, live, live_digest(live))
        assert (verdict is not None and verdict.status == "Synced") is (moved[: len(ignored)] == ignored)


@given(SPECS, st.data())
def test_places_that_jq_leads_to_are_left_out_on_both_sides(spec: Obj, data: st.DataObject) -> None:
    target = wanted(thing(spec))
    places = leaves(target.obj["spec"], ("spec",))
    chosen = data.draw(st.lists(st.sampled_from(places), min_size=1, unique=True))
    rule = Ignored(jq_path_expressions=(".. | select(. == 7)",))
    asked = Target(target.key, target.obj, target.digest, ignored=rule)
    live = target.obj
    for place in chosen:
        live = changed(live, place)
    both = Places(tuple(chosen), tuple(chosen))
    verdict = judge(asked, live, live_digest(live), both)
    assert verdict is not None
    assert verdict.status == "Synced"
    assert judge(asked, live, live_digest(live)) is None


def managed(obj: Obj, fields: Obj) -> Obj:
    entry = {"manager": "argocd-controller", "operation": "Apply", "fieldsV1": fields}
    return {**obj, "metadata": {**obj["metadata"], "managedFields": [entry]}}


OURS: Obj = {"f:spec": {"f:a": {}}}


@pytest.mark.parametrize(("option", "found"), [("", "Synced"), ("IncludeMutationWebhook=true", "OutOfSync")])
def test_what_a_webhook_changes_beside_ours_counts_only_when_it_is_asked_for(option: str, found: str) -> None:
    metadata = {"name": "a", "annotations": {"argocd.argoproj.io/compare-options": option}}
    target = wanted(thing({"a": 1}) | {"metadata": metadata})
    live = managed(thing({"a": 1, "stamp": "old"}), OURS)
    assert status(target, live, managed(thing({"a": 1, "stamp": "new"}), OURS)) == found


@pytest.mark.parametrize(
    ("option", "asked"), [("", False), ("ServerSideDiff=false", False), ("ServerSideDiff=true", True)]
)
def test_the_api_server_is_asked_about_what_looks_in_sync_only_where_that_is_wanted(option: str, asked: bool) -> None:
    metadata = {"name": "a", "annotations": {"argocd.argoproj.io/compare-options": option}}
    target = wanted(thing({"a": 1}) | {"metadata": metadata})
    live = managed(target.obj, {"f:spec": {"f:a": {}}})
    assert (judge(target, live, live_digest(live)) is None) == asked
    assert status(target, live, live) == "Synced"
    assert status(target, live, managed({**target.obj, "spec": {"a": 2}}, OURS)) == "OutOfSync"


def test_what_we_owned_and_no_longer_want_counts() -> None:
    before = managed(thing({"a": 1, "gone": 1}), {"f:spec": {"f:a": {}, "f:gone": {}}})
    assert status(wanted(thing({"a": 1})), before, managed(thing({"a": 1}), OURS)) == "OutOfSync"


@pytest.mark.parametrize(
    ("setting", "found"), [("all", "Synced"), ("crd", "OutOfSync"), ("none", "OutOfSync"), ("off", "OutOfSync")]
)
def test_a_status_in_git_counts_where_the_settings_say_so(setting: str, found: str) -> None:
    target = wanted(
        thing({"a": 1}, status={"phase": "x"}),
        data={"resource.compareoptions": f"ignoreResourceStatusField: {setting}\n"},
    )
    owned = {**OURS, "f:status": {"f:phase": {}}}
    live, after = (managed(thing({"a": 1}, status={"phase": phase}), owned) for phase in ("y", "x"))
    assert status(target, live, after) == found


def test_rules_of_an_aggregated_role_are_its_controller_s() -> None:
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "a"}}
    role |= {"aggregationRule": {"clusterRoleSelectors": []}, "rules": []}
    key = "resource.compareoptions"
    for setting, found in (("true", True), ("false", False)):
        target = wanted(role, data={key: f"ignoreAggregatedRoles: {setting}\n"})
        live = {**target.obj, "rules": [{"verbs": ["get"]}]}
        assert (judge(target, live, live_digest(live)) is not None) is found


@pytest.mark.parametrize(
    ("type_", "one", "other"),
    [
        ("core/v1/Quantity", "1000m", 1),
        ("core/Quantity", "1Gi", "1024Mi"),
        ("meta/v1/Duration", "90s", "1m30s"),
        ("core/v1/PodSpec", {"c": [{"limits": {"cpu": "1000m"}}]}, {"c": [{"limits": {"cpu": 1}}]}),
    ],
)
def test_known_types_are_compared_by_what_they_mean(type_: str, one: Any, other: Any) -> None:
    key = "resource.customizations.knownTypeFields.example.org_Thing"
    for data, found in (({key: f"- {{field: spec.deep, type: {type_}}}\n"}, True), ({}, False)):
        target = wanted(thing({"deep": one}), data=data)
        live = {**target.obj, "spec": {"deep": other}}
        assert (judge(target, live, live_digest(live)) is not None) is found


def test_a_rollout_s_pods_are_known_without_being_told() -> None:
    container = {"name": "c", "resources": {"limits": {"cpu": "1000m"}}}
    spec = {"template": {"spec": {"containers": [container]}}}
    rollout = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "a"}, "spec": spec}
    target = wanted(rollout)
    live = deepcopy(target.obj)
    live["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["cpu"] = "1"
    assert judge(target, live, live_digest(live)) is not None
