"""Pods and Jobs."""

from collections.abc import Iterator, Mapping
from typing import Any

from shared.health.fields import items, mapping, number, quoted, text
from shared.health.status import Health, Status

Obj = Mapping[str, Any]
IGNORE_RESTART_POLICY = "argocd.argoproj.io/ignore-restart-policy"
_PHASES: dict[str, Status] = {"Pending": "Progressing", "Succeeded": "Healthy"}


def pod(obj: Obj) -> Health:
    status, policy = mapping(obj, "status"), text(mapping(obj, "spec"), "restartPolicy")
    if policy == "Always" and (waiting := list(_failing(status))):
        return Health("Degraded", ", ".join(waiting))
    message, phase = text(status, "message"), text(status, "phase")
    if phase == "Failed":
        return Health("Degraded", message or _why_failed(status))
    if phase == "Running":
        lasting = text(mapping(obj, "metadata", "annotations"), IGNORE_RESTART_POLICY).lower() == "true"
        return _running(status, "Always" if lasting else policy, message)
    return Health(_PHASES.get(phase, "Unknown"), message)


def _running(status: Obj, policy: str, message: str) -> Health:
    """A pod that runs to its end, as hooks do, isn't done while it runs."""
    if policy == "Always":
        return _serving(status, message)
    return Health("Progressing" if policy in {"OnFailure", "Never"} else "Unknown", message)


def _failing(status: Obj) -> Iterator[str]:
    """Only pods that are restarted for ever: a hook's pod may yet get its image, and must not fail the sync before."""
    for container in items(status, "containerStatuses"):
        waiting = mapping(container, "state", "waiting")
        reason = text(waiting, "reason")
        if reason.startswith("Err") or reason.endswith(("Error", "BackOff")):
            yield text(waiting, "message")


def _serving(status: Obj, message: str) -> Health:
    if any(one.get("type") == "Ready" and one.get("status") == "True" for one in items(status, "conditions")):
        return Health("Healthy", message)
    if any(mapping(one, "lastState", "terminated") for one in items(status, "containerStatuses")):
        return Health("Degraded", message)
    return Health("Progressing", message)


def _why_failed(status: Obj) -> str:
    containers = [*items(status, "initContainerStatuses"), *items(status, "containerStatuses")]
    return next(filter(None, map(_end_of, containers)), "")


def _end_of(container: Obj) -> str:
    end = mapping(container, "state", "terminated")
    if text(end, "message"):
        return text(end, "message")
    if end.get("reason") == "OOMKilled":
        return "OOMKilled"
    code = number(end, "exitCode")
    return f"container {quoted(text(container, 'name'))} failed with exit code {code}" if code else ""


def job(obj: Obj) -> Health:
    """A suspended Job says so and weighs nothing. A condition that is not True says nothing (Argo CD: issue in 2.8)."""
    holding = {
        text(one, "type"): text(one, "message")
        for one in items(mapping(obj, "status"), "conditions")
        if one.get("status") == "True"
    }
    if "Failed" in holding:
        return Health("Degraded", holding["Failed"])
    if "Complete" in holding:
        return Health("Healthy", holding["Complete"])
    if "Suspended" in holding:
        return Health("Suspended", holding["Suspended"], counts_as="Healthy")
    return Health("Progressing")
