"""Does an Application hold this object: by its status, or through the owners of it?

In: the Application, a live object. Out: yes or no. An object that nobody manages may still be owned by one that is: the
ReplicaSet of a Deployment, the Job of a CronJob.
"""

from services.reconciler.destination import Destination
from services.reconciler.state import Obj
from shared.kinds.refs import GVK, ResourceKey, owners
from shared.kube import NotFound, UnknownKind, verbs

DEEPEST = 5


async def holds(app: Obj, destination: Destination, key: ResourceKey, live: Obj) -> bool:
    """Tell whether `status.resources` names the object or one that owns it. Raises ApiError."""
    managed = {managed_key(one) for one in (app.get("status") or {}).get("resources") or ()}
    generation = [(key, live)]
    for _ in range(DEEPEST):
        if any(one in managed for one, _ in generation):
            return True
        generation = [owner for _, obj in generation for owner in await owners_of(destination, key.namespace, obj)]
    return False


def managed_key(entry: Obj) -> ResourceKey:
    """Read an entry of `status.resources`."""
    group, kind, namespace, name = (str(entry.get(field) or "") for field in ("group", "kind", "namespace", "name"))
    return ResourceKey(group, kind, namespace, name)


async def owners_of(destination: Destination, namespace: str, obj: Obj) -> list[tuple[ResourceKey, Obj]]:
    """Read the owners of an object that still are the ones it means."""
    found = []
    for owner in owners(obj):
        try:
            resource = await destination.resource(GVK(owner.group, owner.version, owner.kind))
            inside = namespace if resource.namespaced else ""
            live = await verbs.get(destination.cluster, resource, inside or None, owner.name)
        except (NotFound, UnknownKind):
            continue
        if live["metadata"]["uid"] == owner.uid:
            found.append((ResourceKey(owner.group, owner.kind, inside, owner.name), live))
    return found
