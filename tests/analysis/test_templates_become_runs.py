"""From a Rollout's analysis and its templates to an AnalysisRun: nesting, arguments, what can't be."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.rollout_manager.analysis import InvalidAnalysis, Phase, RunRequest, RunType
from services.rollout_manager.analysis.arguments import filled, redacted
from services.rollout_manager.analysis.nodata import ON_NO_DATA, read
from services.rollout_manager.analysis.request import build_run, endless, field, needed
from services.rollout_manager.keys import Ref
from services.rollout_manager.observe import waited_for
from shared.kinds.rollout import Rollout
from shared.kinds.strategy import RolloutAnalysis
from tests.rollout.rollouts import rollout

Obj = dict[str, Any]
ROLLOUT: Obj = {
    "metadata": {"name": "web", "namespace": "test", "uid": "u", "labels": {"a.b/c": "label"}},
    "spec": {"replicas": 3, "paused": True},
    "status": {"canary": {"weights": {"canary": {"weight": 20}}}},
}


def ref(name: str, cluster: bool = False) -> Ref:
    return Ref(
        "argoproj.io", "ClusterAnalysisTemplate" if cluster else "AnalysisTemplate", "" if cluster else "test", name
    )


def metric(name: str) -> Obj:
    return {"name": name, "provider": {"web": {"url": "http://example.org/{{args.path}}"}}}


def template(*metrics: str, **spec: Any) -> Obj:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "X",
        "spec": {"metrics": [metric(one) for one in metrics], **spec},
    }


def analysis(*names: str, **fields: Any) -> RolloutAnalysis:
    return RolloutAnalysis.parse({"templates": [{"templateName": name} for name in names], **fields})


def run(wanted: RolloutAnalysis, templates: dict[Ref, Obj]) -> Obj:
    request = RunRequest(
        "web-hash-2", RunType.STEP, wanted, "stablehash", "newhash", {"rollout-type": "Step"}, {"r": "2"}
    )
    return build_run(ROLLOUT, request, dict(templates))


def test_nested_templates_are_asked_for_until_all_are_known() -> None:
    known: dict[Ref, Obj | None] = {}
    more = [{"templateName": "b"}, {"templateName": "c", "clusterScope": True}]
    objects = {
        ref("a"): template("a", templates=more),
        ref("b"): template("b", templates=[{"templateName": "a"}]),
        ref("c", cluster=True): template("c"),
    }
    asked = []
    while refs := needed(analysis("a"), "test", known):
        asked.append(set(refs))
        known |= {one: objects[one] for one in refs}
    assert asked == [{ref("a")}, {ref("b"), ref("c", cluster=True)}]


def test_a_run_carries_metrics_arguments_and_names() -> None:
    defaults = [
        {"name": "path"},
        {"name": "weight"},
        {"name": "token", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
    ]
    given = [
        {"name": "path", "valueFrom": {"podTemplateHashValue": "Latest"}},
        {"name": "weight", "valueFrom": {"fieldRef": {"fieldPath": "status.canary.weights.canary.weight"}}},
        {"name": "unknown", "value": "x"},
    ]
    made = run(
        analysis("a", args=given, analysisRunMetadata={"labels": {"team": "x"}}, dryRun=[{"metricName": "a"}]),
        {ref("a"): template("a", args=defaults)},
    )
    assert made["metadata"]["labels"] == {"team": "x", "rollout-type": "Step"}
    assert made["metadata"]["ownerReferences"][0] | {} == {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "name": "web",
        "uid": "u",
        "controller": True,
        "blockOwnerDeletion": True,
    }
    assert [one["name"] for one in made["spec"]["metrics"]] == ["a"]
    assert made["spec"]["args"] == [
        {"name": "path", "value": "newhash"},
        {"name": "weight", "value": "20"},
        defaults[2],
    ]
    assert made["spec"]["dryRun"] == [{"metricName": "a"}]
    rules = [{"metricName": "a", "limit": 3}]
    stable = [{"name": "path", "valueFrom": {"podTemplateHashValue": "Stable"}}, given[1]]
    about = {"annotations": {"why": "test"}}
    wanted = analysis("a", args=stable, measurementRetention=rules, analysisRunMetadata=about)
    again = run(wanted, {ref("a"): template("a", args=defaults)})
    assert (again["spec"]["measurementRetention"], again["spec"]["args"][0]["value"]) == (rules, "stablehash")
    assert again["metadata"]["annotations"] == {"why": "test", "r": "2"}


@pytest.mark.parametrize(
    ("wanted", "templates", "words"),
    [
        (analysis("a"), {}, "AnalysisTemplate 'a' not found"),
        (analysis("a"), {ref("a"): template("a", templates=[{"templateName": "a"}])}, "names itself: a -> a"),
        (
            analysis("a"),
            {
                ref("a"): template("a", templates=[{"templateName": "b"}]),
                ref("b"): template("b", templates=[{"templateName": "a"}]),
            },
            "names itself: a -> b -> a",
        ),
        (analysis("a", "b"), {ref("a"): template("m"), ref("b"): template("m")}, "two metrics have the same name 'm'"),
        (analysis("a"), {ref("a"): template()}, "no metrics specified"),
        (analysis("a"), {ref("a"): template("m", args=[{"name": "x"}])}, "args.x was not resolved"),
        (
            analysis("a", "b"),
            {
                ref("a"): template("m", args=[{"name": "x", "value": "1"}]),
                ref("b"): template("n", args=[{"name": "x", "value": "2"}]),
            },
            "specified multiple times with different values",
        ),
        (
            analysis("a", args=[{"name": "x", "valueFrom": {"fieldRef": {"fieldPath": "status.nothing"}}}]),
            {ref("a"): template("m")},
            "the Rollout has no value at 'status.nothing'",
        ),
        (analysis("a"), {ref("a"): {"spec": {"metrics": "many"}}}, "metrics"),
    ],
)
def test_what_can_not_be_run_is_said(wanted: RolloutAnalysis, templates: dict[Ref, Obj], words: str) -> None:
    with pytest.raises(InvalidAnalysis, match=words):
        run(wanted, templates)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("metadata.labels['a.b/c']", "label"),
        ("metadata.labels", {"a.b/c": "label"}),
        ("spec.replicas", 3),
        ("spec.nothing.more", None),
        ("", ROLLOUT),
        ("metadata.name.deeper", None),
    ],
)
def test_fields_of_the_rollout_are_found(path: str, expected: Any) -> None:
    assert field(ROLLOUT, path) == expected


TEXTS = st.text(max_size=20)


@given(st.dictionaries(st.sampled_from("abc"), TEXTS, min_size=3), st.lists(st.sampled_from("abc"), max_size=5))
def test_values_fill_their_places_and_change_nothing_else(args: dict[str, str], places: list[str]) -> None:
    value = {"x": [f"<{{{{args.{name}}}}}>" for name in places], "n": 1, "t": True, "none": None}
    expected = {"x": [f"<{args[name]}>" for name in places], "n": 1, "t": True, "none": None}
    assert filled(value, args) == expected


def test_a_value_in_braces_stays_text() -> None:
    assert filled({"x": "{{args.a}}{{ args.b }}"}, {"a": "{{args.b}}", "b": '"\n\u2028\\'}) == {
        "x": '{{args.b}}"\n\u2028\\'
    }
    with pytest.raises(InvalidAnalysis, match=r"args\.nope was not resolved"):
        filled({"x": "{{args.nope}}"}, {})


def test_secrets_are_not_shown() -> None:
    assert redacted("a secret, a secretive text", ["secret", "secretive", ""]) == "a *****, a ***** text"


def saying(text: str, *metrics: str) -> Obj:
    return {**template(*metrics), "metadata": {"annotations": {ON_NO_DATA: text}}}


def test_what_no_data_means_is_said_by_templates_and_carried_to_the_run() -> None:
    templates = {ref("a"): saying("Inconclusive", "a", "b"), ref("c"): saying("{c: Successful}", "c", "d")}
    path = [{"name": "path", "value": "x"}]
    for one in templates.values():
        one["spec"]["args"] = path
    made = run(analysis("a", "c"), templates)
    assert read(made["metadata"]["annotations"], "abcd") == {
        "a": Phase.INCONCLUSIVE,
        "b": Phase.INCONCLUSIVE,
        "c": Phase.SUCCESSFUL,
    }
    own = analysis("a", "c", analysisRunMetadata={"annotations": {ON_NO_DATA: "Failed"}})
    assert set(read(run(own, templates)["metadata"]["annotations"], "abcd").values()) == {Phase.FAILED}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Fine", "'Fine' is none of Error, Inconclusive, Successful, Failed"),
        ("{x: Failed}", "there is no metric 'x'"),
        ("{a: Running}", "'Running' is none of"),
        ("{", "tiphys.dev/on-no-data"),
        ("[1, 2]", "is none of"),
    ],
)
def test_an_annotation_that_can_not_be_meant_is_an_error(text: str, words: str) -> None:
    with pytest.raises(InvalidAnalysis, match=words):
        run(analysis("a"), {ref("a"): saying(text, "a")})


@pytest.mark.parametrize(
    ("fields", "endless_one"),
    [
        ({"interval": "10s"}, True),
        ({"interval": "10s", "count": 3}, False),
        ({}, False),
        ({"count": "{{args.n}}"}, False),
    ],
)
def test_what_would_never_end_is_named(fields: Obj, endless_one: bool) -> None:
    inner = {"spec": {"metrics": [metric("rate") | fields]}}
    found = {ref("a"): template("a", templates=[{"templateName": "b"}]), ref("b"): inner}
    words = "AnalysisTemplate b has metric rate which runs indefinitely. Invalid value for count: none"
    assert endless(analysis("a"), "test", found) == ([words] if endless_one else [])


def test_only_an_analysis_in_the_background_may_go_on_for_ever() -> None:
    named = {"templates": [{"templateName": "a"}]}
    canary = {"canary": {"steps": [{"analysis": named}, {"setWeight": 20}], "analysis": {"args": [{"name": "x"}]}}}
    both = {"blueGreen": {"activeService": "a", "prePromotionAnalysis": named, "postPromotionAnalysis": named}}
    waiting = [list(waited_for(Rollout.parse(rollout(strategy)))) for strategy in (canary, both)]
    assert [len(one) for one in waiting] == [1, 2]
