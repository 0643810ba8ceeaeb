"""An AppProject that has the resources finalizer goes only when no Application uses it any more.

In: the name of a project, from the watch or because one of its Applications went. Out: the finalizer removed, or an
Event that names who still uses it. The API server is asked, not the memory: another replica may hold the others.
"""

from typing import Any

from services.reconciler.finalizers import PROPAGATION
from services.reconciler.parts import Parts
from shared.kube import Discovery, NotFound, Resource, verbs
from shared.telemetry import get_logger

Obj = dict[str, Any]
log = get_logger()
LOOK_AGAIN = 60.0
NAMED = 5


async def settle(parts: Parts, name: str) -> float | None:
    """Let a project go if it may; otherwise say why not, and give the seconds until the next look. Raises ApiError."""
    if name not in parts.projects.deleting:
        return None
    resource = await Discovery(parts.cluster).resource("argoproj.io", "AppProject")
    try:
        obj = await verbs.get(parts.cluster, resource, parts.namespace, name)
    except NotFound:
        return None
    kept = [one for one in obj["metadata"].get("finalizers") or () if one not in PROPAGATION]
    if not obj["metadata"].get("deletionTimestamp") or len(kept) == len(obj["metadata"].get("finalizers") or ()):
        return None
    users = await users_of(parts, name)
    if users:
        refuse(parts, obj, users)
        return LOOK_AGAIN
    await release(parts, resource, obj, kept)
    return None


async def users_of(parts: Parts, name: str) -> list[str]:
    """Give the Applications of a project, wherever we may look."""
    namespaces = parts.known_applications.namespaces
    found = await verbs.list_(parts.cluster, parts.applications, namespaces.watched)
    return [
        f"{app['metadata']['namespace']}/{app['metadata']['name']}"
        for app in found
        if namespaces.includes(app["metadata"]["namespace"])
        and ((app.get("spec") or {}).get("project") or "default") == name
    ]


def refuse(parts: Parts, obj: Obj, users: list[str]) -> None:
    """Say who keeps the project."""
    more = f" and {len(users) - NAMED} more" if len(users) > NAMED else ""
    message = (
        f"project {obj['metadata']['name']} can't be deleted: {len(users)} Applications use it: "
        f"{', '.join(users[:NAMED])}{more}; delete them or move them to another project"
    )
    log.warning("a project waits for its Applications", project=obj["metadata"]["name"], applications=len(users))
    parts.recorder.record(obj, "DeletionBlocked", message, type_="Warning")


async def release(parts: Parts, resource: Resource, obj: Obj, kept: list[str]) -> None:
    """Remove our finalizer, if the project is still the one we looked at."""
    metadata = obj["metadata"]
    patch = {"metadata": {"finalizers": kept or None, "resourceVersion": metadata["resourceVersion"]}}
    await verbs.patch(parts.cluster, resource, parts.namespace, metadata["name"], patch)
    log.info("a project is released", project=metadata["name"])
