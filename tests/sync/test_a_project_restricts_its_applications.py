"""AppProject: repositories, destinations and kinds that it does not permit stop an Application, with the reason."""

from typing import Any

import orjson

from tests.parts.delivery import ARGO, Delivery, complains, config_map, synced

Obj = dict[str, Any]
EVERYTHING: Obj = {
    "sourceRepos": ["*"],
    "destinations": [{"server": "*", "namespace": "*"}],
    "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
}


async def with_project(
    delivery: Delivery, spec: Obj, manifests: dict[str, bytes], labels: dict[str, str] | None = None
) -> None:
    """An Application of a project of its own."""
    delivery.begin({f"app/{name}": content for name, content in manifests.items()})
    project = {"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "spec": {**EVERYTHING, **spec}}
    metadata = {"name": delivery.app, "namespace": ARGO, "labels": labels or {}}
    await delivery.apply(project | {"metadata": metadata})
    app = delivery.application(project=delivery.app, automated={})
    app["spec"]["syncPolicy"]["retry"] = {"limit": 0}
    await delivery.apply(app)


async def test_a_repository_that_is_not_permitted(delivery: Delivery) -> None:
    await with_project(delivery, {"sourceRepos": ["https://example.com/*"]}, {"a.json": config_map("a")})
    await delivery.until(complains("InvalidSpecError", "is not permitted in project", delivery.app))


async def test_a_destination_that_is_not_permitted(delivery: Delivery) -> None:
    only = {"destinations": [{"server": "*", "namespace": "elsewhere"}]}
    await with_project(delivery, only, {"a.json": config_map("a")})
    await delivery.until(complains("InvalidSpecError", "do not match any of the allowed destinations"))


async def test_permission_that_is_given_later_lets_it_go_on(delivery: Delivery) -> None:
    await with_project(delivery, {"sourceRepos": []}, {"a.json": config_map("a")})
    await delivery.until(complains("InvalidSpecError", "is not permitted"))
    project = {"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "spec": EVERYTHING}
    await delivery.apply(project | {"metadata": {"name": delivery.app, "namespace": ARGO}})
    await delivery.until(synced)


async def test_a_kind_that_is_not_permitted_stops_the_sync_before_anything_is_applied(delivery: Delivery) -> None:
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": delivery.app}}
    manifests = {"a.json": config_map("a"), "role.json": orjson.dumps({**role, "rules": []})}
    await with_project(delivery, {"clusterResourceWhitelist": []}, manifests)
    app = await delivery.until(lambda app: app["status"]["operationState"]["phase"] == "Failed")
    assert "ClusterRole is not permitted in project" in app["status"]["operationState"]["message"]
    assert await delivery.get("ConfigMap", "a") is None


async def test_an_object_in_a_namespace_that_is_not_permitted(delivery: Delivery) -> None:
    stray = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "stray", "namespace": "kube-system"}}
    only = {"destinations": [{"server": "*", "namespace": delivery.namespace}]}
    await with_project(delivery, only, {"stray.json": orjson.dumps(stray)})
    app = await delivery.until(lambda app: app["status"]["operationState"]["phase"] == "Failed")
    assert "namespace kube-system is not permitted" in app["status"]["operationState"]["message"]


def project(delivery: Delivery, **spec: Any) -> Obj:
    """The project of the test's own name."""
    metadata: Obj = {"name": delivery.app, "namespace": ARGO}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": metadata,
        "spec": EVERYTHING | spec,
    }


async def test_an_invalid_project_permits_nothing_and_every_problem_is_named(delivery: Delivery) -> None:
    roles = [{"name": "dev", "policies": ["p, role:admin, applications, *, */*, allow"]}]
    await with_project(delivery, {"sourceRepos": ["*", "!["], "roles": roles}, {"a.json": config_map("a")})
    await delivery.until(complains("InvalidSpecError", "is invalid", "'![' can't be read", "its subject must be"))
    await delivery.until_event("AppProject", delivery.app, "InvalidProject", "its object must be")
    assert await delivery.get("ConfigMap", "a") is None


async def test_a_project_goes_only_after_its_applications(delivery: Delivery) -> None:
    await with_project(delivery, {}, {"a.json": config_map("a")})
    await delivery.until(synced)
    leaving = project(delivery)
    leaving["metadata"]["finalizers"] = ["resources-finalizer.argocd.argoproj.io"]
    await delivery.apply(leaving)
    assert (await delivery.stack.kubectl("delete", "appproject", delivery.app, "-n", ARGO, "--wait=false")).code == 0
    await delivery.until_event("AppProject", delivery.app, "DeletionBlocked", f"{ARGO}/{delivery.app}")
    assert (await delivery.stack.kubectl("delete", "application", delivery.app, "-n", ARGO)).code == 0
    await delivery.until_gone("argoproj.io", "AppProject", delivery.app, namespace=ARGO)


