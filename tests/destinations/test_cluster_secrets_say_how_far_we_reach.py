"""What a cluster Secret may say besides where and how: some namespaces only, nothing cluster-scoped, leave it alone,
other credentials; and what its ServiceAccount may not list.

One API server is behind all of it, under other addresses; ServiceAccounts with fewer rights make the difference.
"""

import asyncio
from pathlib import Path
from typing import Any

import orjson
import pytest_asyncio

from services.reconciler.reach import Reach, reach_of
from shared.kinds.clusters import ClusterSecret
from shared.kinds.refs import ResourceKey
from shared.kube import Resource, verbs
from tests.parts.delivery import ARGO, Delivery, complains, config_map, synced, synced_to
from tests.parts.destination import SECRETS, direct, far_away
from tests.parts.rights import until_may

Obj = dict[str, Any]
PODS = Resource("", "v1", "Pod", "pods", namespaced=True)
NODES = Resource("", "v1", "Node", "nodes", namespaced=False)
SOME = Reach(("a", "b"))


def test_a_secret_without_namespaces_reaches_everything() -> None:
    assert reach_of(None) == reach_of(ClusterSecret(server="https://x")) == Reach()
    assert Reach().places(PODS) == Reach().places(NODES) == (None,)
    assert not Reach().refusal(ResourceKey("", "Node", "", "n"))


def test_in_namespaced_mode_only_the_named_namespaces_are_listed() -> None:
    assert SOME.places(PODS) == ("a", "b")
    assert SOME.places(NODES) == ()
    assert SOME._replace(cluster_resources=True).places(NODES) == (None,)


def test_in_namespaced_mode_everything_else_is_refused_with_what_to_do() -> None:
    assert not SOME.refusal(ResourceKey("", "Pod", "a", "p"))
    assert "add it to `namespaces`" in SOME.refusal(ResourceKey("", "Pod", "c", "p"))
    assert "set clusterResources" in SOME.refusal(ResourceKey("", "Node", "", "n"))
    assert not SOME._replace(cluster_resources=True).refusal(ResourceKey("", "Node", "", "n"))


@pytest_asyncio.fixture
async def home(delivery: Delivery) -> str:
    """The test's namespace, made before anything is delivered into it."""
    namespaces = await delivery.discovery.resource("", "Namespace")
    made = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": delivery.namespace}}
    await verbs.create(delivery.cluster, namespaces, made)
    return delivery.namespace


async def token(delivery: Delivery, rules: list[Obj]) -> str:
    """A ServiceAccount of the test's namespace with these rights there, and a token of it."""
    metadata = {"name": "deployer", "namespace": delivery.namespace}
    await delivery.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
    api = "rbac.authorization.k8s.io/v1"
    await delivery.apply({"apiVersion": api, "kind": "Role", "metadata": metadata, "rules": rules})
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "deployer"}
    subjects = [{"kind": "ServiceAccount", **metadata}]
    await delivery.apply(
        {"apiVersion": api, "kind": "RoleBinding", "metadata": metadata, "roleRef": ref, "subjects": subjects}
    )
    verb, resource = rules[0]["verbs"][-1], rules[0]["resources"][0]
    await until_may(delivery.cluster, "deployer", delivery.namespace, verb, resource)
    done = await delivery.stack.kubectl("create", "token", "deployer", "-n", delivery.namespace)
    assert done.code == 0, done.err
    return done.out.strip()


def rule(*resources: str, verbs: tuple[str, ...] = ("*",)) -> Obj:
    return {"apiGroups": [""], "resources": list(resources), "verbs": list(verbs)}


async def test_an_account_with_rights_in_one_namespace_is_enough(delivery: Delivery, home: str) -> None:
    login = {"bearerToken": await token(delivery, [rule("configmaps")])}
    async with direct(delivery, namespaces=home, login=login) as far:
        delivery.begin({"app/a.json": config_map("a", v="1")})
        await delivery.apply(far.application(automated={"selfHeal": True}))
        await delivery.until(synced)
        await delivery.delete("ConfigMap", "a")
        await delivery.until_object("", "ConfigMap", "a", lambda obj: obj["data"] == {"v": "1"})


async def test_what_is_outside_is_refused_and_nothing_is_touched(delivery: Delivery, home: str) -> None:
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": delivery.app}}
    async with far_away(delivery, Path(delivery.stack.state.kubeconfig), namespaces=home) as far:
        delivery.begin({"app/a.json": config_map("a"), "app/role.json": orjson.dumps(role)})
        await delivery.apply(far.application(automated={}))
        await delivery.until(complains("ComparisonError", "namespaced mode", delivery.app))
        assert not far.proxy.writes()
        await far.register(namespaces=home, clusterResources="true")
        await delivery.until(synced)
        await delivery.stack.kubectl("delete", "clusterrole", delivery.app)


