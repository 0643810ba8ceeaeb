"""Decisions about Experiments without a cluster: its fields, its status, its end, and one that is begun again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.rollout_manager.analysis import Phase
from services.rollout_manager.analysis.tell import Told
from services.rollout_manager.experiments.decide import decide
from services.rollout_manager.experiments.request import ExperimentRequest, build_experiment
from services.rollout_manager.experiments.seen import Decision, Seen, SeenRun
from services.rollout_manager.experiments.tell import told
from services.rollout_manager.keys import Ref
from services.rollout_manager.labels import HASH, INSTANCE_ID, SCALE_DOWN_DEADLINE
from services.rollout_manager.sets import replica_set
from shared.clock import rfc3339
from shared.kinds.experiment import Experiment
from shared.kinds.strategy import StepExperiment
from shared.kube import live_object
from tests.rollout.rollouts import canary, rollout
from tests.rollout.world import to_json

Obj = dict[str, Any]
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
METRIC: Obj = {"name": "up", "provider": {"web": {"url": "http://metrics.example.org/{{args.x}}"}}}


def part(name: str, **fields: Any) -> Obj:
    labels = {"app": "exp", "part": name}
    ports = [{"containerPort": 80, "name": "http"}, {"containerPort": 53, "protocol": "UDP"}]
    pod = {"containers": [{"name": "c", "image": "nginx", "ports": ports}]}
    template = {"metadata": {"labels": labels}, "spec": pod}
    return {"name": name, "selector": {"matchLabels": labels}, "template": template, **fields}


class Lab:
    """One Experiment, pass by pass: what is created is there in the next one, with the pods that the test says."""

    def __init__(self, *parts: Obj, labels: Obj | None = None, **spec: Any) -> None:
        metadata = {"name": "exp", "namespace": "test", "uid": "u", "labels": labels or {}}
        whole = {"templates": list(parts), **spec}
        self.obj: Obj = {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Experiment",
            "metadata": metadata,
            "spec": whole,
        }
        self.now = BEGIN
        self.sets: dict[str, Obj] = {}
        self.services: dict[str, Obj] = {}
        self.runs: dict[str, SeenRun] = {}
        self.made: list[Obj] = []

    @property
    def status(self) -> Obj:
        found: Obj = self.obj.get("status") or {}
        return found

    def step(self, later: float = 0.0) -> Decision:
        self.now += timedelta(seconds=later)
        experiment = Experiment.parse(self.obj)
        names = [one.name for one in experiment.spec.templates]
        template: Obj = {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "AnalysisTemplate",
            "spec": {"metrics": [METRIC], "args": [{"name": "x", "value": "default"}]},
        }
        seen = Seen(
            experiment=experiment,
            obj=self.obj,
            now=self.now,
            hashes={name: f"hash{name}" for name in names},
            sets={name: replica_set(live_object(to_json(one))) for name, one in self.sets.items()},
            services=dict(self.services),
            runs=dict(self.runs),
            templates={Ref("argoproj.io", "AnalysisTemplate", "test", "check"): template},
        )
        decision = decide(seen)
        self._carry_out(decision)
        return decision

    def _carry_out(self, decision: Decision) -> None:
        self.made += decision.create
        for made in decision.create:
            name = made["metadata"]["name"].removeprefix("exp-")
            if made["kind"] == "ReplicaSet":
                self.sets[name] = {**made, "status": {}}
            elif made["kind"] == "Service":
                self.services[made["metadata"]["annotations"]["experiment.argoproj.io/template-name"]] = made
            else:
                self.runs[made["metadata"]["name"]] = SeenRun(Phase.PENDING)
        for name, count in decision.scale.items():
            self.sets[name.removeprefix("exp-")]["spec"]["replicas"] = count
        for name, deadline in decision.deadlines.items():
            annotations = self.sets[name.removeprefix("exp-")]["metadata"]["annotations"]
            annotations.pop(SCALE_DOWN_DEADLINE, None)
            annotations |= {SCALE_DOWN_DEADLINE: deadline} if deadline else {}
        self.services = {
            name: one for name, one in self.services.items() if one["metadata"]["name"] not in decision.delete_services
        }
        for name in decision.stop_runs:
            self.runs[name] = replace(self.runs[name], terminate=True)
        self.obj["status"] = decision.status

    def available(self) -> None:
        for one in self.sets.values():
            count = one["spec"]["replicas"]
            one["status"] = {"replicas": count, "readyReplicas": count, "availableReplicas": count}

    def pods(self, name: str) -> int:
        return int(self.sets[name]["spec"]["replicas"])

    def until_running(self) -> Decision:
        self.step()
        self.available()
        self.step()
        return self.step()

    def made_of(self, kind: str) -> list[Obj]:
        return [one for one in self.made if one["kind"] == kind]


CHECK: Obj = {"name": "ask", "templateName": "check"}


def test_its_objects_carry_its_name_the_hash_and_what_the_template_says() -> None:
    lab = Lab(part("a", replicas=3, minReadySeconds=5, service={"name": "mine"}), part("b", service={}))
    lab.step()
    first, second = lab.made_of("ReplicaSet")
    marks = {"experiment.argoproj.io/name": "exp", "experiment.argoproj.io/template-name": "a"}
    assert (first["metadata"]["name"], first["metadata"]["annotations"]) == ("exp-a", marks)
    assert first["spec"]["selector"]["matchLabels"] == {"app": "exp", "part": "a", HASH: "hasha"}
    assert (first["spec"]["replicas"], first["spec"]["minReadySeconds"], second["spec"]["replicas"]) == (3, 5, 1)
    services = {one["metadata"]["name"]: one for one in lab.made_of("Service")}
    assert set(services) == {"mine", "exp-b"}
    assert services["mine"]["spec"]["selector"] == first["spec"]["selector"]["matchLabels"]
    assert services["mine"]["spec"]["ports"] == [
        {"port": 80, "protocol": "TCP", "name": "http"},
        {"port": 53, "protocol": "UDP", "name": "udp-53"},
    ]


def test_the_clock_starts_when_all_is_available_and_the_duration_ends_it() -> None:
    lab = Lab(part("a"), part("b"), duration="60s")
    lab.step()
    assert (lab.status["phase"], "availableAt" in lab.status) == ("Pending", False)
    lab.available()
    decision = lab.step(later=10)
    assert (lab.status["phase"], lab.status["availableAt"], decision.again) == ("Running", rfc3339(lab.now), 60)
    [one, _] = lab.status["templateStatuses"]
    counts = {name: one[name] for name in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")}
    assert (one["status"], one["podTemplateHash"], set(counts.values())) == ("Running", "hasha", {1})
    lab.step(later=60)
    assert lab.status["phase"] == "Successful"
    assert {one["status"] for one in lab.status["templateStatuses"]} == {"Successful"}
    [condition] = lab.status["conditions"]
    assert (condition["type"], condition["status"], condition["reason"]) == (
        "Progressing",
        "True",
        "ExperimentSuccessful",
    )


@pytest.mark.parametrize(("delay", "stays"), [(None, 30), (45, 45), (0, 0)])
def test_its_pods_stay_for_the_delay_and_its_services_do_not(delay: int | None, stays: int) -> None:
    fields: Obj = {} if delay is None else {"scaleDownDelaySeconds": delay}
    lab = Lab(part("a", service={}), terminate=True, **fields)
    lab.step()
    lab.step()
    assert (lab.status["phase"], lab.status["message"]) == ("Successful", "experiment terminated")
    lab = Lab(part("a", service={}), **fields)
    lab.until_running()
    lab.obj["spec"]["terminate"] = True
    lab.step()
    assert (lab.services, lab.pods("a")) == ({}, 1 if stays else 0)
    lab.step(later=stays - 1)
    assert lab.pods("a") == (1 if stays else 0)
    lab.step(later=1)
    assert lab.pods("a") == 0


def test_without_a_duration_the_required_analyses_end_it() -> None:
    lab = Lab(part("a"), analyses=[{**CHECK, "requiredForCompletion": True}, {"name": "look", "templateName": "check"}])
    lab.until_running()
    assert lab.status["phase"] == "Running"
    lab.runs["exp-ask"] = SeenRun(Phase.SUCCESSFUL)
    lab.step(later=100_000)
    assert lab.status["phase"] == "Successful"
    assert lab.runs["exp-look"].terminate
    without = Lab(part("a"), analyses=[CHECK])
    without.until_running()
    without.runs["exp-ask"] = SeenRun(Phase.SUCCESSFUL)
    without.step(later=100_000)
    assert without.status["phase"] == "Running"  # until someone ends it


@pytest.mark.parametrize("phase", [Phase.FAILED, Phase.ERROR, Phase.INCONCLUSIVE])
def test_a_bad_analysis_ends_it_as_bad_as_it_is(phase: Phase) -> None:
    lab = Lab(part("a"), duration="1h", analyses=[CHECK])
    lab.until_running()
    lab.runs["exp-ask"] = SeenRun(phase, "too slow")
    lab.step()
    assert (lab.status["phase"], lab.status["message"]) == (phase, f"AnalysisRun exp-ask {phase}: too slow")
    assert lab.status["analysisRuns"] == [
        {"name": "ask", "analysisRun": "exp-ask", "phase": phase, "message": "too slow"}
    ]


def test_a_template_that_makes_no_progress_fails_it() -> None:
    cases: list[tuple[int, Obj]] = [(600, {}), (90, {"progressDeadlineSeconds": 90})]
    for limit, given in cases:
        lab = Lab(part("a"), part("b"), **given)
        lab.step()
        lab.available()
        lab.sets["a"]["status"] = {}
        decision = lab.step(later=1)
        assert decision.again == pytest.approx(limit, abs=1)
        lab.step(later=limit)
        text = f"Template 'a' exceeded its progressDeadlineSeconds ({limit})"
        assert (lab.status["phase"], lab.status["message"]) == ("Failed", text)
        assert [(one["status"], one.get("message")) for one in lab.status["templateStatuses"]] == [
            ("Failed", text),
            ("Successful", None),
        ]


def test_its_runs_carry_what_it_says_of_them_and_whose_they_are() -> None:
    args = [
        {
            "name": "x",
            "value": "{{templates.a.podTemplateHash}} {{templates.a.replicaset.name}} {{experiment.availableAt}}",
        }
    ]
    about = {"labels": {"team": "shop"}, "annotations": {"why": "test"}}
    rules = {"dryRun": [{"metricName": "up"}], "measurementRetention": [{"metricName": "up", "limit": 3}]}
    analyses = [{**CHECK, "args": args}]
    lab = Lab(part("a"), labels={INSTANCE_ID: "blue"}, analyses=analyses, analysisRunMetadata=about, **rules)
    lab.until_running()
    [run] = lab.made_of("AnalysisRun")
    assert run["metadata"]["labels"] == {"team": "shop", INSTANCE_ID: "blue"}
    assert run["metadata"]["annotations"] == {"why": "test", "experiment.argoproj.io/name": "exp"}
    assert {name: run["spec"][name] for name in rules} == rules
    assert run["spec"]["args"] == [{"name": "x", "value": f"hasha exp-a {lab.status['availableAt']}"}]


def test_one_that_is_begun_again_asks_again_with_pods_that_stay() -> None:
    """`kubectl argo rollouts retry experiment` takes the status away."""
    lab = Lab(part("a"), duration="1h", analyses=[CHECK])
    lab.until_running()
    lab.runs["exp-ask"] = SeenRun(Phase.FAILED, "too slow")
    lab.step()
    lab.step(later=31)
    assert (lab.status["phase"], lab.pods("a")) == ("Failed", 0)
    del lab.obj["status"]
    lab.sets["a"]["status"] = {}
    lab.until_running()
    assert (lab.status["phase"], lab.pods("a")) == ("Running", 1)
    assert [one["analysisRun"] for one in lab.status["analysisRuns"]] == ["exp-ask.1"]
    assert SCALE_DOWN_DEADLINE not in lab.sets["a"]["metadata"]["annotations"]


def test_it_is_told_in_argos_words() -> None:
    lab = Lab(part("a"), analyses=[CHECK])
    events: list[Told] = []
    for doing in (lab.step, lab.available, lab.step, lab.step):
        before = dict(lab.status)
        doing()
        events += told(before, lab.status)
    before = dict(lab.status)
    lab.runs["exp-ask"] = SeenRun(Phase.FAILED, "too slow")
    lab.step()
    events += told(before, lab.status)
    assert [(one.reason, one.message, one.type) for one in events] == [
        ("TemplateProgressing", "Template 'a' transitioned from  -> Progressing", "Normal"),
        ("ExperimentPending", "Experiment transitioned from  -> Pending", "Normal"),
        ("TemplateRunning", "Template 'a' transitioned from Progressing -> Running", "Normal"),
        ("AnalysisRunPending", "AnalysisRun 'ask' transitioned from  -> Pending", "Normal"),
        ("ExperimentRunning", "Experiment transitioned from Pending -> Running", "Normal"),
        ("TemplateSuccessful", "Template 'a' transitioned from Running -> Successful", "Normal"),
        ("AnalysisRunFailed", "AnalysisRun 'ask' transitioned from Pending -> Failed: too slow", "Warning"),
        ("ExperimentFailed", "Experiment transitioned from Running -> Failed", "Warning"),
    ]


def test_a_step_becomes_an_experiment_with_all_of_its_fields() -> None:
    owner = rollout(canary(), minReadySeconds=4, progressDeadlineSeconds=90)
    owner["status"] = {"canary": {"weights": {"canary": {"weight": 20}}}}
    pods = owner["spec"]["template"]

    def made(hash_: str, image: str) -> Obj:
        labels = {"app": "web", HASH: hash_}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": image}]}}
        return {"metadata": {"labels": labels}, "spec": {"template": template}}

    own = {"matchLabels": {"own": "yes"}}
    metadata = {"labels": {"own": "yes"}, "annotations": {"a": "b"}}
    args = [
        {"name": "new", "valueFrom": {"podTemplateHashValue": "Latest"}},
        {"name": "old", "valueFrom": {"podTemplateHashValue": "Stable"}},
        {"name": "weight", "valueFrom": {"fieldRef": {"fieldPath": "status.canary.weights.canary.weight"}}},
    ]
    step = {
        "templates": [
            {"name": "base", "specRef": "stable", "replicas": 2, "metadata": metadata, "selector": own},
            {"name": "new", "specRef": "canary", "weight": 5, "service": {"name": "exp-svc"}},
            {"name": "also", "specRef": "canary", "weight": 5},
        ],
        "analyses": [
            {"name": "a", "templateName": "t", "clusterScope": True, "requiredForCompletion": True, "args": args}
        ],
        "duration": "5m",
        "dryRun": [{"metricName": "m"}],
        "analysisRunMetadata": {"labels": {"x": "y"}},
    }
    request = ExperimentRequest("web-v2-2-1", StepExperiment.parse(step), made("v1", "v1"), made("v2", "v2"))
    spec = build_experiment(owner, request)["spec"]
    base, new, also = spec["templates"]
    assert base["template"]["metadata"] == {"labels": {"app": "web", "own": "yes"}, "annotations": {"a": "b"}}
    assert (base["selector"], base["replicas"], base["minReadySeconds"], "service" in base) == (own, 2, 4, False)
    assert [one["template"]["spec"]["containers"][0]["image"] for one in (base, new)] == ["v1", "v2"]
    assert (new["service"], also["service"], new["selector"]) == ({"name": "exp-svc"}, {}, owner["spec"]["selector"])
    [analysis] = spec["analyses"]
    assert [one["value"] for one in analysis["args"]] == ["v2", "v1", "20"]
    assert (analysis["clusterScope"], analysis["requiredForCompletion"]) == (True, True)
    assert (spec["duration"], spec["progressDeadlineSeconds"], spec["dryRun"]) == ("5m", 90, step["dryRun"])
    assert spec["analysisRunMetadata"] == {"labels": {"x": "y"}}
    assert pods == owner["spec"]["template"]