async def test_what_a_global_project_denies_is_denied(delivery: Delivery) -> None:
    everybody = project(delivery, namespaceResourceBlacklist=[{"group": "", "kind": "ConfigMap"}])
    everybody["metadata"]["name"] = f"{delivery.app}-all"
    await delivery.apply(everybody)
    rule = [{"projectName": f"{delivery.app}-all", "labelSelector": {"matchLabels": {"of": delivery.app}}}]
    async with delivery.setting("globalProjects", orjson.dumps(rule).decode()):
        await with_project(delivery, {}, {"a.json": config_map("a")}, {"of": delivery.app})
        app = await delivery.until(lambda app: app["status"]["operationState"]["phase"] == "Failed")
    assert "ConfigMap is not permitted in project" in app["status"]["operationState"]["message"]


async def test_a_hook_of_a_kind_that_is_not_permitted_stops_the_sync(delivery: Delivery) -> None:
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "rules": []}
    hook = {**role, "metadata": {"name": delivery.app, "annotations": {"argocd.argoproj.io/hook": "PreSync"}}}
    manifests = {"a.json": config_map("a"), "role.json": orjson.dumps(hook)}
    await with_project(delivery, {"clusterResourceWhitelist": []}, manifests)
    app = await delivery.until(lambda app: app["status"]["operationState"]["phase"] == "Failed")
    assert "ClusterRole is not permitted in project" in app["status"]["operationState"]["message"]


async def test_an_operation_cannot_bring_a_source_that_is_not_permitted(delivery: Delivery) -> None:
    await with_project(delivery, {"sourceRepos": ["http://127.0.0.1:*/*"]}, {"a.json": config_map("a")})
    await delivery.until(synced)
    source = {"repoURL": "https://example.com/other.git", "path": "app", "targetRevision": "HEAD"}
    await delivery.patch({"operation": {"sync": {"source": source}}})
    app = await delivery.until(lambda app: app["status"]["operationState"]["phase"] in {"Failed", "Error"})
    assert "https://example.com/other.git is not permitted" in app["status"]["operationState"]["message"]


async def test_a_namespace_is_created_only_where_the_project_permits_that(delivery: Delivery) -> None:
    await with_project(delivery, {"clusterResourceWhitelist": []}, {"a.json": config_map("a")})
    app = await delivery.until(lambda app: app["status"]["operationState"]["phase"] == "Failed")
    assert "Resource :Namespace is not permitted in project" in app["status"]["operationState"]["message"]
    found = await delivery.stack.kubectl("get", "namespace", delivery.namespace)
    assert found.code != 0


async def test_what_the_project_does_not_permit_is_neither_pruned_nor_deleted(delivery: Delivery) -> None:
    await with_project(delivery, {}, {"a.json": config_map("a"), "b.json": config_map("b")})
    await delivery.until(synced)
    fewer = {"namespaceResourceBlacklist": [{"group": "", "kind": "ConfigMap"}]}
    await delivery.apply(project(delivery, **fewer))
    await delivery.push({"app/s.json": SERVICE_ACCOUNT}, remove=("app/a.json", "app/b.json"))
    await delivery.until(lambda app: synced_kinds(app) == {"ServiceAccount"})
    assert (await delivery.stack.kubectl("delete", "application", delivery.app, "-n", ARGO)).code == 0
    await delivery.until_gone("", "ServiceAccount", "s")
    assert await delivery.get("ConfigMap", "a")


SERVICE_ACCOUNT = orjson.dumps({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "s"}})


def synced_kinds(app: Obj) -> set[str]:
    return {one["kind"] for one in app["status"]["resources"] if one["status"] == "Synced"}


async def test_a_hook_before_the_deletion_runs_only_where_the_project_permits_it(delivery: Delivery) -> None:
    """Neither a kind nor a repository that is not permitted comes in by the back door of a deletion."""
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "rules": []}
    hook = {**role, "metadata": {"name": delivery.app, "annotations": {"argocd.argoproj.io/hook": "PreDelete"}}}
    await with_project(delivery, {}, {"a.json": config_map("a"), "role.json": orjson.dumps(hook)})
    await delivery.until(lambda app: synced(app) and len(app["metadata"]["finalizers"]) > 1)
    for spec, words in (
        ({"clusterResourceWhitelist": []}, "ClusterRole is not permitted in project"),
        ({"sourceRepos": ["https://example.com/*"]}, "is not permitted in project"),
    ):
        await delivery.apply(project(delivery, **spec))
        if "sourceRepos" not in spec:
            assert (
                await delivery.stack.kubectl("delete", "application", delivery.app, "-n", ARGO, "--wait=false")
            ).code == 0
        await delivery.until(complains("DeletionError", words, "take the finalizer"))
    assert (await delivery.stack.kubectl("get", "clusterrole", delivery.app)).code != 0
    assert await delivery.get("ConfigMap", "a")
    await delivery.apply(project(delivery))
    await delivery.until_gone("argoproj.io", "Application", delivery.app, namespace=ARGO)
    await delivery.stack.kubectl("delete", "clusterrole", delivery.app, "--ignore-not-found")