async def test_a_kind_that_may_not_be_listed_is_read_one_by_one_where_the_settings_respect_that(
    delivery: Delivery, home: str
) -> None:
    rights = [rule("configmaps"), rule("secrets", verbs=("get", "create", "patch"))]
    login = {"bearerToken": await token(delivery, rights)}
    hidden = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "hidden"}, "stringData": {"k": "v"}}
    async with direct(delivery, namespaces=home, login=login) as far:
        delivery.begin({"app/a.json": config_map("a"), "app/hidden.json": orjson.dumps(hidden)})
        await delivery.apply(far.application(automated={}))
        await delivery.until(complains("ComparisonError", "secrets is forbidden"))
        await set_setting(delivery, "normal")
        try:
            await delivery.patch({"metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}}})
            await delivery.until(synced)
        finally:
            await set_setting(delivery, None)


async def test_objects_of_such_a_kind_are_pruned_and_go_with_their_application(delivery: Delivery, home: str) -> None:
    login = {"bearerToken": await token(delivery, [rule("secrets", verbs=("get", "create", "patch", "delete"))])}
    secrets = {
        f"app/{name}.json": orjson.dumps({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}})
        for name in ("stays", "leaves")
    }
    async with direct(delivery, namespaces=home, login=login) as far:
        delivery.begin(secrets)
        await set_setting(delivery, "normal")
        try:
            app = far.application(automated={"prune": True})
            app["metadata"]["finalizers"] = ["resources-finalizer.argocd.argoproj.io"]
            await delivery.apply(app)
            await delivery.until(synced)
            commit = await delivery.push({}, remove=("app/leaves.json",))
            app = await delivery.until(synced_to(commit))
            assert [one["name"] for one in app["status"]["resources"]] == ["stays"]
            assert await delivery.get("Secret", "leaves") is None
            await far.register(namespaces=f"{home},elsewhere", login=login)  # connects anew: nothing is remembered
            await delivery.stack.kubectl("delete", "application", delivery.app, "-n", ARGO, "--wait=false")
            await delivery.until_gone("argoproj.io", "Application", delivery.app, ARGO)
        finally:
            await set_setting(delivery, None)
        assert await delivery.get("Secret", "stays") is None


async def set_setting(delivery: Delivery, value: str | None) -> None:
    maps = await delivery.discovery.resource("", "ConfigMap")
    await verbs.patch(delivery.cluster, maps, ARGO, "argocd-cm", {"data": {"resource.respectRBAC": value}})


async def test_new_credentials_are_used_without_connecting_anew(delivery: Delivery, home: str) -> None:
    rights = [rule("configmaps")]
    async with direct(delivery, namespaces=home, login={"bearerToken": "wrong" * 8}) as far:
        delivery.begin({"app/a.json": config_map("a", v="1")})
        await delivery.apply(far.application(automated={}))
        await delivery.until(complains("ComparisonError", "can't be reached"))
        await far.register(namespaces=home, login={"bearerToken": await token(delivery, rights)})
        await delivery.until(synced)
        await far.register(namespaces=home, login={"bearerToken": await token(delivery, rights)})
        await delivery.until(synced_to(await delivery.push({"app/a.json": config_map("a", v="2")})))


async def test_a_cluster_that_is_to_be_left_alone_is_left_alone(delivery: Delivery, home: str) -> None:
    skip = {"metadata": {"annotations": {"argocd.argoproj.io/skip-reconcile": "true"}}}
    async with far_away(delivery, Path(delivery.stack.state.kubeconfig), namespaces=home) as far:
        delivery.begin({"app/a.json": config_map("a", v="1")})
        await delivery.apply(far.application(automated={}))
        await delivery.until(synced)
        await verbs.patch(delivery.cluster, SECRETS, ARGO, far.name, skip)
        async with asyncio.timeout(90):
            while "skip-reconcile" not in (await delivery.stack.tiphys("cluster", "get", far.name)).out:
                pass
        await delivery.push({"app/a.json": config_map("a", v="2")})
        found = await delivery.stack.tiphys("cluster", "get", far.name, "-o", "json")
        assert orjson.loads(found.out)["connectionState"]["status"] == "Unknown"
        unskip = {"metadata": {"annotations": {"argocd.argoproj.io/skip-reconcile": None}}}
        live = await delivery.get("ConfigMap", "a")
        assert live is not None
        assert live["data"] == {"v": "1"}
        await verbs.patch(delivery.cluster, SECRETS, ARGO, far.name, unskip)
        await delivery.until_object("", "ConfigMap", "a", lambda obj: obj["data"] == {"v": "2"})


async def test_a_secret_that_asks_for_it_is_labelled_with_the_version(delivery: Delivery, home: str) -> None:
    ask = {"metadata": {"labels": {"argocd.argoproj.io/auto-label-cluster-info": "true"}}}
    async with far_away(delivery, Path(delivery.stack.state.kubeconfig), namespaces=home) as far:
        await verbs.patch(delivery.cluster, SECRETS, ARGO, far.name, ask)
        delivery.begin({"app/a.json": config_map("a")})
        await delivery.apply(far.application(automated={}))
        label = "argocd.argoproj.io/kubernetes-version"
        secret = await delivery.until_object(
            "", "Secret", far.name, lambda obj: obj["metadata"]["labels"][label], namespace=ARGO
        )
        assert secret["metadata"]["labels"][label] == await delivery.discovery.version()
