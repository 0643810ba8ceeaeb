"""What the command line writes into an Application: `operation`, annotations, finalizers. Pure decisions, no
cluster.
"""

from typing import Any

import pytest

from services.cli.app import operation
from services.cli.app.operation import SyncWish
from services.cli.errors import CliError, Exit

Obj = dict[str, Any]


def application(**parts: Any) -> Obj:
    return {"metadata": {"name": "web", "namespace": "argocd", "resourceVersion": "7"}, "spec": {}, **parts}


def entry(number: int, revision: str) -> Obj:
    return {"id": number, "revision": revision, "source": {"repoURL": "https://git.example/r.git", "path": "web"}}


def test_a_sync_carries_who_asked_and_only_what_was_asked() -> None:
    patch = operation.sync_patch(application(), SyncWish(revision="v2", prune=True), "ada")
    assert patch["operation"] == {"initiatedBy": {"username": "ada"}, "sync": {"revision": "v2", "prune": True}}
    assert patch["metadata"] == {"resourceVersion": "7"}


def test_a_sync_takes_the_applications_own_options_and_retry() -> None:
    policy = {"syncOptions": ["CreateNamespace=true"], "retry": {"limit": 3}}
    patch = operation.sync_patch(application(spec={"syncPolicy": policy}), SyncWish(), "ada")
    assert patch["operation"]["sync"]["syncOptions"] == ["CreateNamespace=true"]
    assert patch["operation"]["retry"] == {"limit": 3}


def test_a_second_operation_is_refused() -> None:
    with pytest.raises(CliError, match="already in progress"):
        operation.sync_patch(application(operation={"sync": {}}), SyncWish(), "ada")


@pytest.mark.parametrize(
    ("word", "item"),
    [
        ("apps:Deployment:web", {"group": "apps", "kind": "Deployment", "name": "web"}),
        (":ConfigMap:one/settings", {"group": "", "kind": "ConfigMap", "namespace": "one", "name": "settings"}),
    ],
)
def test_a_resource_is_named_by_group_kind_and_name(word: str, item: Obj) -> None:
    assert operation.selected(word) == item


@pytest.mark.parametrize("word", ["Deployment", "apps:Deployment", "apps::web", "apps:Deployment:"])
def test_a_malformed_resource_is_wrong_usage(word: str) -> None:
    with pytest.raises(CliError) as refused:
        operation.selected(word)
    assert refused.value.code is Exit.USAGE


def test_a_rollback_goes_one_back_with_the_entrys_own_source() -> None:
    app = application(status={"history": [entry(0, "a" * 40), entry(1, "b" * 40)]})
    sync = operation.rollback_patch(app, None, "ada", prune=False)["operation"]["sync"]
    assert sync["revision"] == "a" * 40
    assert sync["source"]["path"] == "web"


def test_a_rollback_of_several_sources_names_every_revision() -> None:
    several = {"id": 4, "revisions": ["a", "b"], "sources": [{"repoURL": "r"}, {"repoURL": "s"}]}
    sync = operation.rollback_patch(application(status={"history": [several]}), 4, "ada", prune=True)["operation"][
        "sync"
    ]
    assert (sync["revisions"], sync["sources"], sync["prune"]) == (["a", "b"], several["sources"], True)


@pytest.mark.parametrize("automated", [{}, {"prune": True}, {"enabled": True}])
def test_a_rollback_is_refused_while_syncing_is_automated(automated: Obj) -> None:
    app = application(spec={"syncPolicy": {"automated": automated}}, status={"history": [entry(0, "a"), entry(1, "b")]})
    with pytest.raises(CliError, match="syncs automatically"):
        operation.rollback_patch(app, 0, "ada", prune=False)


def test_a_rollback_is_allowed_when_automation_is_switched_off() -> None:
    app = application(spec={"syncPolicy": {"automated": {"enabled": False}}}, status={"history": [entry(0, "a")]})
    assert operation.rollback_patch(app, 0, "ada", prune=False)["operation"]["sync"]["revision"] == "a"


def test_a_rollback_to_an_unknown_id_is_not_found() -> None:
    with pytest.raises(CliError) as refused:
        operation.rollback_patch(application(status={"history": [entry(0, "a")]}), 9, "ada", prune=False)
    assert refused.value.code is Exit.NOT_FOUND


@pytest.mark.parametrize(
    ("cascade", "expected"),
    [
        ("foreground", ["other", "resources-finalizer.argocd.argoproj.io"]),
        ("background", ["other", "resources-finalizer.argocd.argoproj.io/background"]),
        ("none", ["other"]),
    ],
)
def test_a_cascade_replaces_argos_finalizer_and_keeps_others(cascade: str, expected: list[str]) -> None:
    app = application()
    app["metadata"]["finalizers"] = ["resources-finalizer.argocd.argoproj.io/foreground", "other"]
    assert operation.finalizers(app, cascade) == expected
