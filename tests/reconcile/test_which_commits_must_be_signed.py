"""Which policy of a project a source is held against: the first that names its repository, and only that one."""

from typing import Any

import pytest

from services.reconciler.integrity import Rule, rule_for
from shared.kinds.appproject import AppProject

Obj = dict[str, Any]
REPO = {"repoURL": "https://git.example.org/team/app.git"}
KEY = "4AEE18F83AFDEB23"


def project(**spec: Any) -> AppProject:
    return AppProject.parse({"metadata": {"name": "team"}, "spec": spec})


def policy(mode: str, *urls: str) -> Obj:
    return {"repos": [{"url": url} for url in urls], "gpg": {"mode": mode, "keys": [KEY]}}


POLICIES: list[tuple[list[Obj], str | None]] = [
    ([], None),
    ([policy("head", "*")], "head"),
    ([policy("strict", "https://git.example.org/team/*")], "strict"),
    ([policy("strict", "https://GIT.example.org/team/app")], "strict"),
    ([policy("head", "https://git.example.org/*")], "head"),
    ([policy("head", "https://elsewhere/*")], None),
    ([policy("none", "*/team/*"), policy("strict", "*")], None),
    ([policy("head", "*/team/*"), policy("strict", "*")], "head"),
    ([policy("head", "*", "!https://git.example.org/team/app.git")], None),
    ([policy("head", "*", "!https://git.example.org/team/other"), policy("none", "*")], "head"),
    ([policy("head", "*", "!https://git.example.org/*")], "head"),
    ([policy("head", "!https://git.example.org/team/other")], None),
    ([{"repos": [{"url": "*"}]}], None),
]


@pytest.mark.parametrize(("policies", "mode"), POLICIES)
def test_the_first_policy_that_names_the_repository(policies: list[Obj], mode: str | None) -> None:
    found = rule_for(project(sourceIntegrity={"git": {"policies": policies}}), REPO)
    assert (found.mode if found else None) == mode


def test_the_older_signature_keys_mean_head_for_every_repository() -> None:
    assert rule_for(project(signatureKeys=[{"keyID": KEY}]), REPO) == Rule("head", (KEY,))
    assert rule_for(project(signatureKeys=[]), REPO) is None


def test_a_policy_without_keys_lets_nothing_through() -> None:
    rule = rule_for(
        project(sourceIntegrity={"git": {"policies": [{"repos": [{"url": "*"}], "gpg": {"mode": "head"}}]}}), REPO
    )
    assert rule == Rule("head", ())


@pytest.mark.parametrize("source", [REPO | {"chart": "app"}, {"repoURL": "oci://registry/app"}, {}])
def test_charts_and_artifacts_have_no_commits(source: Obj) -> None:
    assert rule_for(project(signatureKeys=[{"keyID": KEY}]), source) is None
