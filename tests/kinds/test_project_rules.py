"""What a project permits. Argo CD's rules: globs, `!` denies, a denial wins over any permission.

Destinations are not tried in all combinations of server and name with `!`: each alone, and the namespace with both.
"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kinds.appproject import AppProject
from shared.kinds.globs import agrees, matches, matches_name
from shared.kinds.project import (
    default_project,
    permitted_destination,
    permitted_resource,
    permitted_source,
    permitted_source_namespace,
    with_global_projects,
)
from shared.kinds.refs import GroupKind

Obj = dict[str, Any]
LOCAL = "https://kubernetes.default.svc"


def project(**spec: Any) -> AppProject:
    return AppProject.parse({"metadata": {"name": "team"}, "spec": spec})


GLOBS = [
    ("*", "", "any/thing", True),
    ("https://git/*", "/", "https://git/a", True),
    ("https://git/*", "/", "https://git/a/b", False),
    ("https://git/**", "/", "https://git/a/b", True),
    ("team-?", "", "team-a", True),
    ("team-[a-c]", "", "team-d", False),
    ("team-[!a-c]", "", "team-d", True),
    ("{dev,test}-*", "", "test-1", True),
    ("a.c", "", "abc", False),
    ("a\\*", "", "a*", True),
    ("a\\*", "", "ab", False),
    ("", "", "", True),
    ("", "", "a", False),
    ("[", "", "[", False),
    ("a{b", "", "ab", False),
    ("{a,{b,c}*}d", "", "bxd", True),
    ("{a,{b,c}*}d", "", "axd", False),
    ("x{,-y}", "", "x", True),
    ("a,b}", "", "a,b}", True),
    ("*a*b", "", "xaab", True),
    ("**a*b", "/", "xa/yab", True),
    ("*a*a*a*a*a*a*a*a*a*a*a*a*a*b", "", "a" * 500, False),
]


@pytest.mark.parametrize(("pattern", "separators", "text", "expected"), GLOBS)
def test_globs_match_as_argo_cd_matches(pattern: str, separators: str, text: str, *, expected: bool) -> None:
    assert matches(pattern, text, separators) is expected


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_pattern_fails_and_a_denial_is_its_opposite(pattern: str, text: str) -> None:
    assert agrees(f"!{pattern}", text) is not matches(pattern, text)


@given(st.text(max_size=20))
def test_a_star_matches_everything(text: str) -> None:
    assert matches("*", text)
    assert matches("**", text, "/")


def test_names_may_be_matched_by_regular_expressions() -> None:
    assert matches_name(["/^team-[0-9]+$/"], "team-12")
    assert not matches_name(["/^team-[0-9]+$/", "/(/"], "team-x")


SOURCES: list[tuple[list[str], str, bool]] = [
    (["*"], "https://git.example.org/a/b.git", True),
    ([], "https://git.example.org/a", False),
    (["https://git.example.org/org/*"], "https://git.example.org/org/app.git", True),
    (["https://git.example.org/org/*"], "https://GIT.example.org/Org/app", True),
    (["https://git.example.org/org/*"], "https://git.example.org/org/deep/app", False),
    (["https://git.example.org/org/app.git"], "https://git.example.org/org/app", True),
    (["git@git.example.org:org/*"], "ssh://git@git.example.org/org/app.git", True),
    (["*", "!https://git.example.org/secret/*"], "https://git.example.org/secret/app", False),
    (["!https://git.example.org/secret/*", "*"], "https://git.example.org/open/app", True),
    (["!https://git.example.org/secret/*"], "https://git.example.org/open/app", False),
    (["https://charts.example.org"], "https://charts.example.org/", True),
]


@pytest.mark.parametrize(("rules", "url", "expected"), SOURCES)
def test_sources(rules: list[str], url: str, *, expected: bool) -> None:
    assert permitted_source(project(sourceRepos=rules), url) is expected


ANY = {"server": "*", "namespace": "*"}
DESTINATIONS: list[tuple[list[Obj], Obj, bool]] = [
    ([], {"server": LOCAL, "namespace": "web"}, False),
    ([ANY], {"server": LOCAL, "namespace": "web"}, True),
    ([{"server": LOCAL, "namespace": "web-*"}], {"server": LOCAL, "namespace": "web-1"}, True),
    ([{"server": LOCAL, "namespace": "web-*"}], {"server": LOCAL, "namespace": "db"}, False),
    ([{"server": LOCAL, "namespace": "*"}], {"server": "https://other", "namespace": "web"}, False),
    ([{"name": "prod-*", "namespace": "*"}], {"server": "https://p", "name": "prod-eu", "namespace": "web"}, True),
    ([ANY, {"server": LOCAL, "namespace": "!kube-system"}], {"server": LOCAL, "namespace": "kube-system"}, False),
    ([ANY, {"server": LOCAL, "namespace": "!kube-system"}], {"server": LOCAL, "namespace": "web"}, True),
    ([ANY, {"server": f"!{LOCAL}", "namespace": "*"}], {"server": LOCAL, "namespace": "web"}, False),
    ([ANY, {"server": f"!{LOCAL}", "namespace": "*"}], {"server": "https://other", "namespace": "web"}, True),
    ([ANY, {"name": "!prod", "namespace": "*"}], {"server": "https://p", "name": "prod", "namespace": "web"}, False),
    ([ANY, {"server": f"!{LOCAL}", "namespace": "team-*"}], {"server": LOCAL, "namespace": "web"}, True),
    ([{"server": LOCAL, "namespace": ""}], {"server": LOCAL, "namespace": ""}, True),
    ([{"server": f"{LOCAL}/", "namespace": "*"}], {"server": LOCAL, "namespace": "web"}, True),
]


@pytest.mark.parametrize(("rules", "wanted", "expected"), DESTINATIONS)
def test_destinations(rules: list[Obj], wanted: Obj, *, expected: bool) -> None:
    assert permitted_destination(project(destinations=rules), **wanted) is expected


def test_only_the_projects_own_clusters_where_it_says_so() -> None:
    strict = project(destinations=[ANY], permitOnlyProjectScopedClusters=True)
    assert not permitted_destination(strict, server=LOCAL, namespace="web")
    assert permitted_destination(strict, server=LOCAL, namespace="web", cluster_project="team")


ROLE = {"group": "rbac.authorization.k8s.io", "kind": "ClusterRole"}
KINDS: list[tuple[Obj, GroupKind, str, bool, bool]] = [
    ({}, GroupKind("", "ConfigMap"), "a", True, True),
    ({}, GroupKind("", "Namespace"), "a", False, False),
    ({"namespaceResourceWhitelist": []}, GroupKind("", "ConfigMap"), "a", True, False),
    (
        {"namespaceResourceWhitelist": [{"group": "apps", "kind": "*"}]},
        GroupKind("apps", "Deployment"),
        "a",
        True,
        True,
    ),
    ({"namespaceResourceWhitelist": [{"group": "apps", "kind": "*"}]}, GroupKind("", "Secret"), "a", True, False),
    ({"namespaceResourceBlacklist": [{"group": "", "kind": "Secret"}]}, GroupKind("", "Secret"), "a", True, False),
    ({"clusterResourceWhitelist": [ROLE]}, GroupKind(ROLE["group"], "ClusterRole"), "a", False, True),
    ({"clusterResourceWhitelist": [ROLE | {"name": "team-*"}]}, GroupKind(*ROLE.values()), "team-a", False, True),
    ({"clusterResourceWhitelist": [ROLE | {"name": "team-*"}]}, GroupKind(*ROLE.values()), "admin", False, False),
    (
        {"clusterResourceWhitelist": [{"group": "*", "kind": "*"}], "clusterResourceBlacklist": [ROLE]},
        GroupKind(*ROLE.values()),
        "a",
        False,
        False,
    ),
]


@pytest.mark.parametrize(("spec", "kind", "name", "namespaced", "expected"), KINDS)
def test_kinds(spec: Obj, kind: GroupKind, name: str, *, namespaced: bool, expected: bool) -> None:
    assert permitted_resource(project(**spec), kind, name=name, namespaced=namespaced) is expected


def test_applications_in_other_namespaces_need_the_projects_word() -> None:
    assert permitted_source_namespace(project(sourceNamespaces=["team-*"]), "team-a")
    assert not permitted_source_namespace(project(), "team-a")


def test_the_default_project_permits_everything_in_argos_namespace() -> None:
    found = default_project("argocd")
    assert permitted_source(found, "https://any/thing/at/all")
    assert permitted_destination(found, server="https://any", namespace="any")
    assert permitted_resource(found, GroupKind("", "Namespace"), name="a", namespaced=False)
    assert not permitted_source_namespace(found, "elsewhere")


def test_global_projects_add_their_rules() -> None:
    both = with_global_projects(
        project(sourceRepos=["https://a/*"]),
        [project(sourceRepos=["https://b/*"], namespaceResourceBlacklist=[{"group": "", "kind": "Secret"}])],
    )
    assert permitted_source(both, "https://b/x")
    assert not permitted_resource(both, GroupKind("", "Secret"), namespaced=True)


@given(st.lists(st.sampled_from(["*", "https://a/*", "!https://a/x", "https://a/x"]), max_size=4))
def test_a_denial_wins_whatever_the_order(rules: list[str]) -> None:
    permitted = permitted_source(project(sourceRepos=rules), "https://a/x")
    assert permitted == permitted_source(project(sourceRepos=rules[::-1]), "https://a/x")
    if "!https://a/x" in rules:
        assert not permitted


PLACES = st.fixed_dictionaries(
    {
        "server": st.sampled_from(["*", LOCAL, f"!{LOCAL}", "https://other"]),
        "namespace": st.sampled_from(["*", "web", "!web", "w*", "db", "!db"]),
    }
)


@given(st.lists(PLACES, max_size=4))
def test_the_order_of_destinations_means_nothing(rules: list[Obj]) -> None:
    wanted = {"server": LOCAL, "namespace": "web"}
    assert permitted_destination(project(destinations=rules), **wanted) == permitted_destination(
        project(destinations=rules[::-1]), **wanted
    )


@given(st.lists(PLACES, max_size=4))
def test_a_denied_namespace_is_denied_whatever_else_is_permitted(rules: list[Obj]) -> None:
    denied = [*rules, {"server": LOCAL, "namespace": "!web"}]
    assert not permitted_destination(project(destinations=denied), server=LOCAL, namespace="web")


RULES = st.lists(
    st.fixed_dictionaries(
        {"group": st.sampled_from(["", "*", "apps"]), "kind": st.sampled_from(["Secret", "*", "S*"])}
    ),
    max_size=3,
)


@given(white=RULES, black=RULES, wide=st.booleans())
def test_a_blacklisted_kind_is_denied_whatever_the_whitelist_says(
    *, white: list[Obj], black: list[Obj], wide: bool
) -> None:
    scope = "cluster" if wide else "namespace"
    spec = {f"{scope}ResourceWhitelist": white, f"{scope}ResourceBlacklist": [*black, {"group": "", "kind": "Secret"}]}
    assert not permitted_resource(project(**spec), GroupKind("", "Secret"), name="a", namespaced=not wide)


@given(RULES, RULES)
def test_what_a_global_project_denies_no_project_permits(own: list[Obj], denied: list[Obj]) -> None:
    everybody = project(namespaceResourceBlacklist=denied)
    team = project(namespaceResourceWhitelist=own)
    for kind in (GroupKind("", "Secret"), GroupKind("apps", "Set")):
        if not permitted_resource(everybody, kind, namespaced=True):
            assert not permitted_resource(with_global_projects(team, [everybody]), kind, namespaced=True)
