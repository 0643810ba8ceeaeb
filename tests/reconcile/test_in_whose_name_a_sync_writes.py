"""Which ServiceAccount a sync acts as: the first rule of the project that fits the destination."""

from typing import Any

import pytest

from services.reconciler.errors import InvalidSpec
from services.reconciler.impersonation import account
from shared.kinds.appproject import AppProject

Obj = dict[str, Any]
LOCAL = "https://kubernetes.default.svc"


def chosen(rules: list[Obj], namespace: str = "web") -> str:
    project = AppProject.parse({"metadata": {"name": "team"}, "spec": {"destinationServiceAccounts": rules}})
    return account(project, LOCAL, namespace, "argocd")


def rule(server: str, namespace: str, name: str) -> Obj:
    return {"server": server, "namespace": namespace, "defaultServiceAccount": name}


RULES: list[tuple[list[Obj], str]] = [
    ([rule("*", "*", "deployer")], "web:deployer"),
    ([rule(LOCAL, "web", "one"), rule("*", "*", "two")], "web:one"),
    ([rule(LOCAL, "db", "one"), rule("https://*", "w?b", "two")], "web:two"),
    ([rule(f"{LOCAL}/", "*", "ops:deployer")], "ops:deployer"),
]


@pytest.mark.parametrize(("rules", "expected"), RULES)
def test_the_first_rule_that_fits(rules: list[Obj], expected: str) -> None:
    assert chosen(rules) == f"system:serviceaccount:{expected}"


def test_without_a_namespace_the_applications_own_counts() -> None:
    assert chosen([rule("*", "", "deployer")], "") == "system:serviceaccount:argocd:deployer"


@pytest.mark.parametrize("rules", [[], [rule("*", "db", "deployer")], [rule("https://other", "*", "deployer")]])
def test_no_rule_that_fits_fails_the_sync(rules: list[Obj]) -> None:
    with pytest.raises(InvalidSpec, match="failed to find a matching service account"):
        chosen(rules)


@pytest.mark.parametrize("name", ["", "*", "a b", "a:b:c", "Deployer", "system:serviceaccount:a:b", "../x"])
def test_a_name_that_is_none_fails_the_sync_instead_of_trying_the_next_rule(name: str) -> None:
    with pytest.raises(InvalidSpec, match="invalid chars"):
        chosen([rule("*", "*", name), rule("*", "*", "deployer")])
