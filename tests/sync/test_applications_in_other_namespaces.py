"""Applications outside Argo CD's namespace: listed by `application.namespaces`, and permitted by their project."""

from typing import Any

import orjson

from tests.parts.delivery import ARGO, Delivery, complains, config_map, synced

Obj = dict[str, Any]
GROUP = "argoproj.io"


async def list_namespaces(delivery: Delivery, listed: str) -> None:
    """Write `application.namespaces`; the running services take it up."""
    params = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cmd-params-cm", "namespace": ARGO}}
    await delivery.apply(params | {"data": {"application.namespaces": listed}})


async def begin(delivery: Delivery, namespace: str, project: Obj) -> None:
    """A project, and an Application of it in a namespace of its own."""
    delivery.begin({"app/a.json": config_map("a")})
    metadata = {"name": delivery.app, "namespace": ARGO}
    rules = {"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}]}
    await delivery.apply(
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "AppProject",
            "metadata": metadata,
            "spec": {**rules, "clusterResourceWhitelist": [{"group": "*", "kind": "*"}], **project},
        }
    )
    await delivery.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    app = delivery.application(project=delivery.app, automated={})
    app["metadata"]["namespace"] = namespace
    await delivery.apply(app)


async def end(delivery: Delivery, namespace: str) -> None:
    """The Application goes before its namespace."""
    await delivery.stack.kubectl("delete", "application", delivery.app, "-n", namespace, "--ignore-not-found")
    await delivery.stack.kubectl("delete", "namespace", namespace, "--wait=false")
    await delivery.stack.kubectl("delete", "configmap", "argocd-cmd-params-cm", "-n", ARGO, "--ignore-not-found")


async def test_a_listed_and_permitted_namespace(delivery: Delivery) -> None:
    place = f"{delivery.app}-team"
    await list_namespaces(delivery, f"nowhere, {delivery.app}-*")
    await begin(delivery, place, {"sourceNamespaces": [place]})
    await delivery.until_object(GROUP, "Application", delivery.app, synced, namespace=place)
    live = await delivery.get("ConfigMap", "a")
    assert live
    tracking = live["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"]
    assert tracking == f"{place}_{delivery.app}:/ConfigMap:{delivery.namespace}/a"
    await end(delivery, place)
    await delivery.until_gone("", "ConfigMap", "a")


async def test_a_listed_namespace_that_the_project_does_not_permit(delivery: Delivery) -> None:
    place = f"{delivery.app}-team"
    await list_namespaces(delivery, f"/^{delivery.app}-.*$/")
    await begin(delivery, place, {"sourceNamespaces": ["elsewhere"]})
    wanted = complains("InvalidSpecError", "is not permitted to use project", delivery.app)
    await delivery.until_object(GROUP, "Application", delivery.app, wanted, namespace=place)
    assert await delivery.get("ConfigMap", "a") is None
    await end(delivery, place)


async def test_a_namespace_that_is_not_listed_is_left_alone(delivery: Delivery) -> None:
    place = f"{delivery.app}-team"
    await begin(delivery, place, {"sourceNamespaces": [place]})
    await delivery.apply(delivery.application())
    await delivery.until(lambda app: app["status"]["sync"]["status"] == "OutOfSync")  # a watch of all had seen both
    silent = await delivery.stack.get("application", delivery.app, "-n", place)
    assert "status" not in silent, orjson.dumps(silent["status"])
    await list_namespaces(delivery, place)
    await delivery.until_object(GROUP, "Application", delivery.app, synced, namespace=place)
    await list_namespaces(delivery, "elsewhere")
    new = await delivery.push({"app/b.json": config_map("b")})
    await delivery.until(
        lambda app: app["status"]["sync"]["revision"] == new
    )  # whoever watches it has heard of the push
    left = await delivery.stack.get("application", delivery.app, "-n", place)
    assert left["status"]["sync"]["revision"] != new
    assert await delivery.get("ConfigMap", "a")
    await list_namespaces(delivery, place)
    await end(delivery, place)
