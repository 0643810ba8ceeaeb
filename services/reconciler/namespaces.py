"""`CreateNamespace=true`: the destination's namespace, with `managedNamespaceMetadata`, before anything is applied into
it; and whether that metadata still is as wanted.

The namespace is not the Application's own: it has no tracking, and is neither pruned nor deleted with it.
"""

from typing import Any

from services.reconciler.compare import FIELD_MANAGER
from services.reconciler.destination import Destination
from services.reconciler.outcome import Outcome
from services.reconciler.parts import Parts
from services.reconciler.permission import objection, project_of
from services.reconciler.request import SyncRequest
from services.reconciler.state import AppState, Obj
from shared.kinds.options import read_options
from shared.kinds.refs import GroupKind, ResourceKey
from shared.kube import KubeError
from shared.merge import contains, owns_more

NAMESPACE = GroupKind("", "Namespace")
MANAGED = ("labels", "annotations")


def wanted_namespace(spec: Obj) -> Obj:
    """Give the namespace object that the spec asks for."""
    metadata: Obj = {"name": (spec.get("destination") or {}).get("namespace") or ""}
    managed = (spec.get("syncPolicy") or {}).get("managedNamespaceMetadata") or {}
    metadata |= {name: managed[name] for name in MANAGED if managed.get(name)}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def managed_namespace(state: AppState) -> ResourceKey | None:
    """Give the namespace whose metadata the spec manages; None when it manages none, or git does."""
    spec = state.obj["spec"]
    metadata = wanted_namespace(spec)["metadata"]
    created = read_options((spec.get("syncPolicy") or {}).get("syncOptions") or ()).get("CreateNamespace") == "true"
    key = ResourceKey("", "Namespace", "", metadata["name"])
    in_git = state.desired is not None and key in state.desired.objects
    return key if created and metadata["name"] and len(metadata) > 1 and not in_git else None


async def observe_namespace(parts: Parts, state: AppState, destination: Destination) -> None:
    """Note whether the managed metadata has drifted, and hear of its changes. Raises ApiError."""
    key = managed_namespace(state)
    listen(parts, state, destination, key)
    state.drifted = False
    if key is not None:
        await destination.ensure({NAMESPACE})
        state.drifted = drifted(state, destination, key)


def listen(parts: Parts, state: AppState, destination: Destination, key: ResourceKey | None) -> None:
    """Be woken by changes of this namespace, and no longer by those of an earlier one."""
    place = (destination.server, key) if key else None
    if state.namespace == place:
        return
    if state.namespace is not None:
        parts.wanted.get(state.namespace, set()).discard(state.key)
    if place is not None:
        parts.wanted.setdefault(place, set()).add(state.key)
    state.namespace = place


def drifted(state: AppState, destination: Destination, key: ResourceKey) -> bool:
    """Tell whether labels or annotations of the namespace are not as wanted; a missing one is the sync's to make."""
    live = destination.live.get(key)
    if live is None:
        return False
    wanted, body = wanted_namespace(state.obj["spec"]), live.load()
    return not contains(wanted, body) or owns_more(body, FIELD_MANAGER, wanted)


async def ensure_namespace(
    parts: Parts, state: AppState, destination: Destination, request: SyncRequest
) -> list[Outcome]:
    """Create the namespace when it is asked for, is not there and the project permits it; nothing to report when it is
    there.
    """
    wanted = wanted_namespace(state.obj["spec"])
    name = wanted["metadata"]["name"]
    if request.options.get("CreateNamespace") != "true" or not name or request.dry_run:
        return []
    key = ResourceKey("", "Namespace", "", name)
    if key in (state.desired.objects if state.desired else ()):
        return []
    try:
        if await is_as_wanted(state, destination, key, wanted):
            return []
        if why := objection(parts, project_of(parts, state), destination.server, key):
            return [Outcome(key, "v1", "SyncFailed", why, "PreSync")]
        done = await destination.apply(wanted, manager=FIELD_MANAGER)
    except KubeError as error:
        return [Outcome(key, "v1", "SyncFailed", error.message, "PreSync", error.retriable)]
    destination.namespaces.add(name)
    return [Outcome(key, "v1", "Synced", f"namespace/{name} {_how(done)}", "PreSync")]


async def is_as_wanted(state: AppState, destination: Destination, key: ResourceKey, wanted: Obj) -> bool:
    """Tell whether nothing has to be written. Raises KubeError."""
    if len(wanted["metadata"]) == 1:
        return await destination.has_namespace(key.name)
    return destination.live.get(key) is not None and not drifted(state, destination, key)


def _how(done: Obj) -> str:
    entries: list[Any] = done["metadata"].get("managedFields") or []
    return "created" if {entry.get("manager") for entry in entries} == {FIELD_MANAGER} else "serverside-applied"


def namespace_status(state: AppState) -> list[Obj]:
    """Give the entry of `status.resources[]` that shows whether the managed metadata is in sync."""
    if state.namespace is None:
        return []
    entry = {"version": "v1", "kind": "Namespace", "name": state.namespace[1].name}
    return [{**entry, "status": "OutOfSync" if state.drifted else "Synced"}]
