"""What stands around an Application: links, Applications inside, orphans, and what it is told to leave alone."""

from typing import Any

import orjson

from shared.kube import verbs
from tests.parts.delivery import ARGO, Delivery, complains, config_map, synced

Obj = dict[str, Any]
EVERYTHING: Obj = {
    "sourceRepos": ["*"],
    "destinations": [{"server": "*", "namespace": "*"}],
    "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
}
PATH = {"path": "/shop", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {"number": 80}}}}
HOST = "shop.example.org"
INGRESS: Obj = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "Ingress",
    "metadata": {"name": "web", "annotations": {"link.argocd.argoproj.io/docs": "Docs|https://docs.example.org"}},
    "spec": {
        "tls": [{"hosts": ["shop.example.org"]}],
        "rules": [{"host": "shop.example.org", "http": {"paths": [PATH]}}],
    },
}
CHILD_HEALTH = """
local found = {status = "Progressing", message = ""}
if obj.status ~= nil and obj.status.health ~= nil then found.status = obj.status.health.status end
return found
"""


async def test_links_are_gathered_and_an_inner_application_counts_only_with_a_script(delivery: Delivery) -> None:
    child = delivery.application(source={"path": "nowhere"})
    child["metadata"] = {"name": f"{delivery.app}-child", "namespace": ARGO}
    delivery.begin({"app/web.json": orjson.dumps(INGRESS), "app/child.json": orjson.dumps(child)})
    await delivery.apply(delivery.application(automated={}))
    app = await delivery.until(lambda app: app["status"]["summary"].get("externalURLs") and in_sync(app))
    assert app["status"]["summary"]["externalURLs"] == [
        "Docs|https://docs.example.org",
        "https://shop.example.org/shop",
    ]
    assert app["status"]["summary"]["isAppOfApps"] is True
    assert "health" not in the_child(app)
    await delivery.settings({"resource.customizations.health.argoproj.io_Application": CHILD_HEALTH})
    await delivery.until(lambda app: the_child(app).get("health"))


def in_sync(app: Obj) -> bool:
    return bool(app["status"]["sync"]["status"] == "Synced")


def the_child(app: Obj) -> Obj:
    (found,) = (one for one in app["status"]["resources"] if one["kind"] == "Application")
    return dict(found)


async def test_a_project_that_asks_is_warned_of_what_nobody_holds(delivery: Delivery) -> None:
    delivery.begin({"app/a.json": config_map("a")})
    rules = {"warn": True, "ignore": [{"kind": "ConfigMap", "name": "known-*"}]}
    project = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": {"name": delivery.app, "namespace": ARGO},
    }
    await delivery.apply({**project, "spec": {**EVERYTHING, "orphanedResources": rules}})
    await delivery.apply(delivery.application(project=delivery.app, automated={}))
    await delivery.until(synced)
    for name in ("known-one", "stray"):
        place = {"name": name, "namespace": delivery.namespace}
        await delivery.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": place})
    await delivery.until(complains("OrphanedResourceWarning", "Application has 1 orphaned resources"))
    await delivery.delete("ConfigMap", "stray")
    await delivery.until(lambda app: not app["status"].get("conditions"))


async def test_an_application_that_is_to_be_left_alone_is_until_it_is_not(delivery: Delivery) -> None:
    delivery.begin({"app/a.json": config_map("a", say="1")})
    await delivery.apply(delivery.application(automated={"selfHeal": True}))
    await delivery.until(synced)
    await delivery.patch({"metadata": {"annotations": {"argocd.argoproj.io/skip-reconcile": "true"}}})
    resource = await delivery.discovery.resource("", "ConfigMap")
    await verbs.patch(delivery.cluster, resource, delivery.namespace, "a", {"data": {"say": "hand"}}, manager="hand")
    other = Delivery(delivery.stack, delivery.cluster, delivery.discovery, delivery.folder, f"{delivery.app}-other")
    other.repo = delivery.repo
    await delivery.apply(other.application(automated={}))
    await other.until(synced)
    left = await delivery.get("ConfigMap", "a")
    assert left is not None
    assert left["data"]["say"] == "hand", "a whole sync of another Application went by, and nobody touched it"
    await delivery.stack.kubectl("delete", "application", other.app, "-n", ARGO, "--wait=false")
    await delivery.patch({"metadata": {"annotations": {"argocd.argoproj.io/skip-reconcile": None}}})
    await delivery.until_object("", "ConfigMap", "a", lambda obj: obj["data"]["say"] == "1")
