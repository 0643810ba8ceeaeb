"""Kinds that Argo CD judges by its shipped scripts, in the same words."""

from typing import Any

import pytest

from shared.health import Health, health

Obj = dict[str, Any]


def of(api_version: str, kind: str, spec: Obj, status: Obj) -> Obj:
    found = {"apiVersion": api_version, "kind": kind, "metadata": {"generation": 2, "name": "a"}}
    return found | {key: value for key, value in {"spec": spec, "status": status}.items() if value}


def says(api_version: str, kind: str, *conditions: tuple[str, str]) -> Obj:
    listed = [{"type": name, "status": status, "message": f"about {name}"} for name, status in conditions]
    return of(api_version, kind, {}, {"conditions": listed} if listed else {})


CERTIFICATE = ("cert-manager.io/v1", "Certificate")
CRD = ("apiextensions.k8s.io/v1", "CustomResourceDefinition")
SET = ("argoproj.io/v1alpha1", "ApplicationSet")


def cron(**status: Any) -> Obj:
    return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {}, "spec": {}, "status": status}


def budget(status: str, reason: str) -> Obj:
    return of("policy/v1", "PodDisruptionBudget", {}, {"conditions": [{"status": status, "reason": reason}]})


COMMON: list[tuple[Obj, Health]] = [
    (says(*CERTIFICATE), Health("Progressing", "Waiting for certificate")),
    (says(*CERTIFICATE, ("Ready", "False"), ("Issuing", "True")), Health("Progressing", "about Issuing")),
    (says(*CERTIFICATE, ("Ready", "False")), Health("Degraded", "about Ready")),
    (says(*CERTIFICATE, ("Ready", "True")), Health("Healthy", "about Ready")),
    (says("cert-manager.io/v1", "Issuer"), Health("Progressing", "Initializing issuer")),
    (
        says("bitnami.com/v1alpha1", "SealedSecret", ("Synced", "Unknown")),
        Health("Progressing", "Waiting for Sealed Secret to be decrypted"),
    ),
    (says("external-secrets.io/v1", "ExternalSecret", ("Ready", "True")), Health("Healthy", "about Ready")),
    (says(*CRD), Health("Progressing", "Status conditions not found")),
    (
        says(*CRD, ("NamesAccepted", "False")),
        Health("Degraded", "CRD names have not been accepted: about NamesAccepted"),
    ),
    (says(*CRD, ("NamesAccepted", "True")), Health("Degraded", "CRD is not established")),
    (says(*CRD, ("NamesAccepted", "True"), ("Established", "True")), Health("Healthy", "CRD is healthy")),
    (says(*SET, ("ErrorOccurred", "True"), ("ResourcesUpToDate", "True")), Health("Degraded", "about ErrorOccurred")),
    (
        says(*SET, ("RolloutProgressing", "True"), ("ResourcesUpToDate", "True")),
        Health("Progressing", "about RolloutProgressing"),
    ),
    (says(*SET, ("ResourcesUpToDate", "True")), Health("Healthy", "about ResourcesUpToDate")),
    (of("batch/v1", "CronJob", {"suspend": True}, {}), Health("Healthy", "CronJob is Suspended")),
    (of("batch/v1", "CronJob", {"suspend": False}, {}), Health("Progressing", "Waiting for CronJob")),
    (cron(), Health("Healthy", "CronJob has not been scheduled yet")),
    (of("policy/v1", "PodDisruptionBudget", {}, {}), Health("Progressing", "Waiting for status")),
    (budget("True", "SufficientPods"), Health("Healthy", "PodDisruptionBudget has SufficientPods")),
    (budget("False", "InsufficientPods"), Health("Healthy", "PodDisruptionBudget has InsufficientPods")),
    (budget("False", "SyncFailed"), Health("Degraded", "PodDisruptionBudget has SyncFailed")),
    (
        of("argoproj.io/v1alpha1", "Experiment", {}, {"phase": "Failed"}),
        Health("Degraded", "Experiment has failed"),
    ),
    (says("argoproj.io/v1alpha1", "CronWorkflow"), Health("Healthy", "CronWorkflow is healthy.")),
    (says("argoproj.io/v1alpha1", "CronWorkflow", ("SpecError", "True")), Health("Degraded", "about SpecError")),
    (
        cron(lastScheduleTime="2026-01-02T00:00:00Z", lastSuccessfulTime="2026-01-01T00:00:00Z"),
        Health("Degraded", "CronJob has not completed its last execution successfully"),
    ),
    (
        cron(lastScheduleTime="2026-01-01T00:00:00Z", lastSuccessfulTime="2026-01-01T00:00:09Z"),
        Health("Healthy", "CronJob has completed its last execution successfully"),
    ),
    (
        of("argoproj.io/v1alpha1", "Rollout", {}, {"observedGeneration": "1", "phase": "Healthy"}),
        Health("Progressing", "Waiting for rollout spec update to be observed"),
    ),
    (
        of(
            "argoproj.io/v1alpha1",
            "Rollout",
            {},
            {"observedGeneration": "2", "phase": "Paused", "message": "CanaryPauseStep"},
        ),
        Health("Suspended", "CanaryPauseStep"),
    ),
    (
        of("argoproj.io/v1alpha1", "Rollout", {}, {}),
        Health("Progressing", "Waiting for rollout spec update to be observed"),
    ),
    (
        of("argoproj.io/v1alpha1", "Rollout", {}, {"pauseConditions": [{"reason": "CanaryPauseStep"}]}),
        Health("Suspended", "Rollout is paused"),
    ),
    (
        of(
            "argoproj.io/v1alpha1",
            "Rollout",
            {"strategy": {"canary": {}}},
            {"currentPodHash": "b", "stableRS": "a", "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1},
        ),
        Health("Progressing", "Waiting for rollout to finish steps"),
    ),
    (
        of(
            "argoproj.io/v1alpha1",
            "Rollout",
            {"strategy": {"blueGreen": {}}, "replicas": 0},
            {"currentPodHash": "b", "stableRS": "b", "blueGreen": {"activeSelector": "b"}},
        ),
        Health("Healthy"),
    ),
    (of("argoproj.io/v1alpha1", "Rollout", {}, {"phase": "Degraded", "message": "why"}), Health("Degraded", "why")),
    (of("argoproj.io/v1alpha1", "AnalysisRun", {}, {"phase": "Failed"}), Health("Degraded", "Analysis run failed")),
    (
        of("argoproj.io/v1alpha1", "AnalysisRun", {}, {"phase": "Inconclusive"}),
        Health("Unknown", "Analysis run was inconclusive"),
    ),
]


@pytest.mark.parametrize(("obj", "expected"), COMMON)
def test_an_object_is_as_healthy_as_argo_cds_scripts_say(obj: Obj, expected: Health) -> None:
    assert health(obj) == expected
