"""Every built-in check, with the words that Argo CD uses. One row: a kind, its spec and status, what is said of it."""

from typing import Any

import pytest

from shared.health import Health, application_health, health, worst

Obj = dict[str, Any]
NEW = {"generation": 2, "name": "web"}
SEEN = {"observedGeneration": 2}
READY = {"conditions": [{"type": "Ready", "status": "True"}]}
HPA_TEXT = '[{"type": "AbleToScale", "status": "True", "reason": "Ok", "message": "can scale"}]'


def deployment(spec: Obj, status: Obj) -> Obj:
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": NEW, "spec": spec, "status": SEEN | status}


def of(api_version: str, kind: str, spec: Obj, status: Obj, **metadata: Any) -> Obj:
    found = {"apiVersion": api_version, "kind": kind, "metadata": NEW | metadata, "spec": spec, "status": status}
    return {key: value for key, value in found.items() if value != {}}


def lasting(obj: Obj) -> Obj:
    """Marked as one that runs for ever, whatever its restart policy says."""
    return {**obj, "metadata": {"annotations": {"argocd.argoproj.io/ignore-restart-policy": "true"}}}


def pod(policy: str, **status: Any) -> Obj:
    return of("v1", "Pod", {"restartPolicy": policy}, status)


def waiting(reason: str) -> list[Obj]:
    return [{"name": "a", "state": {"waiting": {"reason": reason, "message": f"why {reason}"}}}]


def ended(**end: Any) -> list[Obj]:
    return [{"name": "a", "state": {"terminated": end}}]


def job(*conditions: tuple[str, str, str]) -> Obj:
    listed = [{"type": kind, "status": status, "message": message} for kind, status, message in conditions]
    return of("batch/v1", "Job", {}, {"conditions": listed})


def hpa(kind: str, status: str, reason: str) -> Obj:
    condition = {"type": kind, "status": status, "reason": reason, "message": f"{kind} {reason}"}
    return of("autoscaling/v2", "HorizontalPodAutoscaler", {}, {"conditions": [condition]})


