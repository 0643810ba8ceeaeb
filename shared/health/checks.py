"""Which check belongs to which kind, and the checks that are one question long."""

from collections.abc import Callable, Mapping
from typing import Any

from shared.health import extensions, pods, workloads
from shared.health.fields import Malformed, condition, mapping, text
from shared.health.status import ORDER, Health, Status

Obj = Mapping[str, Any]
Check = Callable[[Obj], Health]
HOOK_FINALIZER = "argocd.argoproj.io/hook-finalizer"
DELETING = Health("Progressing", "Pending deletion")


def service(obj: Obj) -> Health:
    if text(mapping(obj, "spec"), "type") == "LoadBalancer":
        return ingress(obj)
    return Health("Healthy")


def ingress(obj: Obj) -> Health:
    return Health("Healthy" if mapping(obj, "status", "loadBalancer").get("ingress") else "Progressing")


def claim(obj: Obj) -> Health:
    phases: dict[str, Status] = {"Lost": "Degraded", "Pending": "Progressing", "Bound": "Healthy"}
    return Health(phases.get(text(mapping(obj, "status"), "phase"), "Unknown"))


def api_service(obj: Obj) -> Health:
    available = condition(mapping(obj, "status"), "Available")
    if available is None:
        return Health("Progressing", "Waiting to be processed")
    message = f"{text(available, 'reason')}: {text(available, 'message')}"
    return Health("Healthy" if available.get("status") == "True" else "Progressing", message)


_WORKFLOW: dict[str, Status] = {
    "": "Progressing",
    "Pending": "Progressing",
    "Running": "Progressing",
    "Succeeded": "Healthy",
    "Failed": "Degraded",
    "Error": "Degraded",
}


def workflow(obj: Obj) -> Health:
    status = mapping(obj, "status")
    return Health(_WORKFLOW.get(text(status, "phase"), "Unknown"), text(status, "message"))


def application_health(obj: Obj) -> Health:
    """An Application inside another. Argo CD counts it only when the settings ask for it, so the caller decides."""
    found = mapping(obj, "status", "health")
    status: Status = next((known for known in ORDER if known == found.get("status")), "Progressing")
    return Health(status, text(found, "message"))


CHECKS: dict[tuple[str, str], Check] = extensions.CHECKS | {
    ("apps", "Deployment"): workloads.deployment,
    ("apps", "StatefulSet"): workloads.stateful_set,
    ("apps", "ReplicaSet"): workloads.replica_set,
    ("apps", "DaemonSet"): workloads.daemon_set,
    ("autoscaling", "HorizontalPodAutoscaler"): workloads.autoscaler,
    ("", "Pod"): pods.pod,
    ("", "Service"): service,
    ("", "PersistentVolumeClaim"): claim,
    ("batch", "Job"): pods.job,
    ("networking.k8s.io", "Ingress"): ingress,
    ("extensions", "Ingress"): ingress,
    ("apiregistration.k8s.io", "APIService"): api_service,
    ("argoproj.io", "Workflow"): workflow,
}


def leaving(obj: Obj) -> bool:
    """Tell whether an object is being deleted, and not only waits for the end of the sync whose hook it is."""
    metadata = obj.get("metadata") or {}
    return bool(metadata.get("deletionTimestamp")) and HOOK_FINALIZER not in (metadata.get("finalizers") or ())


def health(obj: Obj) -> Health | None:
    """Give the health of a live object; None for kinds that have none."""
    if leaving(obj):
        return DELETING
    group, _, _ = str(obj.get("apiVersion") or "").rpartition("/")
    check = CHECKS.get((group, str(obj.get("kind") or "")))
    if check is None:
        return None
    try:
        return check(obj)
    except Malformed as error:
        return Health("Unknown", f"failed to read the {obj.get('kind')}: {error}")
