"""Applications are read as they are, given back as they came, and wrong ones are told what is wrong."""

import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kinds.application import Application, Destination
from shared.kinds.applicationset import ApplicationSet
from shared.kinds.appproject import AppProject
from shared.kinds.effective import (
    InvalidDestination,
    cluster_choice,
    effective_sources,
    history_limit,
    instance_of,
    project_of,
)
from shared.kinds.validation import problems
from shared.kinds.wire import InvalidObject, unknown_fields

Obj = dict[str, Any]


def application(**spec: Any) -> Obj:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "web", "namespace": "argocd", "managedFields": [{"manager": "kubectl"}]},
        "spec": {
            "project": "default",
            "source": {"repoURL": "https://git.example.org/apps.git", "path": "web", "targetRevision": "main"},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "web"},
            **spec,
        },
    }


def large(resources: int = 11) -> Obj:
    listed = [
        {
            "group": "apps",
            "version": "v1",
            "kind": "Deployment",
            "namespace": "web",
            "name": f"web-{at}",
            "status": "Synced",
        }
        for at in range(resources)
    ]
    status = {
        "resources": [one | {"health": {"status": "Healthy"}} for one in listed],
        "sync": {"status": "Synced", "revision": "abc", "comparedTo": {"source": {"repoURL": "x"}, "destination": {}}},
        "health": {"status": "Healthy"},
        "history": [{"id": at, "revision": "abc", "deployedAt": "2026-01-01T00:00:00Z"} for at in range(10)],
        "operationState": {
            "operation": {"sync": {"revision": "abc"}},
            "phase": "Succeeded",
            "syncResult": {"revision": "abc", "resources": [one | {"hookPhase": "Running"} for one in listed]},
        },
    }
    return application() | {"status": status}


def test_an_application_is_given_back_as_it_came() -> None:
    obj = large() | {"operation": {"sync": {"prune": True}, "retry": {"limit": -1}}, "future": {"a": [1]}}
    assert Application.parse(obj).to_wire() == obj


def test_fields_that_nobody_knows_are_kept_and_named() -> None:
    obj = application(sources=[{"repoURL": "x", "shiny": 1}], newThing={"deep": 1})
    app = Application.parse(obj)
    assert unknown_fields(app) == ["spec.newThing", "spec.sources[0].shiny"]
    assert app.to_wire() == obj


def test_names_are_those_of_the_wire_not_of_the_code() -> None:
    app = Application.parse(application(sources=[{"repo_url": "x"}]))
    assert app.spec.sources[0].repo_url == ""
    assert unknown_fields(app) == ["spec.sources[0].repo_url"]


def test_a_null_is_a_field_that_is_not_set() -> None:
    app = Application.parse(application(syncPolicy={"automated": None, "syncOptions": None}))
    assert app.spec.sync_policy is not None
    assert not app.spec.sync_policy.is_automated


@pytest.mark.parametrize(
    ("automated", "expected"), [({}, True), ({"enabled": True}, True), ({"enabled": False}, False), (None, False)]
)
def test_automated_unless_it_is_switched_off(automated: Obj | None, *, expected: bool) -> None:
    app = Application.parse(application(syncPolicy={"automated": automated}))
    assert app.spec.sync_policy is not None
    assert app.spec.sync_policy.is_automated is expected


def test_a_wrong_shape_is_reported_field_by_field() -> None:
    with pytest.raises(InvalidObject) as caught:
        Application.parse(application(source={"repoURL": 3, "helm": {"parameters": [{"name": ["x"]}]}}))
    assert caught.value.problems == (
        "spec.source.repoURL: input should be a valid string",
        "spec.source.helm.parameters[0].name: input should be a valid string",
    )


SPEC_PROBLEMS: list[tuple[Obj, str]] = [
    ({"destination": {}}, "Destination server missing from app spec"),
    (
        {"destination": {"server": "https://a", "name": "b"}},
        "application destination can't have both name and server defined: b https://a",
    ),
    (
        {"source": {"repoURL": "https://x"}},
        "spec.source.repoURL and either spec.source.path or spec.source.chart are required",
    ),
    ({"source": None}, "spec.source.repoURL and either spec.source.path or spec.source.chart are required"),
    (
        {"source": {"repoURL": "https://x", "chart": "c"}},
        "spec.source.targetRevision is required if the manifest source is a helm chart",
    ),
    (
        {"source": {"repoURL": "https://x", "path": "../up"}},
        "spec.source.path '../up' leaves the repository: '..' is not allowed",
    ),
    (
        {"source": {"repoURL": "https://x", "path": "/abs"}},
        "spec.source.path '/abs' is absolute: write it relative to the root of the repository",
    ),
    (
        {"source": {"repoURL": "https://x", "path": "a", "helm": {}, "directory": {}}},
        "spec.source has options of several tools (helm, directory): keep those of one",
    ),
    (
        {"sources": [{"repoURL": "https://x"}]},
        (
            "spec.sources[0].repoURL and either spec.sources[0].path, spec.sources[0].chart or spec.sources[0].ref "
            "are required"
        ),
    ),
    (
        {"sources": [{"repoURL": "https://x", "ref": "v"}, {"repoURL": "https://y", "ref": "v"}]},
        "spec.sources: the ref 'v' is used by several sources; refs must be unique",
    ),
]


