"""`managedNamespaceMetadata`: set with the namespace, and a drift of it is one of the Application."""

from typing import Any

import pytest

from shared.kube import verbs
from tests.parts.delivery import Delivery, config_map, synced

Obj = dict[str, Any]


async def label(delivery: Delivery, **labels: str | None) -> None:
    resource = await delivery.discovery.resource("", "Namespace")
    await verbs.patch(delivery.cluster, resource, None, delivery.namespace, {"metadata": {"labels": labels}})


def listed(status: str) -> Any:
    return lambda app: (app["status"]["sync"]["status"], status) == (status, space(app)["status"])


def space(app: Obj) -> Obj:
    found: Obj = next(one for one in app["status"]["resources"] if one["kind"] == "Namespace")
    return found


async def test_a_drift_of_the_namespace_is_shown_and_healed(delivery: Delivery) -> None:
    delivery.begin({"app/a.json": config_map("a")})
    app = delivery.application(automated={})
    app["spec"]["syncPolicy"]["managedNamespaceMetadata"] = {
        "labels": {"team": "a", "old": "b"},
        "annotations": {"x": "y"},
    }
    await delivery.apply(app)
    seen = await delivery.until(synced)
    result = seen["status"]["operationState"]["syncResult"]
    assert result["managedNamespaceMetadata"]["labels"] == {"team": "a", "old": "b"}
    await delivery.until(listed("Synced"))

    await label(delivery, team="hand", others="own")
    await delivery.until(listed("OutOfSync"))
    await delivery.patch({"spec": {"syncPolicy": {"automated": {"selfHeal": True}}}})
    await delivery.until(lambda app: synced(app) and space(app)["status"] == "Synced")

    await delivery.patch({"spec": {"syncPolicy": {"managedNamespaceMetadata": {"labels": {"old": None}}}}})
    made = await delivery.until_object(
        "", "Namespace", delivery.namespace, lambda obj: "old" not in obj["metadata"]["labels"], namespace=""
    )
    assert {"team": "a", "others": "own"}.items() <= made["metadata"]["labels"].items()
    assert made["metadata"]["annotations"]["x"] == "y"
    await delivery.until(lambda app: synced(app) and space(app)["status"] == "Synced")


@pytest.mark.parametrize("managed", [{}, {"labels": {"team": "a"}}], ids=["plain", "managed"])
async def test_a_namespace_that_somebody_deletes_comes_back_with_what_was_in_it(
    delivery: Delivery, managed: Obj
) -> None:
    delivery.begin({"app/a.json": config_map("a")})
    app = delivery.application(automated={"selfHeal": True})
    backoff = {"duration": "1s", "factor": 1}
    app["spec"]["syncPolicy"] |= {"retry": {"limit": -1, "backoff": backoff}, "managedNamespaceMetadata": managed}
    await delivery.apply(app)
    await delivery.until(synced)
    before = await delivery.until_object("", "Namespace", delivery.namespace, bool, namespace="")
    await delivery.stack.kubectl("delete", "namespace", delivery.namespace, "--wait=false")

    def again(obj: Obj) -> bool:
        return bool(obj["metadata"]["uid"] != before["metadata"]["uid"])

    await delivery.until_object("", "Namespace", delivery.namespace, again, namespace="")
    await delivery.until_object("", "ConfigMap", "a", bool)
    await delivery.until(synced)
