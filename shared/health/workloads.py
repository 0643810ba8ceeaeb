"""Deployments, StatefulSets, ReplicaSets, DaemonSets and autoscalers."""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from shared.health.fields import Malformed, condition, items, mapping, number, quoted, text
from shared.health.status import Health

Obj = Mapping[str, Any]
WAITING = "Waiting for rollout to finish: "
AUTOSCALE = Health("Progressing", "Waiting to Autoscale")
HPA_ANNOTATION = "autoscaling.alpha.kubernetes.io/conditions"
_HPA_FAILURES = {
    ("AbleToScale", "FailedGetScale"),
    ("AbleToScale", "FailedUpdateScale"),
    ("ScalingActive", "FailedGetResourceMetric"),
    ("ScalingActive", "InvalidSelector"),
}


def _behind(obj: Obj) -> bool:
    return number(mapping(obj, "metadata"), "generation") > number(mapping(obj, "status"), "observedGeneration")


def deployment(obj: Obj) -> Health:
    spec, status = mapping(obj, "spec"), mapping(obj, "status")
    if spec.get("paused") is True:
        return Health("Suspended", "Deployment is paused")
    if _behind(obj):
        return Health("Progressing", f"{WAITING}observed deployment generation less than desired generation")
    progress = condition(status, "Progressing")
    if progress is not None and progress.get("reason") == "ProgressDeadlineExceeded":
        name = quoted(text(mapping(obj, "metadata"), "name"))
        return Health("Degraded", f"Deployment {name} exceeded its progress deadline")
    return _replicas(spec, status)


def _replicas(spec: Obj, status: Obj) -> Health:
    wanted, updated = number(spec, "replicas"), number(status, "updatedReplicas")
    existing, available = number(status, "replicas"), number(status, "availableReplicas")
    if updated < wanted:
        return Health("Progressing", f"{WAITING}{updated} out of {wanted} new replicas have been updated...")
    if existing > updated:
        return Health("Progressing", f"{WAITING}{existing - updated} old replicas are pending termination...")
    if available < updated:
        return Health("Progressing", f"{WAITING}{available} of {updated} updated replicas are available...")
    return Health("Healthy")


def stateful_set(obj: Obj) -> Health:
    spec, status = mapping(obj, "spec"), mapping(obj, "status")
    if not number(status, "observedGeneration") or _behind(obj):
        return Health("Progressing", "Waiting for statefulset spec update to be observed...")
    missing = number(spec, "replicas") - number(status, "readyReplicas")
    if missing > 0:
        return Health("Progressing", f"Waiting for {missing} pods to be ready...")
    strategy = mapping(spec, "updateStrategy")
    if strategy.get("type") == "RollingUpdate" and strategy.get("rollingUpdate") is not None:
        return _partitioned(spec, status)
    if strategy.get("type") == "OnDelete":
        return Health("Healthy", f"statefulset has {number(status, 'readyReplicas')} ready pods")
    return _rolling(status)


def _partitioned(spec: Obj, status: Obj) -> Health:
    updated = number(status, "updatedReplicas")
    rolling = mapping(spec, "updateStrategy", "rollingUpdate")
    if rolling.get("partition") is not None:
        wanted = number(spec, "replicas") - number(rolling, "partition")
        if updated < wanted:
            message = (
                f"Waiting for partitioned roll out to finish: {updated} out of {wanted} new pods have been updated..."
            )
            return Health("Progressing", message)
    return Health("Healthy", f"partitioned roll out complete: {updated} new pods have been updated...")


def _rolling(status: Obj) -> Health:
    current, update = text(status, "currentRevision"), text(status, "updateRevision")
    if update != current:
        pods = number(status, "updatedReplicas")
        return Health(
            "Progressing", f"waiting for statefulset rolling update to complete {pods} pods at revision {update}..."
        )
    pods = number(status, "currentReplicas")
    return Health("Healthy", f"statefulset rolling update complete {pods} pods at revision {current}...")


def replica_set(obj: Obj) -> Health:
    spec, status = mapping(obj, "spec"), mapping(obj, "status")
    if _behind(obj):
        return Health("Progressing", f"{WAITING}observed replica set generation less than desired generation")
    failure = condition(status, "ReplicaFailure")
    if failure is not None and failure.get("status") == "True":
        return Health("Degraded", text(failure, "message"))
    wanted, available = number(spec, "replicas"), number(status, "availableReplicas")
    if available < wanted:
        return Health("Progressing", f"{WAITING}{available} out of {wanted} new replicas are available...")
    return Health("Healthy")


def daemon_set(obj: Obj) -> Health:
    status = mapping(obj, "status")
    if _behind(obj):
        return Health("Progressing", f"{WAITING}observed daemon set generation less than desired generation")
    wanted, updated = number(status, "desiredNumberScheduled"), number(status, "updatedNumberScheduled")
    if mapping(obj, "spec", "updateStrategy").get("type") == "OnDelete":
        return Health("Healthy", f"daemon set {updated} out of {wanted} new pods have been updated")
    start = f"Waiting for daemon set {quoted(text(mapping(obj, 'metadata'), 'name'))} rollout to finish: "
    if updated < wanted:
        return Health("Progressing", f"{start}{updated} out of {wanted} new pods have been updated...")
    available = number(status, "numberAvailable")
    if available < wanted:
        return Health("Progressing", f"{start}{available} of {wanted} updated pods are available...")
    return Health("Healthy")


def autoscaler(obj: Obj) -> Health:
    for one in _hpa_conditions(obj):
        kind = text(one, "type")
        if (kind, text(one, "reason")) in _HPA_FAILURES:
            return Health("Degraded", text(one, "message"))
        if kind in {"AbleToScale", "ScalingLimited"} and one.get("status") == "True":
            return Health("Healthy", text(one, "message"))
    return AUTOSCALE


def _hpa_conditions(obj: Obj) -> Iterator[Obj]:
    """autoscaling/v1 keeps its conditions as JSON in an annotation."""
    if obj.get("apiVersion") != "autoscaling/v1":
        return items(mapping(obj, "status"), "conditions")
    written = text(mapping(obj, "metadata", "annotations"), HPA_ANNOTATION)
    try:
        return items({"conditions": orjson.loads(written or "[]")}, "conditions")
    except orjson.JSONDecodeError as error:
        raise Malformed(f"failed to convert conditions annotation to typed: {error}") from error
