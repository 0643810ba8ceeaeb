"""Options in annotations and policies; the object's own win over its Application's."""

from datetime import UTC, datetime
from typing import Any

import pytest

from shared.kinds.options import (
    approved,
    asks_for_confirmation,
    compare_options,
    delete_consent,
    ignores_health,
    may_prune,
    prune_consent,
    sync_options,
    sync_wave,
    unknown_options,
)
from shared.kinds.order import kind_rank

Obj = dict[str, Any]


def annotated(**annotations: str) -> Obj:
    named = {f"argocd.argoproj.io/{key.replace('_', '-')}": value for key, value in annotations.items()}
    return {"kind": "ConfigMap", "metadata": {"annotations": named}}


def test_the_objects_option_wins_over_the_applications() -> None:
    obj = annotated(sync_options="ServerSideApply=false, Replace=true")
    assert sync_options(["ServerSideApply=true", "CreateNamespace=true,Validate=false"], obj) == {
        "ServerSideApply": "false",
        "CreateNamespace": "true",
        "Validate": "false",
        "Replace": "true",
    }


def test_a_slip_of_the_pen_is_found() -> None:
    assert unknown_options(["CreateNamspace=true,Prune=false", "replace=true", ""]) == ["CreateNamspace", "replace"]


@pytest.mark.parametrize(
    ("at", "approved_"),
    [
        ("2026-11-25T12:00:00Z", True),
        ("2026-11-25T13:00:00+01:00", True),
        ("2026-11-25T11:59:59Z", False),
        ("2026-11-25", False),
        ("yes", False),
        ("", False),
    ],
)
def test_a_confirmation_counts_from_the_beginning_on(at: str, approved_: bool) -> None:
    since = datetime(2026, 11, 25, 12, 0, 0, 500, tzinfo=UTC)
    assert approved(annotated(deletion_approved=at), since) is approved_


def test_what_waits_for_a_person_says_so() -> None:
    assert asks_for_confirmation(annotated(sync_options="Delete=confirm"))
    assert asks_for_confirmation({}, ["Prune=confirm"])
    assert not asks_for_confirmation(annotated(sync_options="Prune=false"), ["Prune=confirm"])
    assert not asks_for_confirmation(None)


def test_compare_options_may_be_bare_names() -> None:
    found = compare_options(annotated(compare_options="IgnoreExtraneous,ServerSideDiff=false"))
    assert found == {"IgnoreExtraneous": "true", "ServerSideDiff": "false"}
    assert compare_options({}) == {}


@pytest.mark.parametrize(
    ("annotations", "app_level", "consent"),
    [
        ({}, [], "yes"),
        ({"sync_options": "Prune=false"}, [], "no"),
        ({"sync_options": "Prune=confirm"}, [], "confirm"),
        ({}, ["Prune=false"], "no"),
        ({"sync_options": "Prune=true"}, ["Prune=false"], "yes"),
    ],
)
def test_pruning_asks_the_object_then_the_application(annotations: Obj, app_level: list[str], consent: str) -> None:
    assert prune_consent(annotated(**annotations), app_level) == consent
    assert may_prune(annotated(**annotations), app_level) is (consent == "yes")


def test_helm_may_keep_an_object() -> None:
    kept = {"metadata": {"annotations": {"helm.sh/resource-policy": "keep"}}}
    assert prune_consent(kept) == delete_consent(kept) == "no"


@pytest.mark.parametrize(("text", "wave"), [("3", 3), ("-5", -5), (" 1 ", 1), ("soon", 0), ("1.5", 0), ("", 0)])
def test_waves_are_integers_and_everything_else_is_wave_0(text: str, wave: int) -> None:
    assert sync_wave(annotated(sync_wave=text)) == wave


def test_helms_hook_weight_is_a_wave_where_there_is_no_wave() -> None:
    assert sync_wave({"metadata": {"annotations": {"helm.sh/hook-weight": "7"}}}) == 7
    assert sync_wave(None) == 0


def test_health_may_be_ignored() -> None:
    assert ignores_health(annotated(ignore_healthcheck="true"))
    assert not ignores_health(annotated())


def test_kinds_that_others_need_come_first() -> None:
    ordered = ["Namespace", "ServiceAccount", "Secret", "ConfigMap", "Service", "Deployment", "Ingress", "APIService"]
    assert sorted(["Anything", *ordered[::-1]], key=kind_rank) == [*ordered, "Anything"]
