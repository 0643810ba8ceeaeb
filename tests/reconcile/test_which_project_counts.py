"""The project that counts for an Application: its own, with what it inherits; an invalid one permits nothing."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.reconciler.projects import Projects, read_project
from shared.kinds.appnamespaces import AppNamespaces
from shared.kinds.project import permitted_resource, permitted_source
from shared.kinds.refs import GroupKind
from shared.kinds.settings import GlobalProject

Obj = dict[str, Any]
PROD = GlobalProject("everybody", {"matchLabels": {"env": "prod"}})


def project(name: str, labels: dict[str, str] | None = None, **spec: Any) -> Obj:
    return {"metadata": {"name": name, "labels": labels or {}}, "spec": spec}


def projects(*objects: Obj, rules: tuple[GlobalProject, ...] = (PROD,)) -> Projects:
    known = Projects()
    for obj in objects:
        known.put(obj["metadata"]["name"], read_project(obj))
    known.set_global(rules)
    return known


def test_a_selected_project_inherits() -> None:
    everybody = project(
        "everybody", sourceRepos=["https://b/*"], namespaceResourceBlacklist=[{"group": "", "kind": "Secret"}]
    )
    team = project("team", {"env": "prod"}, sourceRepos=["https://a/*"])
    known = projects(team, everybody).get("team")
    assert known
    assert not known.problems
    assert permitted_source(known.project, "https://b/x")
    assert not permitted_resource(known.project, GroupKind("", "Secret"), namespaced=True)


def test_others_do_not() -> None:
    known = projects(project("team"), project("everybody", sourceRepos=["*"])).get("team")
    assert known
    assert not permitted_source(known.project, "https://b/x")


def test_a_change_of_the_global_project_counts_at_once() -> None:
    known = projects(project("team", {"env": "prod"}), project("everybody"))
    assert (before := known.get("team"))
    assert not permitted_source(before.project, "https://b/x")
    known.put("everybody", read_project(project("everybody", sourceRepos=["*"])))
    assert (after := known.get("team"))
    assert permitted_source(after.project, "https://b/x")


def test_a_denial_that_cannot_be_inherited_is_a_problem() -> None:
    broken = project("everybody", namespaceResourceBlacklist=[{"group": "", "kind": "Sec[ret"}])
    known = projects(project("team", {"env": "prod"}), broken).get("team")
    assert known
    assert any("everybody" in problem for problem in known.problems)


def test_a_selector_that_cannot_be_read_is_a_problem() -> None:
    known = projects(project("team"), project("everybody"), rules=(GlobalProject("everybody", {"x": 1}),)).get("team")
    assert known
    assert "globalProjects" in known.problems[0]


def test_an_object_that_is_no_project_is_known_as_broken_not_as_missing() -> None:
    known = read_project({"metadata": {"name": "team"}, "spec": {"sourceRepos": "*"}})
    assert known.problems
    assert not permitted_source(known.project, "https://b/x")


def test_applications_count_in_their_own_namespace_and_in_those_that_are_listed() -> None:
    only = AppNamespaces.read("argocd", "", "argocd")
    assert only.watched == "argocd"
    assert not only.includes("team-a")
    more = AppNamespaces.read("argocd", "team-*, /^x[0-9]$/", "extra")
    assert more.watched is None
    assert [name for name in ("argocd", "team-a", "x1", "x12", "extra", "other") if more.includes(name)] == [
        "argocd",
        "team-a",
        "x1",
        "extra",
    ]


@given(st.lists(st.text(alphabet="ab*-/[", max_size=5), max_size=4), st.text(alphabet="ab-", min_size=1, max_size=6))
def test_whatever_is_listed_our_own_namespace_counts(listed: list[str], namespace: str) -> None:
    found = AppNamespaces.read("argocd", ",".join(listed))
    assert found.includes("argocd")
    assert found.watched is None or not found.includes(namespace)
