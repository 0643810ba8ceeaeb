"""The verbs of the Kubernetes API on any resource: get, list, create, update, patch, apply, delete.

In: a cluster, a resource from discovery, names and objects. Out: the object as the server answered. Raises ApiError.
Never: retries of its own, caches, opinions about the objects.
"""

from collections.abc import AsyncIterator
from typing import Any, Literal
from urllib.parse import quote

import orjson

from shared.kube.client import Cluster
from shared.kube.discovery import Resource
from shared.kube.errors import Gone

Obj = dict[str, Any]
Propagation = Literal["Foreground", "Background", "Orphan"]
Validation = Literal["Strict", "Warn", "Ignore"]
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
PAGE = 500


def path(resource: Resource, namespace: str | None = None, name: str | None = None, subresource: str = "") -> str:
    """Give the path of a collection or an object. Pure."""
    root = f"/apis/{resource.group}/{resource.version}" if resource.group else f"/api/{resource.version}"
    middle = f"/namespaces/{quote(namespace, safe='')}" if namespace and resource.namespaced else ""
    end = f"/{quote(name, safe=':@+,;=~$!')}" if name else ""
    return f"{root}{middle}/{resource.plural}{end}" + (f"/{subresource}" if subresource else "")


async def get(cluster: Cluster, resource: Resource, namespace: str | None, name: str, *, subresource: str = "") -> Obj:
    return _read(await cluster.request("GET", path(resource, namespace, name, subresource)))


async def pages(
    cluster: Cluster,
    resource: Resource,
    namespace: str | None = None,
    *,
    label_selector: str | None = None,
    field_selector: str | None = None,
    limit: int = PAGE,
) -> AsyncIterator[list[Obj]]:
    """Give a list page by page. Raises Gone when the continue token expired on the way."""
    selectors = {"labelSelector": label_selector or "", "fieldSelector": field_selector or "", "limit": str(limit)}
    params = {name: value for name, value in selectors.items() if value}
    while True:
        page = _read(await cluster.request("GET", path(resource, namespace), params=params, timeout=60))
        yield [_typed(item, resource) for item in page.get("items") or ()]
        token = page["metadata"].get("continue")
        if not token:
            return
        params["continue"] = token


async def list_(
    cluster: Cluster,
    resource: Resource,
    namespace: str | None = None,
    *,
    label_selector: str | None = None,
    field_selector: str | None = None,
) -> list[Obj]:
    """Give all objects of a namespace, or of all; each with its apiVersion and kind."""
    every = pages(cluster, resource, namespace, label_selector=label_selector, field_selector=field_selector)
    try:
        return [obj async for page in every for obj in page]
    except Gone:
        whole = pages(
            cluster, resource, namespace, label_selector=label_selector, field_selector=field_selector, limit=0
        )
        return [obj async for page in whole for obj in page]


async def create(
    cluster: Cluster,
    resource: Resource,
    obj: Obj,
    *,
    manager: str = "",
    dry_run: bool = False,
    validation: Validation | None = None,
    subresource: str = "",
    name: str | None = None,
) -> Obj:
    """Create an object in the namespace it names. `name` with `subresource` is for evictions, tokens and such."""
    namespace = obj.get("metadata", {}).get("namespace")
    params = _options(manager=manager, dry_run=dry_run, validation=validation)
    where = path(resource, namespace, name, subresource)
    return _read(await cluster.request("POST", where, params=params, body=orjson.dumps(obj)))


async def update(
    cluster: Cluster,
    resource: Resource,
    obj: Obj,
    *,
    manager: str = "",
    dry_run: bool = False,
    validation: Validation | None = None,
    subresource: str = "",
) -> Obj:
    """Replace an object; with a resourceVersion in it only if it is still that one (Conflict)."""
    metadata = obj["metadata"]
    where = path(resource, metadata.get("namespace"), metadata["name"], subresource)
    params = _options(manager=manager, dry_run=dry_run, validation=validation)
    return _read(await cluster.request("PUT", where, params=params, body=orjson.dumps(obj)))


async def patch(
    cluster: Cluster,
    resource: Resource,
    namespace: str | None,
    name: str,
    body: bytes | Obj | list[Any],
    *,
    content_type: str = MERGE,
    manager: str = "",
    dry_run: bool = False,
    validation: Validation | None = None,
    subresource: str = "",
) -> Obj:
    """Patch an object: a merge patch unless `content_type` says JSON_PATCH or STRATEGIC."""
    data = body if isinstance(body, bytes) else orjson.dumps(body)
    where = path(resource, namespace, name, subresource)
    params = _options(manager=manager, dry_run=dry_run, validation=validation)
    return _read(await cluster.request("PATCH", where, params=params, body=data, content_type=content_type))


async def patch_status(
    cluster: Cluster, resource: Resource, namespace: str | None, name: str, status: Obj, *, manager: str = ""
) -> Obj:
    """Merge into the status subresource."""
    body = {"status": status}
    return await patch(cluster, resource, namespace, name, body, manager=manager, subresource="status")


async def apply(
    cluster: Cluster,
    resource: Resource,
    obj: Obj | bytes,
    *,
    manager: str,
    force: bool = False,
    dry_run: bool = False,
    validation: Validation | None = None,
    subresource: str = "",
    namespace: str | None = None,
    name: str | None = None,
) -> Obj:
    """Server-side-apply an object. Raises Conflict with `managers` when others own fields and `force` is off.

    Bytes (JSON or YAML) need `namespace` and `name` beside them. Asking twice is harmless, so it is retried like a GET.
    """
    metadata = {"namespace": namespace, "name": name} if isinstance(obj, bytes) else obj["metadata"]
    where = path(resource, metadata.get("namespace"), metadata["name"], subresource)
    params = {**_options(manager=manager, dry_run=dry_run, validation=validation), "force": str(force).lower()}
    body = obj if isinstance(obj, bytes) else orjson.dumps(obj)
    return _read(await cluster.request("PATCH", where, params=params, body=body, content_type=APPLY, idempotent=True))


async def delete(
    cluster: Cluster,
    resource: Resource,
    namespace: str | None,
    name: str,
    *,
    propagation: Propagation | str = "Background",
    uid: str | None = None,
    resource_version: str | None = None,
    grace_seconds: int | None = None,
    dry_run: bool = False,
) -> None:
    """Delete an object, only the one with this uid or version when given (Conflict otherwise). Raises NotFound."""
    conditions = {"uid": uid, "resourceVersion": resource_version}
    options: Obj = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
    if uid or resource_version:
        options["preconditions"] = {field: value for field, value in conditions.items() if value}
    if grace_seconds is not None:
        options["gracePeriodSeconds"] = grace_seconds
    if dry_run:
        options["dryRun"] = ["All"]
    await cluster.request("DELETE", path(resource, namespace, name), body=orjson.dumps(options))


def _options(*, manager: str = "", dry_run: bool = False, validation: Validation | None = None) -> dict[str, str]:
    given = {"fieldManager": manager, "dryRun": "All" if dry_run else "", "fieldValidation": validation or ""}
    return {name: value for name, value in given.items() if value}


def _read(data: bytes) -> Obj:
    found: Obj = orjson.loads(data)
    return found


def _typed(item: Obj, resource: Resource) -> Obj:
    """Lists of built-in kinds leave the type out of their items."""
    return item if "kind" in item else {"apiVersion": resource.api_version, "kind": resource.kind, **item}
