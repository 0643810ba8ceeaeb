"""The account with which Tiphys works in a destination cluster: a ServiceAccount, its rights, its tokens.

As `argocd cluster add` makes them, under the same names, so that either tool finds what the other made.
"""

import asyncio
import base64
import binascii
from typing import Any, NamedTuple

import orjson

from services.cli.errors import CliError, Exit
from shared.kube import Cluster, NotFound, Resource, verbs

Obj = dict[str, Any]
ACCOUNT, NAMESPACE = "argocd-manager", "kube-system"
ROLE, BINDING = "argocd-manager-role", "argocd-manager-role-binding"
MANAGER = "tiphys"
TOKEN_WITHIN = 30.0
RBAC = "rbac.authorization.k8s.io"
ACCOUNTS = Resource("", "v1", "ServiceAccount", "serviceaccounts", namespaced=True)
SECRETS = Resource("", "v1", "Secret", "secrets", namespaced=True)
CLUSTER_ROLES = Resource(RBAC, "v1", "ClusterRole", "clusterroles", namespaced=False)
CLUSTER_BINDINGS = Resource(RBAC, "v1", "ClusterRoleBinding", "clusterrolebindings", namespaced=False)
ROLES = Resource(RBAC, "v1", "Role", "roles", namespaced=True)
BINDINGS = Resource(RBAC, "v1", "RoleBinding", "rolebindings", namespaced=True)
EVERYTHING = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]


class Account(NamedTuple):
    """A ServiceAccount, and the Secret that holds the token in use."""

    namespace: str = NAMESPACE
    name: str = ACCOUNT
    secret: str = ""


class Token(NamedTuple):
    """A token that does not end by itself, the Secret it is in, and the cluster's own CA."""

    text: str
    secret: str
    authority: bytes


async def make_account(cluster: Cluster, account: Account, namespaces: tuple[str, ...]) -> None:
    """The ServiceAccount with all rights in the cluster, or in some namespaces only."""
    await apply(cluster, ACCOUNTS, {"metadata": {"name": account.name, "namespace": account.namespace}})
    subject = {"kind": "ServiceAccount", "name": account.name, "namespace": account.namespace}
    for namespace in namespaces or ("",):
        place = {"namespace": namespace} if namespace else {}
        rules = EVERYTHING if namespace else [*EVERYTHING, {"nonResourceURLs": ["*"], "verbs": ["*"]}]
        kind = "Role" if namespace else "ClusterRole"
        binding = {
            "metadata": {"name": BINDING, **place},
            "roleRef": {"apiGroup": RBAC, "kind": kind, "name": ROLE},
            "subjects": [subject],
        }
        await apply(cluster, ROLES if place else CLUSTER_ROLES, {"metadata": {"name": ROLE, **place}, "rules": rules})
        await apply(cluster, BINDINGS if place else CLUSTER_BINDINGS, binding)


async def apply(cluster: Cluster, resource: Resource, obj: Obj) -> None:
    typed = {"apiVersion": resource.api_version, "kind": resource.kind, **obj}
    await verbs.apply(cluster, resource, typed, manager=MANAGER, force=True)


async def make_token(cluster: Cluster, account: Account) -> Token:
    """A new token of an account; the cluster fills it in."""
    metadata: Obj = {
        "generateName": f"{account.name}-token-",
        "namespace": account.namespace,
        "annotations": {"kubernetes.io/service-account.name": account.name},
    }
    wanted = {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token", "metadata": metadata}
    name = (await verbs.create(cluster, SECRETS, wanted))["metadata"]["name"]
    try:
        async with asyncio.timeout(TOKEN_WITHIN):
            data = await filled(cluster, account.namespace, name)
    except TimeoutError as error:
        raise CliError(
            f"the cluster gave ServiceAccount {account.namespace}/{account.name} no token in {TOKEN_WITHIN:.0f} s",
            hint="does its kube-controller-manager run?",
            code=Exit.TIMEOUT,
        ) from error
    return Token(base64.b64decode(data["token"]).decode(), name, base64.b64decode(data.get("ca.crt", "")))


async def filled(cluster: Cluster, namespace: str, name: str) -> Obj:
    """The data of a token Secret, once a controller has written it."""
    while True:
        data: Obj = (await verbs.get(cluster, SECRETS, namespace, name)).get("data") or {}
        if data.get("token"):
            return data
        await asyncio.sleep(0.1)


async def drop_token(cluster: Cluster, account: Account) -> None:
    """Make the token in this Secret worthless."""
    try:
        await verbs.delete(cluster, SECRETS, account.namespace, account.secret)
    except NotFound:
        return


def account_of(token: str) -> Account | None:
    """Whose token it is, as it says itself; None for one that is no ServiceAccount's long-lived token."""
    try:
        part = token.split(".")[1]
        claims = orjson.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        prefix = "kubernetes.io/serviceaccount/"
        return Account(
            claims[f"{prefix}namespace"], claims[f"{prefix}service-account.name"], claims[f"{prefix}secret.name"]
        )
    except (IndexError, KeyError, TypeError, binascii.Error, orjson.JSONDecodeError):
        return None