@pytest.mark.parametrize(("spec", "problem"), SPEC_PROBLEMS)
def test_a_spec_that_cannot_work_says_why(spec: Obj, problem: str) -> None:
    assert problem in problems(Application.parse(application(**spec)))


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"source": {"repoURL": "oci://ghcr.io/org/app", "targetRevision": "1.*"}},
        {"sources": [{"repoURL": "https://x", "ref": "values"}, {"repoURL": "https://y", "path": "."}]},
        {"destination": {"name": "in-cluster", "namespace": "web"}},
    ],
)
def test_a_spec_that_works_has_no_problems(spec: Obj) -> None:
    assert problems(Application.parse(application(**spec))) == []


def test_the_hydrator_goes_before_sources_and_these_before_source() -> None:
    plain = application()
    several = application(sources=[{"repoURL": "https://s", "path": "p"}])
    hydrated = application(
        sourceHydrator={
            "drySource": {"repoURL": "https://dry", "targetRevision": "HEAD", "path": "in"},
            "syncSource": {"targetBranch": "env/prod", "path": "out"},
        }
    )
    urls = [
        [(source.repo_url, source.path) for source in effective_sources(Application.parse(one))]
        for one in (plain, several, hydrated)
    ]
    assert urls == [[("https://git.example.org/apps.git", "web")], [("https://s", "p")], [("https://dry", "out")]]


def test_an_application_elsewhere_is_named_with_its_namespace() -> None:
    app = Application.parse(application())
    assert instance_of(app, "argocd") == "web"
    assert instance_of(app, "tiphys") == "argocd_web"
    assert project_of(Application.parse({"spec": {}})) == "default"


@pytest.mark.parametrize(("limit", "kept"), [(None, 10), (0, 0), (3, 3), (-1, 0)])
def test_how_much_history_is_kept(limit: int | None, kept: int) -> None:
    assert history_limit(Application.parse(application(revisionHistoryLimit=limit))) == kept


def test_a_destination_names_its_cluster_in_one_way() -> None:
    assert cluster_choice(Destination(server="https://a/")) == ("server", "https://a")
    assert cluster_choice(Destination(name="b")) == ("name", "b")
    with pytest.raises(InvalidDestination):
        cluster_choice(Destination())


def test_5000_applications_are_read_within_two_seconds() -> None:
    obj = large()
    Application.parse(obj)
    start = time.process_time()
    for _ in range(1000):
        Application.parse(obj)
    assert time.process_time() - start < 2.0 / 5 * 2  # twice the goal: machines differ


def test_projects_and_sets_are_given_back_as_they_came() -> None:
    project = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": {"name": "p"},
        "spec": {"sourceRepos": ["*"], "roles": [{"name": "r", "jwtTokens": [{"iat": 1}]}], "x": 1},
    }
    assert AppProject.parse(project).to_wire() == project
    made = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "ApplicationSet",
        "metadata": {"name": "s"},
        "spec": {
            "generators": [{"list": {"elements": [{"a": 1}]}}],
            "template": {"metadata": {"name": "{{a}}"}, "spec": {"project": "{{p}}"}},
            "strategy": {"rollingSync": {"steps": [{"maxUpdate": "10%"}, {"maxUpdate": 1}]}},
        },
    }
    assert ApplicationSet.parse(made).to_wire() == made


JSON = st.recursive(
    st.booleans() | st.integers(-9, 9) | st.text("ab", max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["name", "x", "repoURL"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["source", "sources", "project", "syncPolicy", "info", "extra"]), JSON))
def test_any_spec_is_read_faithfully_or_refused_with_reasons(spec: Obj) -> None:
    with suppress(InvalidObject):
        app = Application.parse({"spec": spec})
        assert Application.parse(app.to_wire()) == app
