"""Manifests of hooks, and what a sync says became of them."""

from typing import Any

import orjson

Obj = dict[str, Any]
HOOK = "argocd.argoproj.io/hook"
POLICY = "argocd.argoproj.io/hook-delete-policy"
WAVE = "argocd.argoproj.io/sync-wave"
OPTIONS = "argocd.argoproj.io/sync-options"
FINALIZER = "argocd.argoproj.io/hook-finalizer"


def annotated(name: str, annotations: dict[str, str], **data: str) -> bytes:
    """A ConfigMap."""
    metadata = {"name": name, "annotations": annotations}
    return orjson.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})


def job(name: str, annotations: dict[str, str], *, simulate: str = "", suspended: bool = False) -> bytes:
    """A Job: it succeeds, or its pod does what `simulate` says, or it waits to be resumed."""
    pod_meta = {"annotations": {"tiphys.dev/simulate": simulate}} if simulate else {}
    pod = {"restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox"}]}
    spec: Obj = {"backoffLimit": 0, "template": {"metadata": pod_meta, "spec": pod}}
    spec |= {"suspend": True} if suspended else {}
    metadata: Obj = {"annotations": annotations}
    metadata |= {"generateName": name} if name.endswith("-") else {"name": name}
    return orjson.dumps({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec})


def operation(app: Obj) -> Obj:
    found: Obj = (app.get("status") or {}).get("operationState") or {}
    return found


def results(app: Obj) -> list[tuple[str, str, str]]:
    """Phase, name and hook phase of all that the last operation has touched."""
    found = (operation(app).get("syncResult") or {}).get("resources") or []
    return [(one["syncPhase"], one["name"], one["hookPhase"]) for one in found if one["kind"] != "Namespace"]


def ended(phase: str, *words: str) -> Any:
    """The operation is over in this phase, and its message has these words."""
    return lambda app: (
        operation(app).get("phase") == phase
        and "operation" not in app
        and all(word in operation(app)["message"] for word in words)
    )
