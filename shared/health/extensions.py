"""Kinds beyond the built-in ones that most clusters have: Argo's own, definitions, CronJobs, certificates, secrets.

Argo CD ships scripts for them; these say the same in the same words. A script in the settings goes before them:
the caller's business.
"""

from collections.abc import Callable, Mapping
from typing import Any

from shared.health.fields import condition, items, mapping, text
from shared.health.rollouts import rollout
from shared.health.status import Health, Status

Obj = Mapping[str, Any]
Check = Callable[[Obj], Health]


def by_condition(kind: str, waiting: str) -> Check:
    """Healthy while a condition is True, Degraded while it is False, else Progressing with `waiting`."""

    def check(obj: Obj) -> Health:
        found = condition(mapping(obj, "status"), kind)
        if found is None or found.get("status") not in {"True", "False"}:
            return Health("Progressing", waiting)
        return Health("Healthy" if found["status"] == "True" else "Degraded", text(found, "message"))

    return check


_ready = by_condition("Ready", "Waiting for certificate")


def certificate(obj: Obj) -> Health:
    issuing = condition(mapping(obj, "status"), "Issuing")
    if issuing is not None and issuing.get("status") == "True":
        return Health("Progressing", text(issuing, "message"))
    return _ready(obj)


def definition(obj: Obj) -> Health:
    """A CustomResourceDefinition."""
    found = {text(one, "type"): one for one in items(mapping(obj, "status"), "conditions")}
    if not found:
        return Health("Progressing", "Status conditions not found")
    if _is(found, "Terminating", "True"):
        return Health("Progressing", f"CRD is terminating: {text(found['Terminating'], 'message')}")
    if _is(found, "NamesAccepted", "False"):
        return Health("Degraded", f"CRD names have not been accepted: {text(found['NamesAccepted'], 'message')}")
    if not _is(found, "Established", "True"):
        return Health("Degraded", "CRD is not established")
    if _is(found, "NonStructuralSchema", "True"):
        return Health("Degraded", f"Schema violations found: {text(found['NonStructuralSchema'], 'message')}")
    return Health("Healthy", "CRD is healthy")


def _is(conditions: Mapping[str, Obj], kind: str, status: str) -> bool:
    return conditions.get(kind, {}).get("status") == status


def cron_job(obj: Obj) -> Health:
    """What a CronJob tells of its last run; whether one was missed can't be seen."""
    if mapping(obj, "spec").get("suspend") is True:
        return Health("Healthy", "CronJob is Suspended")
    return _last_run(mapping(obj, "status")) if "status" in obj else Health("Progressing", "Waiting for CronJob")


def _last_run(status: Obj) -> Health:
    scheduled, succeeded = text(status, "lastScheduleTime"), text(status, "lastSuccessfulTime")
    if not scheduled:
        return Health("Healthy", "CronJob has not been scheduled yet")
    if not succeeded:
        return Health("Healthy", "The Cronjob never completed succesfully. It may not be healthy")
    if status.get("active"):
        return Health("Healthy", "The job is running. Its last execution may not have been successful")
    if succeeded < scheduled:
        return Health("Degraded", "CronJob has not completed its last execution successfully")
    return Health("Healthy", "CronJob has completed its last execution successfully")


_ANALYSIS: dict[str, tuple[Status, str]] = {
    "Pending": ("Progressing", "Analysis run is running"),
    "Running": ("Progressing", "Analysis run is running"),
    "Successful": ("Healthy", "Analysis run completed successfully"),
    "Failed": ("Degraded", "Analysis run failed"),
    "Error": ("Degraded", "Analysis run had an error"),
    "Inconclusive": ("Unknown", "Analysis run was inconclusive"),
}


def analysis_run(obj: Obj) -> Health:
    status = mapping(obj, "status")
    waiting: tuple[Status, str] = (
        "Progressing",
        "Waiting for analysis run to finish: status has not been reconciled.",
    )
    found, words = _ANALYSIS.get(text(status, "phase"), waiting)
    return Health(found, words if found == "Progressing" else text(status, "message") or words)


_SET: tuple[tuple[str, str, Status], ...] = (
    ("ErrorOccurred", "True", "Degraded"),
    ("ResourcesUpToDate", "False", "Degraded"),
    ("RolloutProgressing", "True", "Progressing"),
    ("ResourcesUpToDate", "True", "Healthy"),
)


def application_set(obj: Obj) -> Health:
    status = mapping(obj, "status")
    for kind, wanted, result in _SET:
        found = condition(status, kind)
        if found is not None and found.get("status") == wanted:
            return Health(result, text(found, "message"))
    return Health("Progressing", "Waiting for the status to be reported")


_EXPERIMENT: dict[str, Health] = {
    "Pending": Health("Progressing", "Experiment is pending"),
    "Running": Health("Progressing", "Experiment is running"),
    "Successful": Health("Healthy", "Experiment is successful"),
    "Failed": Health("Degraded", "Experiment has failed"),
    "Error": Health("Degraded", "Experiment had an error"),
}


def experiment(obj: Obj) -> Health:
    waiting = Health("Progressing", "Waiting for experiment to finish: status has not been reconciled.")
    return _EXPERIMENT.get(text(mapping(obj, "status"), "phase"), waiting)


def cron_workflow(obj: Obj) -> Health:
    ends: dict[str, Status] = {"SpecError": "Degraded", "SubmissionError": "Degraded", "Completed": "Healthy"}
    for one in items(mapping(obj, "status"), "conditions"):
        found = ends.get(text(one, "type"))
        if found is not None and one.get("status") == "True":
            return Health(found, text(one, "message"))
    return Health("Healthy", "CronWorkflow is healthy.")


def disruption_budget(obj: Obj) -> Health:
    """Too few pods is no fault of the budget."""
    conditions = list(items(mapping(obj, "status"), "conditions"))
    broken = (one for one in conditions if one.get("status") == "False" and one.get("reason") != "InsufficientPods")
    said = next(broken, None)
    if said is not None:
        return Health("Degraded", f"PodDisruptionBudget has {text(said, 'reason')}")
    if not conditions:
        return Health("Progressing", "Waiting for status")
    return Health("Healthy", f"PodDisruptionBudget has {text(conditions[-1], 'reason')}")


CHECKS: dict[tuple[str, str], Check] = {
    ("apiextensions.k8s.io", "CustomResourceDefinition"): definition,
    ("argoproj.io", "AnalysisRun"): analysis_run,
    ("argoproj.io", "ApplicationSet"): application_set,
    ("argoproj.io", "CronWorkflow"): cron_workflow,
    ("argoproj.io", "Experiment"): experiment,
    ("argoproj.io", "Rollout"): rollout,
    ("batch", "CronJob"): cron_job,
    ("bitnami.com", "SealedSecret"): by_condition("Synced", "Waiting for Sealed Secret to be decrypted"),
    ("cert-manager.io", "Certificate"): certificate,
    ("cert-manager.io", "ClusterIssuer"): by_condition("Ready", "Initializing ClusterIssuer"),
    ("cert-manager.io", "Issuer"): by_condition("Ready", "Initializing issuer"),
    ("external-secrets.io", "ClusterSecretStore"): by_condition("Ready", "Waiting for ClusterSecretStore"),
    ("external-secrets.io", "ExternalSecret"): by_condition("Ready", "Waiting for ExternalSecret"),
    ("external-secrets.io", "PushSecret"): by_condition("Ready", "Waiting for PushSecret"),
    ("external-secrets.io", "SecretStore"): by_condition("Ready", "Waiting for SecretStore"),
    ("policy", "PodDisruptionBudget"): disruption_budget,
}
