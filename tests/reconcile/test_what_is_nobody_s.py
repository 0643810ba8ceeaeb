"""Orphans: what no Application that exists tracks, and the project does not want left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reconciler.orphans import TopLevel, asks, orphans
from shared.kinds.appproject import AppProject
from shared.kinds.refs import ResourceKey

MAP = ResourceKey("", "ConfigMap", "ns", "stray")


def project(**orphaned: object) -> AppProject:
    return AppProject.parse({"metadata": {"name": "p"}, "spec": {"orphanedResources": orphaned}})


@pytest.mark.parametrize(
    ("key", "rule", "orphan"),
    [
        (MAP, {}, True),
        (MAP, {"kind": "ConfigMap"}, False),
        (MAP, {"kind": "ConfigMap", "name": "str*"}, False),
        (MAP, {"kind": "ConfigMap", "name": "other"}, True),
        (MAP, {"group": "apps"}, True),
        (MAP, {"group": "*", "kind": "*"}, False),
        (ResourceKey("", "ServiceAccount", "ns", "default"), {}, False),
        (ResourceKey("", "ServiceAccount", "ns", "other"), {}, True),
        (ResourceKey("", "ConfigMap", "ns", "kube-root-ca.crt"), {}, False),
        (ResourceKey("", "Service", "default", "kubernetes"), {}, False),
        (ResourceKey("", "Service", "ns", "kubernetes"), {}, True),
    ],
)
def test_a_rule_leaves_objects_alone(key: ResourceKey, rule: dict[str, str], *, orphan: bool) -> None:
    assert orphans(project(ignore=[rule] if rule else []), [key]) == ([key] if orphan else [])


def test_what_the_project_could_not_hold_is_no_orphan_of_its() -> None:
    spec = {"orphanedResources": {}, "namespaceResourceBlacklist": [{"group": "", "kind": "ConfigMap"}]}
    assert orphans(AppProject.parse({"metadata": {"name": "p"}, "spec": spec}), [MAP]) == []


@pytest.mark.parametrize(("orphaned", "asked"), [({}, True), ({"warn": True}, True), ({"warn": False}, False)])
def test_only_a_project_that_wants_warnings_asks(orphaned: dict[str, bool], *, asked: bool) -> None:
    assert asks(project(**orphaned)) is asked
    assert not asks(AppProject.parse({"metadata": {"name": "p"}}))


EVENTS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["", "mine", "gone", None])), max_size=20)


@given(EVENTS)
def test_what_is_nobodys_follows_from_the_last_news_of_each_object(events: list[tuple[str, str | None]]) -> None:
    told: list[str] = []
    found, last = TopLevel(told.append), dict[str, str | None]()
    for name, instance in events:
        key = MAP._replace(name=name)
        before, last[name] = last.get(name), instance
        found.drop(key) if instance is None else found.put(key, instance)
        assert (before != instance) <= bool(told)
    expected = {name for name, instance in last.items() if instance in {"", "gone"}}
    assert {key.name for key in found.nobodys("ns", lambda instance: instance == "mine")} == expected
    assert list(found.nobodys("elsewhere", lambda _: False)) == []
