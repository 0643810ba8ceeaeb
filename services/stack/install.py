"""What must be in the cluster before the services start: the CRDs, Argo's namespace, the default AppProject.

CRDs that somebody else installed (Argo CD itself) are left as they are; ours are brought up to date. Everything else is
made only when it is missing, so nothing that a person changed is changed back.
"""

import asyncio
from pathlib import Path
from typing import Any

from shared import yamlio
from shared.kube import AlreadyExists, Cluster, Discovery, Forbidden, NotFound, Resource, UnknownKind, verbs

Obj = dict[str, Any]
MANAGER = "tiphys"
CRDS = Path(__file__).parents[2] / "deploy" / "crds"
ESTABLISHED_WITHIN = 15.0

DEFAULT_PROJECT: Obj = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "AppProject",
    "metadata": {"name": "default"},
    "spec": {
        "sourceRepos": ["*"],
        "destinations": [{"server": "*", "namespace": "*"}],
        "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
    },
}
SETTINGS: Obj = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "argocd-cm", "labels": {"app.kubernetes.io/part-of": "argocd"}},
}


async def install(cluster: Cluster, namespace: str, *, empty_settings: bool) -> None:
    discovery = Discovery(cluster)
    await install_crds(cluster)
    await ensure(cluster, discovery, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    await ensure(cluster, discovery, _in(namespace, DEFAULT_PROJECT))
    if empty_settings:
        await ensure(cluster, discovery, _in(namespace, SETTINGS))


def _in(namespace: str, obj: Obj) -> Obj:
    return {**obj, "metadata": {**obj["metadata"], "namespace": namespace}}


def crds(part_of: str = "") -> list[Obj]:
    found = [obj for path in sorted(CRDS.glob("*.yaml")) for obj in yamlio.load_all(path.read_bytes(), path.name)]
    return [crd for crd in found if part_of in {"", crd["metadata"]["labels"]["app.kubernetes.io/part-of"]}]


async def install_crds(cluster: Cluster, *, part_of: str = "") -> None:
    """The definitions of all kinds, or of those of one of Argo's projects."""
    discovery = Discovery(cluster)
    resource = await discovery.resource("apiextensions.k8s.io", "CustomResourceDefinition")
    for crd in crds(part_of):
        name = crd["metadata"]["name"]
        try:
            if not _ours(await verbs.get(cluster, resource, None, name)):
                continue
        except NotFound:
            pass
        await verbs.apply(cluster, resource, crd, manager=MANAGER, force=True)
    async with asyncio.timeout(ESTABLISHED_WITHIN):
        for crd in crds(part_of):
            await _until_established(cluster, resource, crd["metadata"]["name"])
            await _until_known(discovery, crd["spec"]["group"], crd["spec"]["names"]["kind"])


async def ensure_crds(cluster: Cluster, *, part_of: str) -> None:
    """Install definitions where we may; where we may not, they have to be there already. Raises Forbidden."""
    try:
        await install_crds(cluster, part_of=part_of)
    except Forbidden as error:
        discovery = Discovery(cluster)
        for crd in crds(part_of):
            try:
                await discovery.resource(crd["spec"]["group"], crd["spec"]["names"]["kind"])
            except UnknownKind:
                raise error from None


async def _until_established(cluster: Cluster, resource: Resource, name: str) -> None:
    """The API server takes a moment after it has stored a CRD."""
    while True:
        if _established(await verbs.get(cluster, resource, None, name)):
            return
        await asyncio.sleep(0.05)


async def _until_known(discovery: Discovery, group: str, kind: str) -> None:
    """An established CRD is served a moment before discovery tells of it."""
    while True:
        discovery.invalidate()
        try:
            await discovery.resource(group, kind)
        except UnknownKind:
            await asyncio.sleep(0.05)
        else:
            return


def _ours(crd: Obj) -> bool:
    return any(entry.get("manager") == MANAGER for entry in crd["metadata"].get("managedFields") or [])


def _established(crd: Obj) -> bool:
    conditions = (crd.get("status") or {}).get("conditions") or []
    return any(c["type"] == "Established" and c["status"] == "True" for c in conditions)


async def ensure(cluster: Cluster, discovery: Discovery, obj: Obj) -> None:
    """Make it when it is missing; leave it when it is there."""
    group = obj["apiVersion"].rpartition("/")[0]
    resource = await discovery.resource(group, obj["kind"])
    try:
        await verbs.create(cluster, resource, obj)
    except AlreadyExists:
        return
