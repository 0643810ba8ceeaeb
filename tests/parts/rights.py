"""Rights that count: the API server learns of a RoleBinding by a watch of its own, a moment after it is written."""

import asyncio

from shared.kube import Cluster, Resource, verbs

REVIEWS = Resource("authorization.k8s.io", "v1", "SubjectAccessReview", "subjectaccessreviews", namespaced=False)


async def until_may(cluster: Cluster, account: str, namespace: str, verb: str, resource: str) -> None:
    """Wait until a ServiceAccount of the namespace may do this with a resource of the core group there."""
    attributes = {"namespace": namespace, "verb": verb, "resource": resource}
    asked = {"user": f"system:serviceaccount:{namespace}:{account}", "resourceAttributes": attributes}
    review = {"apiVersion": REVIEWS.api_version, "kind": REVIEWS.kind, "spec": asked}
    async with asyncio.timeout(60):
        while not (await verbs.create(cluster, REVIEWS, review))["status"]["allowed"]:
            pass