ROLL = "Waiting for rollout to finish: "
WORKLOADS: list[tuple[Obj, Health]] = [
    (deployment({"paused": True}, {}), Health("Suspended", "Deployment is paused")),
    (
        of("apps/v1", "Deployment", {"replicas": 1}, {"observedGeneration": 1}),
        Health("Progressing", f"{ROLL}observed deployment generation less than desired generation"),
    ),
    (
        deployment({}, {"conditions": [{"type": "Progressing", "reason": "ProgressDeadlineExceeded"}]}),
        Health("Degraded", 'Deployment "web" exceeded its progress deadline'),
    ),
    (
        deployment({"replicas": 3}, {"updatedReplicas": 1}),
        Health("Progressing", f"{ROLL}1 out of 3 new replicas have been updated..."),
    ),
    (
        deployment({"replicas": 2}, {"updatedReplicas": 2, "replicas": 3}),
        Health("Progressing", f"{ROLL}1 old replicas are pending termination..."),
    ),
    (
        deployment({"replicas": 2}, {"updatedReplicas": 2, "replicas": 2, "availableReplicas": 1}),
        Health("Progressing", f"{ROLL}1 of 2 updated replicas are available..."),
    ),
    (deployment({"replicas": 1}, {"updatedReplicas": 1, "replicas": 1, "availableReplicas": 1}), Health("Healthy")),
    (deployment({"replicas": 0}, {}), Health("Healthy")),
    (
        of("apps/v1", "StatefulSet", {"replicas": 1}, {}),
        Health("Progressing", "Waiting for statefulset spec update to be observed..."),
    ),
    (
        of("apps/v1", "StatefulSet", {"replicas": 3}, SEEN | {"readyReplicas": 1}),
        Health("Progressing", "Waiting for 2 pods to be ready..."),
    ),
    (
        of(
            "apps/v1",
            "StatefulSet",
            {"replicas": 3, "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}},
            SEEN | {"readyReplicas": 3, "updatedReplicas": 1},
        ),
        Health("Progressing", "Waiting for partitioned roll out to finish: 1 out of 2 new pods have been updated..."),
    ),
    (
        of(
            "apps/v1",
            "StatefulSet",
            {"replicas": 1, "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}},
            SEEN | {"readyReplicas": 1, "updatedReplicas": 1},
        ),
        Health("Healthy", "partitioned roll out complete: 1 new pods have been updated..."),
    ),
    (
        of(
            "apps/v1",
            "StatefulSet",
            {"replicas": 1, "updateStrategy": {"type": "OnDelete"}},
            SEEN | {"readyReplicas": 1},
        ),
        Health("Healthy", "statefulset has 1 ready pods"),
    ),
    (
        of("apps/v1", "StatefulSet", {}, SEEN | {"updateRevision": "b", "currentRevision": "a", "updatedReplicas": 1}),
        Health("Progressing", "waiting for statefulset rolling update to complete 1 pods at revision b..."),
    ),
    (
        of("apps/v1", "StatefulSet", {}, SEEN | {"updateRevision": "b", "currentRevision": "b", "currentReplicas": 2}),
        Health("Healthy", "statefulset rolling update complete 2 pods at revision b..."),
    ),
    (
        of("apps/v1", "ReplicaSet", {"replicas": 1}, {"observedGeneration": 1}),
        Health("Progressing", f"{ROLL}observed replica set generation less than desired generation"),
    ),
    (
        of(
            "apps/v1",
            "ReplicaSet",
            {},
            SEEN | {"conditions": [{"type": "ReplicaFailure", "status": "True", "message": "no quota"}]},
        ),
        Health("Degraded", "no quota"),
    ),
    (
        of("apps/v1", "ReplicaSet", {"replicas": 2}, SEEN | {"availableReplicas": 1}),
        Health("Progressing", f"{ROLL}1 out of 2 new replicas are available..."),
    ),
    (of("apps/v1", "ReplicaSet", {"replicas": 1}, SEEN | {"availableReplicas": 1}), Health("Healthy")),
    (
        of("apps/v1", "DaemonSet", {}, {}),
        Health("Progressing", f"{ROLL}observed daemon set generation less than desired generation"),
    ),
    (
        of("apps/v1", "DaemonSet", {"updateStrategy": {"type": "OnDelete"}}, SEEN | {"desiredNumberScheduled": 2}),
        Health("Healthy", "daemon set 0 out of 2 new pods have been updated"),
    ),
    (
        of("apps/v1", "DaemonSet", {}, SEEN | {"desiredNumberScheduled": 2, "updatedNumberScheduled": 1}),
        Health(
            "Progressing", 'Waiting for daemon set "web" rollout to finish: 1 out of 2 new pods have been updated...'
        ),
    ),
    (
        of(
            "apps/v1",
            "DaemonSet",
            {},
            SEEN | {"desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 1},
        ),
        Health("Progressing", 'Waiting for daemon set "web" rollout to finish: 1 of 2 updated pods are available...'),
    ),
    (of("apps/v1", "DaemonSet", {}, SEEN), Health("Healthy")),
]
PODS: list[tuple[Obj, Health]] = [
    (pod("Always", phase="Pending", message="wait"), Health("Progressing", "wait")),
    (
        pod("Always", phase="Pending", containerStatuses=waiting("ImagePullBackOff")),
        Health("Degraded", "why ImagePullBackOff"),
    ),
    (pod("Always", phase="Running", containerStatuses=waiting("ErrImagePull")), Health("Degraded", "why ErrImagePull")),
    (pod("Never", phase="Pending", containerStatuses=waiting("ImagePullBackOff")), Health("Progressing")),
    (pod("Always", phase="Running", **READY), Health("Healthy")),
    (pod("Always", phase="Running"), Health("Progressing")),
    (
        pod("Always", phase="Running", containerStatuses=[{"lastState": {"terminated": {"exitCode": 1}}}]),
        Health("Degraded"),
    ),
    (pod("OnFailure", phase="Running", **READY), Health("Progressing")),
    (lasting(pod("OnFailure", phase="Running", **READY)), Health("Healthy")),
    (pod("Never", phase="Succeeded"), Health("Healthy")),
    (pod("Never", phase="Failed", message="evicted"), Health("Degraded", "evicted")),
    (pod("Never", phase="Failed", containerStatuses=ended(message="bad flag")), Health("Degraded", "bad flag")),
    (pod("Never", phase="Failed", containerStatuses=ended(reason="OOMKilled")), Health("Degraded", "OOMKilled")),
    (
        pod("Never", phase="Failed", initContainerStatuses=ended(exitCode=3)),
        Health("Degraded", 'container "a" failed with exit code 3'),
    ),
    (pod("Always"), Health("Unknown")),
    (job(), Health("Progressing")),
    (job(("Complete", "True", "done")), Health("Healthy", "done")),
    (job(("Failed", "True", "too often")), Health("Degraded", "too often")),
    (job(("Suspended", "True", "Job suspended")), Health("Suspended", "Job suspended", counts_as="Healthy")),
    (job(("Suspended", "False", "Job resumed")), Health("Progressing")),
    (job(("Suspended", "False", "Job resumed"), ("Complete", "True", "")), Health("Healthy")),
]
OTHERS: list[tuple[Obj, Health | None]] = [
    (of("v1", "Service", {"type": "ClusterIP"}, {}), Health("Healthy")),
    (of("v1", "Service", {"type": "LoadBalancer"}, {}), Health("Progressing")),
    (of("v1", "Service", {"type": "LoadBalancer"}, {"loadBalancer": {"ingress": [{"ip": "1"}]}}), Health("Healthy")),
    (of("networking.k8s.io/v1", "Ingress", {}, {}), Health("Progressing")),
    (of("networking.k8s.io/v1", "Ingress", {}, {"loadBalancer": {"ingress": [{}]}}), Health("Healthy")),
    (of("v1", "PersistentVolumeClaim", {}, {"phase": "Pending"}), Health("Progressing")),
    (of("v1", "PersistentVolumeClaim", {}, {"phase": "Bound"}), Health("Healthy")),
    (of("v1", "PersistentVolumeClaim", {}, {"phase": "Lost"}), Health("Degraded")),
    (hpa("AbleToScale", "False", "FailedGetScale"), Health("Degraded", "AbleToScale FailedGetScale")),
    (
        hpa("ScalingActive", "False", "FailedGetResourceMetric"),
        Health("Degraded", "ScalingActive FailedGetResourceMetric"),
    ),
    (hpa("AbleToScale", "True", "ReadyForNewScale"), Health("Healthy", "AbleToScale ReadyForNewScale")),
    (hpa("ScalingActive", "True", "ValidMetricFound"), Health("Progressing", "Waiting to Autoscale")),
    (
        of(
            "autoscaling/v1",
            "HorizontalPodAutoscaler",
            {},
            {},
            annotations={"autoscaling.alpha.kubernetes.io/conditions": HPA_TEXT},
        ),
        Health("Healthy", "can scale"),
    ),
    (of("autoscaling/v1", "HorizontalPodAutoscaler", {}, {}), Health("Progressing", "Waiting to Autoscale")),
    (of("apiregistration.k8s.io/v1", "APIService", {}, {}), Health("Progressing", "Waiting to be processed")),
    (
        of(
            "apiregistration.k8s.io/v1",
            "APIService",
            {},
            {"conditions": [{"type": "Available", "status": "True", "reason": "Local", "message": "ok"}]},
        ),
        Health("Healthy", "Local: ok"),
    ),
    (of("argoproj.io/v1alpha1", "Workflow", {}, {}), Health("Progressing")),
    (
        of("argoproj.io/v1alpha1", "Workflow", {}, {"phase": "Failed", "message": "step 2"}),
        Health("Degraded", "step 2"),
    ),
    (of("v1", "ConfigMap", {}, {}), None),
    (of("argoproj.io/v1alpha1", "Application", {}, {"health": {"status": "Healthy"}}), None),
    (of("apps.example.org/v1", "Deployment", {"paused": True}, {}), None),
]


@pytest.mark.parametrize(("obj", "expected"), [*WORKLOADS, *PODS, *OTHERS])
def test_an_object_is_as_healthy_as_argo_cd_says(obj: Obj, expected: Health | None) -> None:
    assert health(obj) == expected


def test_whatever_is_being_deleted_is_progressing_except_hooks_that_are_held() -> None:
    gone = of("v1", "ConfigMap", {}, {}, deletionTimestamp="2026-01-01T00:00:00Z")
    assert health(gone) == Health("Progressing", "Pending deletion")
    held = job(("Complete", "True", "done"))
    held["metadata"] |= {
        "deletionTimestamp": "2026-01-01T00:00:00Z",
        "finalizers": ["argocd.argoproj.io/hook-finalizer"],
    }
    assert health(held) == Health("Healthy", "done")


@pytest.mark.parametrize(
    "broken",
    [
        deployment({"replicas": "two"}, {}),
        of("v1", "Pod", {"restartPolicy": "Always"}, {"containerStatuses": "none"}),
        of("apps/v1", "StatefulSet", {"updateStrategy": []}, {"observedGeneration": True}),
        of(
            "autoscaling/v1",
            "HorizontalPodAutoscaler",
            {},
            {},
            annotations={"autoscaling.alpha.kubernetes.io/conditions": "{"},
        ),
        {"apiVersion": "v1", "kind": "Service", "metadata": {}, "spec": ["x"]},
    ],
)
def test_a_malformed_object_is_unknown_and_says_why(broken: Obj) -> None:
    found = health(broken)
    assert found is not None
    assert found.status == "Unknown"
    assert found.message


def test_the_worst_status_of_several_counts_and_nothing_is_healthy() -> None:
    assert worst([]) == "Healthy"
    assert worst(["Healthy", "Suspended"]) == "Suspended"
    assert worst(["Degraded", "Missing", "Progressing"]) == "Degraded"
    assert worst(["Degraded", "Unknown"]) == "Unknown"


def test_a_suspended_job_weighs_nothing() -> None:
    suspended = health(job(("Suspended", "True", "Job suspended")))
    assert suspended is not None
    assert suspended.weight == "Healthy"


def test_an_application_inside_another_is_as_healthy_as_it_says() -> None:
    child = of("argoproj.io/v1alpha1", "Application", {}, {"health": {"status": "Degraded", "message": "why"}})
    assert application_health(child) == Health("Degraded", "why")
    assert application_health({"kind": "Application"}) == Health("Progressing")
