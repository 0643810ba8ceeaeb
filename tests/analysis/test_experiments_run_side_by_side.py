"""Experiments on the embedded cluster, by themselves and as steps of a canary; what is wrong with one is said."""

import asyncio
from typing import Any

import pytest

from services.rollout_manager.experiments.validate import problems_of
from shared.kinds.experiment import Experiment
from tests.analysis.test_runs_on_a_real_api_server import (
    Told,
    group,
    job_metric,
    managed,
    serving,
    template,
    unmanaged,
)
from tests.rollout.managed import GROUPS, Managed
from tests.rollout.rollouts import canary, ingress, rollout, service

__all__ = ["group", "managed", "unmanaged"]
Obj = dict[str, Any]


def part(name: str, *, simulate: str = "", **fields: Any) -> Obj:
    labels = {"app": "exp", "part": name}
    meta: Obj = {"labels": labels} | ({"annotations": {"tiphys.dev/simulate": simulate}} if simulate else {})
    pod = {"containers": [{"name": "c", "image": "nginx", "ports": [{"containerPort": 80, "name": "http"}]}]}
    return {"name": name, "selector": {"matchLabels": labels}, "template": {"metadata": meta, "spec": pod}, **fields}


def experiment(*parts: Obj, **spec: Any) -> Obj:
    whole = {"templates": list(parts), "scaleDownDelaySeconds": 0, **spec}
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Experiment", "metadata": {"name": "exp"}, "spec": whole}


@pytest.fixture(autouse=True)
def kinds(group: None) -> None:
    GROUPS["Experiment"] = "argoproj.io"


async def until(managed: Managed, phase: str, name: str = "exp") -> Obj:
    return await managed.until(lambda obj: obj["status"]["phase"] == phase, kind="Experiment", name=name)


async def gone(managed: Managed, name: str) -> None:
    await managed.until(lambda obj: obj["spec"]["replicas"] == 0, kind="ReplicaSet", name=name)


def until_well(told: Told) -> Obj:
    """A metric that goes on until it is told of something good."""
    limits = {"failureLimit": -1, "consecutiveSuccessLimit": 1, "interval": "1s"}
    config = {"url": f"{told.url}/metrics", "jsonPath": "{$.data.rate}"}
    return {"name": "rate", "successCondition": "result >= 0.95", "provider": {"web": config}, **limits}


async def test_two_templates_run_for_their_time_and_are_scaled_down(managed: Managed) -> None:
    args = [{"name": "hash", "value": "{{templates.baseline.podTemplateHash}}"}]
    analysis = {"name": "check", "templateName": "good", "requiredForCompletion": True, "args": args}
    parts = (part("baseline", service={}), part("canary", replicas=2))
    async with serving() as told:
        told.answer = {"data": {"rate": 0.5}}  # until enough was seen of it
        await managed.apply(template(until_well(told), name="good"))
        await managed.apply(experiment(*parts, duration="1s", analyses=[analysis]))
        running = await managed.until(lambda obj: obj["status"]["availableAt"], kind="Experiment", name="exp")
        seen = {one["name"]: one for one in running["status"]["templateStatuses"]}
        assert (seen["baseline"]["serviceName"], seen["canary"]["availableReplicas"]) == ("exp-baseline", 2)
        found = await managed.get("Service", "exp-baseline")
        assert found["spec"]["selector"]["rollouts-pod-template-hash"] == seen["baseline"]["podTemplateHash"]
        assert [one["port"] for one in found["spec"]["ports"]] == [80]
        told.answer = {"data": {"rate": 0.99}}
        done = await until(managed, "Successful")
    assert done["status"]["analysisRuns"] == [{"name": "check", "analysisRun": "exp-check", "phase": "Successful"}]
    for name in ("exp-baseline", "exp-canary"):
        await gone(managed, name)
    async with asyncio.timeout(60):
        while await managed.list("Service"):  # noqa: ASYNC110 - asked as a person would
            await asyncio.sleep(0.1)


