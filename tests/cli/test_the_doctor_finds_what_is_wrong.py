"""`tiphys doctor` on Argo's settings and on folders: each fault is named with what to do, and no secret is shown."""

import base64
from pathlib import Path
from typing import Any

import pytest

from services.cli.doctor import local, settings
from services.stack import state
from services.stack.state import Process, StackState

Obj = dict[str, Any]


def secret(kind: str, **texts: str) -> Obj:
    data = {key: base64.b64encode(value.encode()).decode() for key, value in texts.items()}
    return {"metadata": {"name": "one", "labels": {settings.TYPE_LABEL: kind}}, "data": data}


def test_good_secrets_are_counted() -> None:
    good = [
        secret("repository", url="https://git.example/r.git", password="canary"),
        secret("repo-creds", url="https://git.example", username="u"),
        secret("cluster", name="c", server="https://c.example", config="{}"),
    ]
    assert [(one.ok, one.what) for one in settings.repositories(good)] == [
        (True, "3 repository and cluster Secrets can be read")
    ]


@pytest.mark.parametrize(
    "malformed",
    [
        secret("repository", username="canary"),
        secret("cluster", name="c", server="https://c.example", config="{canary"),
    ],
)
def test_a_malformed_secret_is_named_and_not_shown(malformed: Obj) -> None:
    found = settings.repositories([malformed])
    assert [one.ok for one in found] == [False, True]
    assert "Secret one" in found[0].what
    assert "canary" not in "".join(one.what + one.advice for one in found)


def config_map(labels: Obj, **data: str) -> Obj:
    return {"metadata": {"name": "argocd-cm", "labels": labels}, "data": data}


def test_argocd_cm_is_looked_at() -> None:
    labelled = {"app.kubernetes.io/part-of": "argocd"}
    assert [one.ok for one in settings.argocd_cm(config_map(labelled), "argocd")] == [True]
    assert [one.ok for one in settings.argocd_cm(config_map({}), "argocd")] == [False]
    assert [one.ok for one in settings.argocd_cm(None, "argocd")] == [False]
    wrong = config_map(labelled, **{"application.resourceTrackingMethod": "magic"})
    found = settings.argocd_cm(wrong, "argocd")
    assert "magic" in found[0].what
    assert "annotation+label" in found[0].advice


def test_missing_webhook_secrets_are_worth_a_word() -> None:
    assert settings.webhooks(None)[0].advice
    kept = settings.webhooks({"data": {"webhook.github.secret": "Y2FuYXJ5"}})
    assert kept[0].what == "webhook secrets: github"


def test_a_folder_that_others_may_read_is_a_fault(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    assert not local.data_folder(tmp_path)[0].ok
    tmp_path.chmod(0o700)
    assert local.data_folder(tmp_path)[0].ok


def test_a_stack_that_was_killed_is_a_fault(tmp_path: Path) -> None:
    assert local.stack(tmp_path)[0].ok
    found = StackState(
        process=Process(name="tiphys", pid=1, started=1),
        url="http://127.0.0.1:1",
        health_url="http://127.0.0.1:2",
        nats_url="nats://127.0.0.1:3",
        kubeconfig="/k",
        namespace="argocd",
    )
    state.write(tmp_path, found)
    told = local.stack(tmp_path)[0]
    assert not told.ok
    assert "tiphys up --detach" in told.advice
