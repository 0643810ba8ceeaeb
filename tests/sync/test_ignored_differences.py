"""`ignoreDifferences`: what another controller owns is left to it, everything else is still healed."""

from typing import Any

import orjson
import pytest

from shared.kube import verbs
from tests.parts.delivery import Delivery, complains, synced

Obj = dict[str, Any]
RULES: list[Obj] = [
    {"group": "apps", "kind": "Deployment", "jsonPointers": ["/spec/replicas"]},
    {"group": "apps", "kind": "*", "jqPathExpressions": [".spec.replicas"]},
    {"group": "*", "kind": "*", "managedFieldsManagers": ["the-autoscaler"]},
]


def deployment(labels: dict[str, str]) -> Obj:
    containers = [{"name": "c", "image": "nginx"}]
    pod_spec = {"terminationGracePeriodSeconds": 0, "containers": containers}
    pod = {"metadata": {"labels": {"app": "web"}}, "spec": pod_spec}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": pod}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "labels": labels}, "spec": spec}


async def change(delivery: Delivery, patch: Obj) -> None:
    """Change the live object as an autoscaler does."""
    resource = await delivery.discovery.resource("apps", "Deployment")
    await verbs.patch(delivery.cluster, resource, delivery.namespace, "web", patch, manager="the-autoscaler")


@pytest.mark.parametrize("rule", RULES, ids=["pointer", "jq", "manager"])
async def test_an_autoscaler_keeps_its_replicas_and_other_drift_is_healed(delivery: Delivery, rule: Obj) -> None:
    delivery.begin({"app/web.json": orjson.dumps(deployment({"team": "git"}))})
    app = delivery.application(automated={"selfHeal": True}, ignoreDifferences=[rule])
    await delivery.apply(app)
    await delivery.until(synced)
    await change(delivery, {"spec": {"replicas": 3}})
    await delivery.until_object("apps", "Deployment", "web", lambda obj: obj["status"].get("readyReplicas") == 3)
    resource = await delivery.discovery.resource("apps", "Deployment")
    await verbs.patch(delivery.cluster, resource, delivery.namespace, "web", {"metadata": {"labels": {"team": "hand"}}})
    await delivery.until_object("apps", "Deployment", "web", lambda obj: obj["metadata"]["labels"]["team"] == "git")


async def test_what_jq_selects_is_left_alone_and_what_it_does_not_is_healed(delivery: Delivery) -> None:
    delivery.begin({"app/web.json": orjson.dumps(deployment({"team": "git"}))})
    expression = '.spec.template.spec.containers[] | select(.name == "sidecar")'
    rule = {"group": "apps", "kind": "Deployment", "jqPathExpressions": [expression, ".spec.replicas"]}
    await delivery.apply(delivery.application(automated={"selfHeal": True}, ignoreDifferences=[rule]))
    await delivery.until(synced)
    containers = [{"name": "c", "image": "nginx"}, {"name": "sidecar", "image": "proxy"}]
    await change(delivery, {"spec": {"template": {"spec": {"containers": containers}}, "replicas": 2}})
    await delivery.until_object("apps", "Deployment", "web", lambda obj: obj["status"].get("readyReplicas") == 2)
    await delivery.until(synced)
    await change(delivery, {"spec": {"template": {"spec": {"containers": [{**containers[0], "image": "other"}]}}}})
    await delivery.until_object("apps", "Deployment", "web", lambda obj: image_of(obj) == "nginx")


def image_of(obj: Obj) -> str:
    image: str = obj["spec"]["template"]["spec"]["containers"][0]["image"]
    return image


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        (".spec | keys | .[]", "invalid path"),
        (".spec.replicas |", "unexpected EOF"),
        ("last(repeat(.spec))", "took longer than 1s"),
    ],
)
async def test_an_expression_that_jq_refuses_is_told_and_nothing_is_said_to_be_synced(
    delivery: Delivery, expression: str, words: str
) -> None:
    delivery.begin({"app/web.json": orjson.dumps(deployment({}))})
    rule = {"group": "apps", "kind": "Deployment", "jqPathExpressions": [expression]}
    await delivery.apply(delivery.application(automated={}, ignoreDifferences=[rule]))
    app = await delivery.until(complains("ComparisonError", expression, words))
    assert app["status"]["sync"]["status"] == "Unknown"


async def test_a_pointer_that_cannot_be_read_stops_the_application_instead_of_fighting(delivery: Delivery) -> None:
    delivery.begin({"app/web.json": orjson.dumps(deployment({}))})
    rule = {"group": "apps", "kind": "Deployment", "jsonPointers": ["spec.replicas"]}
    await delivery.apply(delivery.application(automated={}, ignoreDifferences=[rule]))
    await delivery.until(complains("InvalidSpecError", "spec.replicas"))
