"""`CreateNamespace=true`: the destination's namespace, with `managedNamespaceMetadata`, before anything is applied into
it.
"""

from services.reconciler.compare import FIELD_MANAGER
from services.reconciler.destination import Destination
from services.reconciler.outcome import Outcome
from services.reconciler.request import SyncRequest
from services.reconciler.state import AppState, Obj
from shared.kinds.refs import ResourceKey
from shared.kube import KubeError


def wanted_namespace(spec: Obj) -> Obj:
    """Give the namespace object that the spec asks for."""
    metadata: Obj = {"name": (spec.get("destination") or {}).get("namespace") or ""}
    managed = (spec.get("syncPolicy") or {}).get("managedNamespaceMetadata") or {}
    metadata |= {name: managed[name] for name in ("labels", "annotations") if managed.get(name)}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


async def ensure_namespace(state: AppState, destination: Destination, request: SyncRequest) -> list[Outcome]:
    """Create the namespace when it is asked for and is not there; nothing to report when it is."""
    wanted = wanted_namespace(state.obj["spec"])
    name = wanted["metadata"]["name"]
    if request.options.get("CreateNamespace") != "true" or not name or request.dry_run:
        return []
    key = ResourceKey("", "Namespace", "", name)
    if key in (state.desired.objects if state.desired else ()):
        return []
    try:
        if len(wanted["metadata"]) == 1 and await destination.has_namespace(name):
            return []
        await destination.apply(wanted, manager=FIELD_MANAGER)
    except KubeError as error:
        return [Outcome(key, "v1", "SyncFailed", error.message, "PreSync", error.retriable)]
    destination.namespaces.add(name)
    return [Outcome(key, "v1", "Synced", f"namespace/{name} created", "PreSync")]
