"""What makes an AppProject invalid: every problem is named, and what Argo CD takes is taken.

Sync windows are checked where they are evaluated (shared/kinds/windows.py), not here.
"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kinds.appproject import AppProject
from shared.kinds.labels import InvalidSelector, selects
from shared.kinds.policies import policy_problems
from shared.kinds.project import permitted_source
from shared.kinds.projectvalidation import problems

Obj = dict[str, Any]


def found(**spec: Any) -> str:
    return "\n".join(problems(AppProject.parse({"metadata": {"name": "team"}, "spec": spec})))


GOOD: list[Obj] = [
    {},
    {"sourceRepos": ["*", "!https://git/secret/*"], "destinations": [{"server": "*", "namespace": "!kube-system"}]},
    {"sourceNamespaces": ["team-*", "/^t-[0-9]+$/"]},
    {"destinations": [{"server": "a", "namespace": "x"}, {"server": "a", "namespace": "y"}]},
    {
        "roles": [
            {"name": "dev", "policies": ["p, proj:team:dev, applications, sync, team/*, allow"], "groups": ["org:dev"]}
        ]
    },
    {"roles": [{"name": "ci", "jwtTokens": [{"iat": 1, "id": "a"}, {"iat": 2, "id": "b"}]}]},
    {"signatureKeys": [{"keyID": "4AEE18F83AFDEB23"}]},
    {"destinationServiceAccounts": [{"server": "*", "namespace": "*", "defaultServiceAccount": "ops:deployer"}]},
    {"sourceIntegrity": {"git": {"policies": [{"repos": [{"url": "*"}], "gpg": {"mode": "none"}}]}}},
    {"sourceIntegrity": {"git": {"policies": [{"repos": [{"url": "*"}], "gpg": {"mode": "head"}}]}}},
    {"signatureKeys": [{"keyID": f"SHA256:{'a' * 43}"}]},
]


@pytest.mark.parametrize("spec", GOOD)
def test_what_argo_cd_takes_is_valid(spec: Obj) -> None:
    assert not found(**spec)


POLICY = {"repos": [{"url": "*"}], "gpg": {"mode": "head", "keys": ["4AEE18F83AFDEB23"]}}
BAD: list[tuple[Obj, str]] = [
    ({"sourceRepos": ["!*"]}, "denies everything"),
    ({"sourceRepos": ["!https://git/[secret"]}, "can't be read"),
    ({"sourceRepos": ["*", "*"]}, "there twice"),
    ({"destinations": [{"server": "a", "namespace": "x"}] * 2}, "'a/x' is there twice"),
    ({"destinations": [{"server": "*", "namespace": "!{a"}]}, "'!{a' can't be read"),
    ({"namespaceResourceBlacklist": [{"group": "", "kind": "Sec[ret"}]}, "spec.namespaceResourceBlacklist"),
    ({"sourceNamespaces": ["a", "a"]}, "spec.sourceNamespaces"),
    ({"sourceNamespaces": ["/(/"]}, "'/(/' can't be read"),
    ({"roles": [{"name": "dev"}, {"name": "dev"}]}, "unique"),
    ({"roles": [{"name": "-dev"}]}, "a letter or digit"),
    ({"roles": [{"name": "dev", "groups": [" a"]}]}, "white space"),
    ({"roles": [{"name": "dev", "jwtTokens": [{"iat": 1}, {"iat": 1}]}]}, "token '1' twice"),
    ({"signatureKeys": [{"keyID": "nonsense"}]}, "neither the ID of a GPG key"),
    ({"destinationServiceAccounts": [{"server": "*", "namespace": "*", "defaultServiceAccount": "a*"}]}, "'a*'"),
    ({"destinationServiceAccounts": [{"server": "*", "namespace": "*"}]}, "no ServiceAccount"),
    ({"sourceIntegrity": {"git": {"policies": [{**POLICY, "repos": []}]}}}, "repos is empty"),
    ({"sourceIntegrity": {"git": {"policies": [{**POLICY, "gpg": {"mode": "heads"}}]}}}, "must be one of none"),
    (
        {"sourceIntegrity": {"git": {"policies": [POLICY]}}, "signatureKeys": [{"keyID": "4AEE18F83AFDEB23"}]},
        "exclude each other",
    ),
]


@pytest.mark.parametrize(("spec", "words"), BAD)
def test_a_problem_is_named(spec: Obj, words: str) -> None:
    assert words in found(**spec)


def test_every_problem_is_named_at_once() -> None:
    told = found(sourceRepos=["!*"], roles=[{"name": "_"}], signatureKeys=[{"keyID": "x"}])
    assert told.count("\n") == 2


POLICIES: list[tuple[str, str]] = [
    ("p, proj:team:dev, applications, *, team/*, allow", ""),
    ("p,proj:team:dev,applications,action/apps/Deployment/restart,team/ns/web,deny", ""),
    ("p, proj:team:dev, logs, get, team/web-*, allow", ""),
    ("p, proj:team:dev, applications, sync, other/*, allow", "its object must be team/"),
    ("p, proj:team:dev, applications, sync, *, allow", "its object must be team/"),
    ("p, proj:team:dev, applications, sync, team/../x/y, allow", "its object must be team/"),
    ("p, proj:other:dev, applications, sync, team/*, allow", "its subject must be proj:team:dev"),
    ("p, role:admin, applications, sync, team/*, allow", "its subject must be proj:team:dev"),
    ("p, proj:team:dev, projects, update, team/*, allow", "its resource must be one of"),
    ("p, proj:team:dev, applications, destroy, team/*, allow", "its action must be one of"),
    ("p, proj:team:dev, applications, sync, team/*, maybe", "its effect must be"),
    ("g, somebody, role:admin", "it must have the form"),
    ("p, proj:team:dev, applications, sync, team/*, allow\np, role:x, *, *, *, allow", "it must have the form"),
]


@pytest.mark.parametrize(("policy", "words"), POLICIES)
def test_a_project_speaks_only_about_itself(policy: str, words: str) -> None:
    told = "; ".join(policy_problems("team", "dev", policy))
    assert (words in told) if words else (told == "")


@given(st.text(max_size=12), st.text(max_size=12))
def test_a_pattern_that_denies_nothing_by_mistake_is_a_problem(pattern: str, url: str) -> None:
    """Whatever is written after `!`: either it is refused, or it denies what it matches."""
    spec = {"sourceRepos": ["*", f"!{pattern}"]}
    project = AppProject.parse({"metadata": {"name": "team"}, "spec": spec})
    if not problems(project) and pattern == url and pattern.isalnum():
        assert not permitted_source(project, url)


SELECTORS: list[tuple[Obj, bool]] = [
    ({}, True),
    ({"matchLabels": {"env": "prod"}}, True),
    ({"matchLabels": {"env": "test"}}, False),
    ({"matchExpressions": [{"key": "env", "operator": "In", "values": ["prod", "test"]}]}, True),
    ({"matchExpressions": [{"key": "env", "operator": "NotIn", "values": ["prod"]}]}, False),
    ({"matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["a"]}]}, True),
    ({"matchExpressions": [{"key": "env", "operator": "Exists"}]}, True),
    ({"matchExpressions": [{"key": "team", "operator": "DoesNotExist"}], "matchLabels": {"env": "prod"}}, True),
]


@pytest.mark.parametrize(("selector", "expected"), SELECTORS)
def test_label_selectors(selector: Obj, *, expected: bool) -> None:
    assert selects(selector, {"env": "prod"}) is expected


@pytest.mark.parametrize(
    "selector",
    [
        {"matchLables": {}},
        {"matchExpressions": [{"operator": "Exists"}]},
        {"matchExpressions": [{"key": "a", "operator": "In"}]},
        {"matchExpressions": [{"key": "a", "operator": "Like", "values": ["b"]}]},
    ],
)
def test_a_selector_that_means_nothing_selects_nothing_silently(selector: Obj) -> None:
    with pytest.raises(InvalidSelector):
        selects(selector, {})
