"""Whether a sync may be at all, and the manifests that came with it.

In: a request. Out: its manifests, or SyncRefused. What stops a single object is found later (permission.py,
preflight.py).
"""

from typing import Any

import orjson

from services.reconciler.errors import SyncRefused
from services.reconciler.request import SyncRequest
from services.reconciler.state import AppState

Obj = dict[str, Any]


def check_request(state: AppState, request: SyncRequest) -> None:
    """Raise SyncRefused where the sync as a whole may not be."""
    if request.manifests and state.automated and not request.dry_run:
        raise SyncRefused("Cannot use local sync when Automatic Sync Policy is enabled unless for dry run")
    if request.options.get("FailOnSharedResource") == "true" and state.shared:
        raise SyncRefused(f"Shared resource found: {', '.join(one.message for one in state.shared)}")


def local_manifests(request: SyncRequest) -> list[Obj]:
    """Read the manifests that came with the request. Raises SyncRefused."""
    found = []
    for at, text in enumerate(request.manifests):
        try:
            obj = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise SyncRefused(f"operation.sync.manifests[{at}] is no JSON: {error}") from error
        if not isinstance(obj, dict) or not obj.get("kind") or not isinstance(obj.get("metadata"), dict):
            raise SyncRefused(f"operation.sync.manifests[{at}] is no Kubernetes object")
        found.append(obj)
    return found
