"""`ignoreResourceUpdates`: a change of ignored fields only starts nothing; one of health, links or owners does."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reconciler.live import Live
from services.reconciler.quiet import quiet
from shared.kinds.refs import ResourceKey
from shared.kinds.settings import ArgoSettings

Obj = dict[str, Any]
STATUS = {"resource.customizations.ignoreResourceUpdates.all": "jsonPointers: [/status]\n"}
STATUS_SETTINGS = ArgoSettings.from_configmap(STATUS)


def live(obj: Obj, version: int = 1, *, kind: str = "Deployment", instance: str = "app") -> Live:
    metadata = {"name": "a", "resourceVersion": str(version), **obj.pop("metadata", {})}
    raw = orjson.dumps({"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, **obj})
    key = ResourceKey("apps", kind, "ns", "a")
    return Live(key, "apps/v1", "u", version, instance, owned=False, deleting=False, raw=raw)


def waiting(updated: int, **more: Any) -> Obj:
    return {"spec": {"replicas": 2}, "status": {"updatedReplicas": updated, **more}}


@pytest.mark.parametrize(
    ("old", "new", "nobody"),
    [
        (waiting(0), waiting(0, observedGeneration=3), True),
        (waiting(0), waiting(1), False),  # the health's message tells of it
        (waiting(0), {**waiting(0), "metadata": {"managedFields": [{"manager": "x"}]}}, True),
        (waiting(0), {**waiting(0), "metadata": {"labels": {"a": "b"}}}, False),
        (waiting(0), {**waiting(0), "spec": {"replicas": 3}}, False),
    ],
)
def test_a_change_of_what_is_ignored_starts_nothing(old: Obj, new: Obj, *, nobody: bool) -> None:
    assert quiet(STATUS_SETTINGS, live(dict(old)), live(dict(new), 2)) is nobody


def test_without_a_rule_every_change_counts() -> None:
    assert not quiet(ArgoSettings(), live(waiting(0)), live(waiting(0, x=1), 2))
    off = ArgoSettings.from_configmap({**STATUS, "resource.ignoreResourceUpdatesEnabled": "false"})
    assert not quiet(off, live(waiting(0)), live(waiting(0, x=1), 2))


def test_another_owner_counts() -> None:
    assert not quiet(STATUS_SETTINGS, live({}), live({}, 2, instance="other"))


def test_differences_that_are_ignored_are_ignored_updates_too_unless_the_settings_say_otherwise() -> None:
    rules = {**STATUS, "resource.customizations.ignoreDifferences.apps_Deployment": "jqPathExpressions: [.spec.x]\n"}
    old, new = live({"spec": {"x": 1}}), live({"spec": {"x": 2}}, 2)
    assert quiet(ArgoSettings.from_configmap(rules), old, new)
    strict = {**rules, "resource.compareoptions": "ignoreDifferencesOnResourceUpdates: false\n"}
    assert not quiet(ArgoSettings.from_configmap(strict), old, new)


def test_a_kind_with_a_health_script_is_looked_at_whenever_the_script_might_see_it() -> None:
    scripted = ArgoSettings.from_configmap(
        {**STATUS, "resource.customizations.health.apps_Thing": "return {status = obj.status.phase}"}
    )
    old, new = live({"status": {"phase": "a"}}, kind="Thing"), live({"status": {"phase": "b"}}, 2, kind="Thing")
    assert quiet(STATUS_SETTINGS, old, new)
    assert not quiet(scripted, old, new)


@given(st.dictionaries(st.sampled_from(["spec", "data", "metadata", "status"]), st.just({"x": 1})))
def test_only_what_lies_under_the_rule_may_change_unseen(changed: Obj) -> None:
    assert quiet(STATUS_SETTINGS, live({}, kind="Thing"), live(dict(changed), 2, kind="Thing")) is (
        set(changed) <= {"status"}
    )
