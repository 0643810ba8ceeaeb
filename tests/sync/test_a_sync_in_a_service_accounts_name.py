"""Impersonation against a real API server with RBAC: a ServiceAccount that may write ConfigMaps and nothing else."""

from typing import Any

import orjson

from tests.parts.delivery import ARGO, Delivery, complains, config_map, synced
from tests.parts.rights import until_may

Obj = dict[str, Any]
ENABLED = "application.sync.impersonation.enabled"
SECRET = orjson.dumps(
    {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"password": "canary"}}
)


async def with_deployer(delivery: Delivery, rules: list[Obj], files: dict[str, bytes]) -> None:
    """A namespace with a ServiceAccount of few rights, and an Application of a project that names it."""
    place = delivery.namespace
    rbac = "rbac.authorization.k8s.io"
    metadata = {"name": "deployer", "namespace": place}
    right = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "create", "patch", "delete"]}
    account = {"kind": "ServiceAccount", "name": "deployer", "namespace": place}
    role = {"apiGroup": rbac, "kind": "Role", "name": "deployer"}
    project = {
        "sourceRepos": ["*"],
        "destinations": [{"server": "*", "namespace": "*"}],
        "destinationServiceAccounts": rules,
    }
    delivery.begin({f"app/{name}": content for name, content in files.items()})
    for obj in (
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": place}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata},
        {"apiVersion": f"{rbac}/v1", "kind": "Role", "metadata": metadata, "rules": [right]},
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "RoleBinding",
            "metadata": metadata,
            "subjects": [account],
            "roleRef": role,
        },
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "AppProject",
            "metadata": {"name": delivery.app, "namespace": ARGO},
            "spec": project,
        },
    ):
        await delivery.apply(obj)
    await until_may(delivery.cluster, "deployer", place, "create", "configmaps")
    app = delivery.application(project=delivery.app, automated={"prune": True})
    app["spec"]["syncPolicy"] = {"automated": {"prune": True}, "retry": {"limit": 0}}
    await delivery.apply(app)


DEPLOYER: list[Obj] = [{"server": "*", "namespace": "*", "defaultServiceAccount": "deployer"}]


async def test_the_account_writes_and_prunes_what_it_may(delivery: Delivery) -> None:
    async with delivery.setting(ENABLED, "true"):
        await with_deployer(delivery, DEPLOYER, {"a.json": config_map("a"), "b.json": config_map("b")})
        await delivery.until(synced)
        await delivery.push({}, remove=("app/b.json",))
        await delivery.until_gone("", "ConfigMap", "b")
        await delivery.until(synced)


async def test_what_the_account_may_not_write_fails_the_sync(delivery: Delivery) -> None:
    async with delivery.setting(ENABLED, "true"):
        await with_deployer(delivery, DEPLOYER, {"a.json": config_map("a"), "s.json": SECRET})
        app = await delivery.until(lambda app: app["status"]["operationState"]["phase"] == "Failed")
    message = app["status"]["operationState"]["message"]
    assert f"system:serviceaccount:{delivery.namespace}:deployer" in message
    assert "Secret/s" in message
    assert "canary" not in message
    assert await delivery.get("Secret", "s") is None


async def test_without_a_rule_that_fits_nothing_is_written(delivery: Delivery) -> None:
    elsewhere = [{"server": "*", "namespace": "elsewhere", "defaultServiceAccount": "deployer"}]
    async with delivery.setting(ENABLED, "true"):
        await with_deployer(delivery, elsewhere, {"a.json": config_map("a")})
        app = await delivery.until(lambda app: app["status"]["operationState"]["phase"] == "Error")
    assert "failed to find a matching service account to impersonate" in app["status"]["operationState"]["message"]
    assert await delivery.get("ConfigMap", "a") is None


async def test_switched_off_our_own_account_writes(delivery: Delivery) -> None:
    await with_deployer(delivery, [], {"a.json": config_map("a"), "s.json": SECRET})
    await delivery.until(synced)


async def test_a_hook_before_the_deletion_has_no_more_rights(delivery: Delivery) -> None:
    hook = orjson.loads(SECRET)
    hook["metadata"]["annotations"] = {"argocd.argoproj.io/hook": "PreDelete"}
    async with delivery.setting(ENABLED, "true"):
        await with_deployer(delivery, DEPLOYER, {"a.json": config_map("a"), "s.json": orjson.dumps(hook)})
        await delivery.until(lambda app: synced(app) and len(app["metadata"]["finalizers"]) > 1)
        gone = await delivery.stack.kubectl("delete", "application", delivery.app, "-n", ARGO, "--wait=false")
        assert gone.code == 0
        user = f"system:serviceaccount:{delivery.namespace}:deployer"
        await delivery.until(complains("DeletionError", "PreDelete hook Secret/s failed", user))
        assert await delivery.get("Secret", "s") is None
        await delivery.patch({"metadata": {"finalizers": None}})
