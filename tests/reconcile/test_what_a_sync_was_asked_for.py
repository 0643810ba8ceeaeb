"""`operation` as people and Argo CD write it, and the operation that the policy writes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reconciler.request import automated, from_operation
from services.reconciler.ways import way_of
from shared.kinds.refs import ResourceKey

Obj = dict[str, Any]
HERE, THERE = ResourceKey("apps", "Deployment", "here", "web"), ResourceKey("apps", "Deployment", "there", "web")
SPEC: Obj = {"source": {}, "syncPolicy": {"syncOptions": ["CreateNamespace=true", "Replace=true"], "automated": {}}}


def asked(spec: Obj | None = None, **sync: Any) -> Any:
    return from_operation({"sync": sync}, spec or {})


def test_options_of_the_operation_win_over_those_of_the_application() -> None:
    request = asked(SPEC, syncOptions=["Replace=false", "Validate=false"])
    assert request.options == {"CreateNamespace": "true", "Replace": "false", "Validate": "false"}


@pytest.mark.parametrize(
    ("strategy", "hooks", "force"),
    [
        ({}, True, False),
        ({"hook": {}}, True, False),
        ({"hook": {"force": True}}, True, True),
        ({"apply": {}}, False, False),
        ({"apply": {"force": True}}, False, True),
    ],
)
def test_strategies(strategy: Obj, hooks: bool, force: bool) -> None:
    request = asked(syncStrategy=strategy)
    assert (request.without_hooks, request.force) == (not hooks, force)


def test_a_resource_without_a_namespace_means_every_namesake() -> None:
    named = {"group": "apps", "kind": "Deployment", "name": "web"}
    assert [asked(resources=[named]).selects(key) for key in (HERE, THERE)] == [True, True]
    assert [asked(resources=[{**named, "namespace": "here"}]).selects(key) for key in (HERE, THERE)] == [True, False]
    assert asked().selects(HERE)


def test_healing_names_the_namespace() -> None:
    request = automated(SPEC, ("abc",), (HERE,), 3)
    assert [request.selects(key) for key in (HERE, THERE)] == [True, False]
    assert request.operation["sync"]["autoHealAttemptsCount"] == 3
    assert request.automated


@given(st.integers(-1, 10), st.integers(0, 1000), st.integers(1, 100), st.integers(1, 5))
def test_pauses_grow_up_to_the_longest(limit: int, attempt: int, seconds: int, factor: int) -> None:
    backoff = {"duration": f"{seconds}s", "factor": factor, "maxDuration": "1m"}
    request = from_operation({"sync": {}, "retry": {"limit": limit, "backoff": backoff}}, {})
    assert 0 < request.pause(attempt) <= request.pause(attempt + 1) <= 60
    assert request.retries(attempt) is (limit < 0 or attempt < limit)


@pytest.mark.parametrize(
    ("own", "options", "force", "replace", "recreate"),
    [
        ("", ["Replace=true"], False, True, False),
        ("Replace=false", ["Replace=true"], False, False, False),
        ("Force=true", [], False, False, True),
        ("Force=false", ["Force=true"], False, False, False),
        ("Force=true,Replace=true", [], False, True, True),
        ("", [], True, False, True),
    ],
)
def test_the_objects_own_options_decide_the_way(
    own: str, options: list[str], force: bool, replace: bool, recreate: bool
) -> None:
    annotations = {"argocd.argoproj.io/sync-options": own}
    obj: Obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "annotations": annotations}}
    way = way_of(obj, options, force=force)
    assert (way.replace, way.recreate) == (replace, recreate)
    assert not way_of({**obj, "kind": "Namespace"}, options, force=force).recreate