async def test_a_bad_analysis_ends_it(managed: Managed) -> None:
    await managed.apply(template(job_metric(simulate="fail"), name="bad"))
    await managed.apply(experiment(part("a"), analyses=[{"name": "check", "templateName": "bad"}]))
    failed = await until(managed, "Failed")
    assert "AnalysisRun exp-check Failed" in failed["status"]["message"]
    await gone(managed, "exp-a")


async def test_a_template_that_never_becomes_ready_ends_it(managed: Managed) -> None:
    await managed.apply(experiment(part("a", simulate="pending"), part("b"), progressDeadlineSeconds=2))
    failed = await until(managed, "Failed")
    assert "Template 'a' exceeded its progressDeadlineSeconds (2)" in failed["status"]["message"]
    await gone(managed, "exp-b")


async def test_someone_may_end_it(managed: Managed) -> None:
    await managed.apply(experiment(part("a")))
    await until(managed, "Running")
    await managed.patch({"spec": {"terminate": True}}, kind="Experiment", name="exp")
    await until(managed, "Successful")
    await gone(managed, "exp-a")


async def test_a_missing_template_is_said(managed: Managed) -> None:
    await managed.apply(experiment(part("a"), analyses=[{"name": "check", "templateName": "nope"}]))
    failed = await until(managed, "Error")
    assert failed["status"]["message"] == "analysis 'check': AnalysisTemplate 'nope' not found"


async def test_what_the_api_server_refuses_ends_it(managed: Managed) -> None:
    without_ports = part("b", service={})
    without_ports["template"]["spec"]["containers"][0].pop("ports")
    await managed.apply(experiment(part("a"), without_ports))
    failed = await until(managed, "Error")
    assert failed["status"]["message"].startswith('Service "exp-b" is invalid: spec.ports')
    await gone(managed, "exp-a")
    await gone(managed, "exp-b")


async def test_an_experiment_is_a_step_of_a_canary(managed: Managed) -> None:
    for name in ("stable", "canary"):
        await managed.apply(service(name, managed.namespace))
    await managed.apply(ingress(managed.namespace))
    await managed.apply(template(job_metric(), name="good"))
    analyses = [{"name": "check", "templateName": "good", "requiredForCompletion": True}]
    apart = {"labels": {"app": "compared"}}
    templates = [
        {"name": "baseline", "specRef": "stable", "metadata": apart},
        {"name": "candidate", "specRef": "canary"},
    ]
    step = {"experiment": {"templates": templates, "analyses": analyses}}
    routing = {"nginx": {"stableIngress": "web"}}
    strategy = canary({"setWeight": 20}, step, canaryService="canary", stableService="stable", trafficRouting=routing)
    await managed.apply(rollout(strategy, replicas=2))
    first = await managed.until_phase("Healthy")
    await managed.push("v2")
    done = await managed.until_phase("Healthy")
    assert done["status"]["stableRS"] != first["status"]["stableRS"]
    [made] = await managed.list("Experiment")
    assert made["metadata"]["name"] == f"web-{done['status']['stableRS']}-2-1"
    images = {one["name"]: one["template"]["spec"]["containers"][0]["image"] for one in made["spec"]["templates"]}
    assert images == {"baseline": "v1", "candidate": "v2"}
    assert [one["template"]["metadata"]["labels"]["app"] for one in made["spec"]["templates"]] == ["compared", "web"]
    assert made["status"]["phase"] == "Successful"


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({}, "needs at least one template"),
        ({"templates": [part("a"), part("a")]}, "duplicate name 'a'"),
        ({"templates": [{"name": "a", "template": {}}]}, "an empty selector is invalid"),
        ({"templates": [{**part("a"), "selector": {"matchLabels": {"x": "y"}}}]}, "does not match template `labels`"),
        ({"templates": [part("a")], "duration": "long"}, "'long' is no duration"),
    ],
)
def test_what_is_wrong_with_an_experiment_is_said(spec: Obj, words: str) -> None:
    obj = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Experiment", "metadata": {"name": "e"}, "spec": spec}
    assert any(words in problem for problem in problems_of(Experiment.parse(obj)))
