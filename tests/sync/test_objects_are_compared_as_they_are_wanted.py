"""Objects that live in another form than git has: another version, a List, plain Secret values. No endless sync."""

import base64
from typing import Any

import orjson
import pytest

from shared.kube import verbs
from tests.parts.delivery import Delivery, synced

Obj = dict[str, Any]
SCALED = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
OLD: Obj = {
    "apiVersion": "autoscaling/v1",
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "old"},
    "spec": {"scaleTargetRef": SCALED, "maxReplicas": 3, "targetCPUUtilizationPercentage": 80},
}
SECRET: Obj = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "plain"}, "stringData": {"a": "text"}}
ROLE: Obj = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "none"}, "rules": None}
QUOTA: Obj = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "metadata": {"name": "quota"},
    "spec": {"hard": {"requests.cpu": "1000m", "limits.memory": "1024Mi"}},
}


@pytest.mark.parametrize("compared", ["", "ServerSideDiff=true"])
async def test_every_form_is_in_sync_once_applied_and_its_drift_is_healed(delivery: Delivery, compared: str) -> None:
    items = {"apiVersion": "v1", "kind": "List", "items": [OLD, SECRET, ROLE, QUOTA]}
    delivery.begin({"app/all.json": orjson.dumps(items)})
    app = delivery.application(automated={"selfHeal": True})
    app["metadata"]["annotations"] = {"argocd.argoproj.io/compare-options": compared}
    await delivery.apply(app)
    first = await delivery.until(lambda seen: synced(seen) or seen["status"]["sync"]["status"] == "Synced")
    assert {one["kind"] for one in first["status"]["resources"]} == {
        *("HorizontalPodAutoscaler", "Secret", "Role", "ResourceQuota")
    }
    for kind, group, name, patch in (
        ("HorizontalPodAutoscaler", "autoscaling", "old", {"spec": {"maxReplicas": 9}}),
        ("Secret", "", "plain", {"data": {"a": base64.b64encode(b"hand").decode()}}),
    ):
        resource = await delivery.discovery.resource(group, kind)
        await verbs.patch(delivery.cluster, resource, delivery.namespace, name, patch, manager="hand")
    await delivery.until_object(
        "autoscaling", "HorizontalPodAutoscaler", "old", lambda obj: obj["spec"]["maxReplicas"] == 3, seconds=60
    )
    text = base64.b64encode(b"text").decode()
    await delivery.until_object("", "Secret", "plain", lambda obj: obj["data"]["a"] == text)
    last = await delivery.until(lambda seen: seen["status"]["sync"]["status"] == "Synced")
    assert len(last["status"]["history"]) == 1, "a drift that is healed is no deployment, and nothing was synced again"
