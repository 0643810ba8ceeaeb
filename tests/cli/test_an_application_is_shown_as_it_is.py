"""Tables, progress and diffs of one Application object: what a person reads follows from the object alone."""

import base64
from typing import Any

import orjson
import pytest

from services.cli.app import view
from services.cli.app.difference import difference, masked
from services.cli.app.progress import Wanted, failed, missing_of
from services.cli.output import aligned

Obj = dict[str, Any]


def application(**status: Any) -> Obj:
    return {
        "metadata": {"name": "web", "namespace": "argocd"},
        "spec": {
            "source": {"repoURL": "https://git.example/r.git", "path": "web"},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "web"},
        },
        "status": status,
    }


def synced(**status: Any) -> Obj:
    whole = {"sync": {"status": "Synced", "revision": "c" * 40}, "health": {"status": "Healthy"}}
    return application(**{**whole, **status})


def test_a_row_names_what_a_person_looks_for() -> None:
    row = dict(zip(view.LIST_HEADER, view.list_row(synced()), strict=True))
    assert row["SYNC"] == "Synced"
    assert row["HEALTH"] == "Healthy"
    assert row["REVISION"] == "c" * 8
    assert row["DESTINATION"] == "in-cluster/web"
    assert row["PROJECT"] == "default"


def test_an_application_without_status_is_unknown() -> None:
    app = application()
    del app["status"]
    row = dict(zip(view.LIST_HEADER, view.list_row(app), strict=True))
    assert (row["SYNC"], row["HEALTH"], row["REVISION"]) == ("Unknown", "Unknown", "")


def test_an_error_condition_comes_before_everything_else() -> None:
    conditions = [{"type": "ComparisonError", "message": "no such\nrevision"}]
    app = synced(conditions=conditions, operationState={"phase": "Failed", "message": "x"})
    assert view.message(app) == "ComparisonError: no such revision"


@pytest.mark.parametrize(
    ("status", "lacking"),
    [
        ({}, []),
        ({"sync": {"status": "OutOfSync"}}, ["sync is OutOfSync"]),
        ({"health": {"status": "Progressing"}}, ["health is Progressing"]),
        ({"operationState": {"phase": "Running"}}, ["the operation has not finished"]),
        ({"operationState": {"phase": "Succeeded"}}, []),
    ],
)
def test_waiting_says_what_is_lacking(status: Obj, lacking: list[str]) -> None:
    assert missing_of(synced(**status), Wanted()) == lacking


def test_a_written_operation_counts_as_running() -> None:
    assert missing_of({**synced(), "operation": {"sync": {}}}, Wanted()) == ["the operation has not finished"]


def test_a_failed_operation_is_told() -> None:
    app = synced(operationState={"phase": "Failed", "message": "denied"})
    assert failed(app, Wanted(sync=False, health=False)) == "the operation ended Failed: denied"
    assert failed(app, Wanted()) == ""


def test_suspended_is_enough_when_asked_for() -> None:
    app = synced(health={"status": "Suspended"})
    assert missing_of(app, Wanted(suspended=True)) == []
    assert missing_of(app, Wanted()) == ["health is Suspended"]


def secret(value: str) -> Obj:
    data = {"password": base64.b64encode(value.encode()).decode()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "web"}, "data": data}


def test_a_secrets_change_shows_and_its_values_do_not() -> None:
    text = "\n".join(difference(secret("old-canary"), secret("new-canary")))
    assert "-  password: ++++++++" in text
    assert "+  password: ++++++++++++" in text
    for value in ("old-canary", "new-canary"):
        assert value not in text
        assert base64.b64encode(value.encode()).decode() not in text


def test_plain_and_encoded_secret_values_are_the_same_value() -> None:
    plain = {**secret("x"), "stringData": {"password": "same"}}
    del plain["data"]
    assert difference(secret("same"), plain) == []


def test_a_printed_secret_is_masked() -> None:
    assert masked(secret("canary"))["data"] == {"password": "++++++++"}


def test_the_copy_that_kubectl_keeps_is_masked_too() -> None:
    kept = {"kubectl.kubernetes.io/last-applied-configuration": orjson.dumps(secret("canary")).decode()}
    printed = str(masked({**secret("other"), "metadata": {"name": "s", "annotations": kept}}))
    assert "++++++++" in printed
    assert base64.b64encode(b"canary").decode() not in printed


def test_what_only_the_api_server_writes_is_no_difference() -> None:
    live = {"kind": "ConfigMap", "metadata": {"name": "c", "uid": "1", "resourceVersion": "2", "managedFields": []}}
    assert difference(live, {"kind": "ConfigMap", "metadata": {"name": "c"}}) == []


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert aligned(("A", "B"), [("long one", "x"), ("y", "z")], colour=False).splitlines() == [
        "A         B",
        "long one  x",
        "y         z",
    ]
