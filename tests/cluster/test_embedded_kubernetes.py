"""The embedded cluster is Kubernetes: workloads become ready, Jobs end, owners take their objects along."""

import json

from tests.parts.cluster import ClusterUnderTest

_WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {terminationGracePeriodSeconds: 0, containers: [{name: web, image: nginx}]}
"""
_JOB = """
apiVersion: batch/v1
kind: Job
metadata: {name: migrate}
spec:
  template:
    spec: {restartPolicy: Never, initContainers: [{name: a, image: b}], containers: [{name: c, image: d}]}
"""
_SIMULATED = """
apiVersion: v1
kind: Pod
metadata: {{name: broken, annotations: {{tiphys.dev/simulate: {what}}}}}
spec: {{containers: [{{name: web, image: nginx}}]}}
"""


async def test_a_deployment_becomes_available(cluster: ClusterUnderTest, namespace: str) -> None:
    cluster.kubectl("apply", "-n", namespace, "-f", "-", stdin=_WEB)
    await cluster.until("-n", namespace, "--for=condition=Available", "deployment/web")
    assert (
        json.loads(cluster.kubectl("get", "-n", namespace, "deployment/web", "-o=jsonpath={.status.readyReplicas}"))
        == 3
    )


async def test_a_job_completes(cluster: ClusterUnderTest, namespace: str) -> None:
    cluster.kubectl("apply", "-n", namespace, "-f", "-", stdin=_JOB)
    await cluster.until("-n", namespace, "--for=condition=Complete", "job/migrate")


async def test_what_a_deleted_owner_owned_is_collected(cluster: ClusterUnderTest, namespace: str) -> None:
    cluster.kubectl("apply", "-n", namespace, "-f", "-", stdin=_WEB)
    await cluster.until("-n", namespace, "--for=condition=Available", "deployment/web")
    cluster.kubectl("delete", "-n", namespace, "deployment/web", "--cascade=foreground", "--timeout=120s")
    assert cluster.kubectl("get", "-n", namespace, "pods,replicasets", "-o=name") == ""


async def test_a_pod_can_be_made_to_crash(cluster: ClusterUnderTest, namespace: str) -> None:
    await cluster.until_works("get", "-n", namespace, "serviceaccount/default")  # without it no pod is admitted
    cluster.kubectl("apply", "-n", namespace, "-f", "-", stdin=_SIMULATED.format(what="crash"))
    reason = "{.status.containerStatuses[0].state.waiting.reason}"
    await cluster.until("-n", namespace, f"--for=jsonpath={reason}=CrashLoopBackOff", "pod/broken")


async def test_a_service_account_may_do_only_what_a_role_allows(cluster: ClusterUnderTest, namespace: str) -> None:
    cluster.kubectl("create", "-n", namespace, "serviceaccount", "reader")
    cluster.kubectl(
        "create", "-n", namespace, "rolebinding", "read", "--clusterrole=view", f"--serviceaccount={namespace}:reader"
    )
    who = f"--as=system:serviceaccount:{namespace}:reader"
    may = await cluster.until_works("auth", "can-i", "--list", "-n", namespace, who, says="configmaps")
    assert "secrets" not in may


def test_the_api_server_says_its_version_and_has_its_own_service(cluster: ClusterUnderTest) -> None:
    assert json.loads(cluster.kubectl("version", "-o=json"))["serverVersion"]["gitVersion"].startswith("v1.35")
    assert cluster.kubectl("get", "service", "kubernetes", "-o=jsonpath={.spec.clusterIP}") == "10.96.0.1"
