"""Options of an Application and of an operation, from the object to the cluster. What each does to one object, in all
its cases, is in tests/write; what a sync refuses or leaves out in test_what_a_sync_touches.py.
"""

from typing import Any

import orjson

from shared.kube import verbs
from tests.parts.delivery import Delivery, config_map, synced

Obj = dict[str, Any]


def deployment(**labels: str) -> bytes:
    pod: Obj = {"metadata": {"labels": {"app": "web"}}}
    pod["spec"] = {"terminationGracePeriodSeconds": 0, "containers": [{"name": "c", "image": "nginx"}]}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": pod}
    metadata = {"name": "web", "labels": labels}
    return orjson.dumps({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec})


def immutable(**data: str) -> bytes:
    return orjson.dumps({**orjson.loads(config_map("a", **data)), "immutable": True})


def ended(phase: str, *words: str) -> Any:
    def holds(app: Obj) -> bool:
        state = app["status"]["operationState"]
        return state["phase"] == phase and all(word in state["message"] for word in words)

    return holds


async def test_the_force_of_an_operation_makes_again_what_can_not_be_changed(delivery: Delivery) -> None:
    delivery.begin({"app/a.json": immutable(k="1")})
    await delivery.apply(delivery.application(automated={}))
    await delivery.until(synced)
    before = await delivery.get("ConfigMap", "a")
    await delivery.patch({"spec": {"syncPolicy": {"automated": None}}})
    await delivery.push({"app/a.json": immutable(k="2")})
    await delivery.until(lambda app: app["status"]["sync"]["status"] == "OutOfSync")
    await delivery.patch({"operation": {"sync": {}}})
    await delivery.until(ended("Failed", "immutable"))
    await delivery.patch({"operation": {"sync": {"syncStrategy": {"hook": {"force": True}}}}})
    await delivery.until(synced)
    after = await delivery.get("ConfigMap", "a")
    assert before
    assert after
    assert (after["data"], after["metadata"]["uid"] != before["metadata"]["uid"]) == ({"k": "2"}, True)


async def test_ignored_fields_are_respected_and_orphans_are_left(delivery: Delivery) -> None:
    delivery.begin({"app/web.json": deployment(team="git"), "app/a.json": config_map("a")})
    rule = {"group": "apps", "kind": "Deployment", "jqPathExpressions": [".spec | select(.paused != true) | .replicas"]}
    app = delivery.application(automated={"prune": True, "selfHeal": True}, ignoreDifferences=[rule])
    app["spec"]["syncPolicy"]["syncOptions"] += ["RespectIgnoreDifferences=true", "PrunePropagationPolicy=orphan"]
    await delivery.apply(app)
    await delivery.until(synced)
    resource = await delivery.discovery.resource("apps", "Deployment")
    by_hand = {"spec": {"replicas": 2}, "metadata": {"labels": {"team": "hand"}}}
    await verbs.patch(delivery.cluster, resource, delivery.namespace, "web", by_hand, manager="a-scaler")
    web = await delivery.until_object(
        "apps", "Deployment", "web", lambda obj: obj["metadata"]["labels"]["team"] == "git"
    )
    assert web["spec"]["replicas"] == 2
    sets = await delivery.discovery.resource("apps", "ReplicaSet")
    (owned,) = await verbs.list_(delivery.cluster, sets, delivery.namespace)
    await delivery.push({}, remove=("app/web.json",))
    await delivery.until_gone("apps", "Deployment", "web")
    name = owned["metadata"]["name"]
    left = await delivery.until_object(
        "apps", "ReplicaSet", name, lambda obj: not obj["metadata"].get("ownerReferences")
    )
    assert left["metadata"]["uid"] == owned["metadata"]["uid"]


async def test_an_object_is_replaced_by_its_own_option_and_its_unknown_fields_may_pass(delivery: Delivery) -> None:
    plain = orjson.loads(deployment())
    plain["spec"]["nonsense"] = 1
    options = {"argocd.argoproj.io/sync-options": "Replace=true"}
    replaced: Obj = {**orjson.loads(config_map("a", k="git")), "metadata": {"name": "a", "annotations": options}}
    delivery.begin({"app/web.json": orjson.dumps(plain), "app/a.json": orjson.dumps(replaced)})
    await delivery.stack.kubectl("create", "namespace", delivery.namespace)
    await delivery.stack.kubectl("create", "configmap", "a", "-n", delivery.namespace, "--from-literal=others=x")
    app = delivery.application(automated={})
    app["spec"]["syncPolicy"] |= {"retry": {"limit": 0}}
    await delivery.apply(app)
    await delivery.until(ended("Failed", "nonsense"))
    await delivery.patch({"spec": {"syncPolicy": {"syncOptions": ["CreateNamespace=true", "Validate=false"]}}})
    await delivery.patch({"operation": {"sync": {}}})
    await delivery.until(synced)
    live = await delivery.get("ConfigMap", "a")
    assert live
    assert live["data"] == {"k": "git"}
