"""Rollouts: the phase that their controller writes (since v1.0), and the same from an older controller's fields."""

from collections.abc import Mapping
from typing import Any

from shared.health.fields import items, mapping, number, text
from shared.health.status import Health, Status

Obj = Mapping[str, Any]
WORKLOAD_GENERATION = "rollout.argoproj.io/workload-generation"
UNOBSERVED = Health("Progressing", "Waiting for rollout spec update to be observed")
_PHASES: dict[str, Status] = {
    "Healthy": "Healthy",
    "Paused": "Suspended",
    "Progressing": "Progressing",
    "Degraded": "Degraded",
}


def rollout(obj: Obj) -> Health:
    status = mapping(obj, "status")
    if not status or _unobserved(obj) or _workload_unobserved(obj):
        return UNOBSERVED
    phase = text(status, "phase")
    return Health(_PHASES.get(phase, "Unknown"), text(status, "message")) if phase else _without_phase(obj)


def _unobserved(obj: Obj) -> bool:
    """The controller writes the generation as text; before v0.10 a hash stood there, which tells nothing."""
    observed, generation = _whole(mapping(obj, "status")), number(mapping(obj, "metadata"), "generation")
    return observed is not None and observed < generation


def _whole(status: Obj) -> int | None:
    written = str(status.get("observedGeneration") or "")
    return int(written) if written.isdecimal() else None


def _workload_unobserved(obj: Obj) -> bool:
    annotations = mapping(obj, "metadata", "annotations")
    if not mapping(obj, "spec", "workloadRef") or WORKLOAD_GENERATION not in annotations:
        return False
    return str(annotations[WORKLOAD_GENERATION]) != str(mapping(obj, "status").get("workloadObservedGeneration") or "")


def _without_phase(obj: Obj) -> Health:
    status = mapping(obj, "status")
    for one in items(status, "conditions"):
        failed = text(one, "reason") in {"RolloutAborted", "ProgressDeadlineExceeded"}
        if text(one, "type") == "InvalidSpec" or (text(one, "type") == "Progressing" and failed):
            return Health("Degraded", text(one, "message"))
    if list(items(status, "pauseConditions")) or mapping(obj, "spec").get("paused") is True:
        return Health("Suspended", "Rollout is paused")
    if not text(status, "currentPodHash"):
        return Health("Progressing", "Waiting for rollout to finish: status has not been reconciled.")
    return _replicas(obj) or _traffic(obj) or Health("Healthy")


def _replicas(obj: Obj) -> Health | None:
    spec, status = mapping(obj, "spec"), mapping(obj, "status")
    wanted = 1 if spec.get("replicas") is None else number(spec, "replicas")
    updated = number(status, "updatedReplicas")
    if updated < wanted:
        return Health("Progressing", "Waiting for roll out to finish: More replicas need to be updated")
    if number(status, "availableReplicas") < updated:
        return Health("Progressing", "Waiting for roll out to finish: updated replicas are still becoming available")
    return None


def _traffic(obj: Obj) -> Health | None:
    status, strategy = mapping(obj, "status"), mapping(obj, "spec", "strategy")
    current = text(status, "currentPodHash")
    stable = text(status, "stableRS") or text(mapping(status, "canary"), "stableRS")
    if "blueGreen" in strategy:
        if text(mapping(status, "blueGreen"), "activeSelector") != current:
            return Health("Progressing", "active service cutover pending")
        return Health("Progressing", "waiting for analysis to complete") if stable not in {"", current} else None
    if "canary" not in strategy:
        return None
    if number(status, "replicas") > number(status, "updatedReplicas"):
        return Health("Progressing", "Waiting for roll out to finish: old replicas are pending termination")
    return None if stable == current else Health("Progressing", "Waiting for rollout to finish steps")
