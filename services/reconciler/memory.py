"""Taking an Application into memory and out of it, with all the indexes that name it. No I/O."""

from typing import Any

from services.reconciler.desired import Desired
from services.reconciler.history import asks_to_terminate
from services.reconciler.keys import AppKey
from services.reconciler.orphan_watch import release
from services.reconciler.parts import Parts
from services.reconciler.scope import instance_of
from services.reconciler.state import REFRESH, AppState

Obj = dict[str, Any]


def remember(parts: Parts, key: AppKey, obj: Obj) -> bool:
    """Take the newest state of an Application; tell whether it holds news, or only what we wrote ourselves."""
    state = parts.states.get(key)
    if state is None:
        parts.states[key] = state = AppState(key, {})
        parts.instances[instance_of(key, parts.namespace)] = key
    elif state.uid != obj["metadata"].get("uid"):
        forget(parts, key)
        return remember(parts, key, obj)
    if state.obj and int(obj["metadata"]["resourceVersion"]) <= state.version:
        return False
    news = face(obj) != face(state.obj)
    state.take(obj)
    asked = (obj["metadata"].get("annotations") or {}).get(REFRESH)
    if asked:
        state.refresh, state.stale, state.hard = asked, True, state.hard or asked == "hard"
        state.touch_all()
        doubt(state)
    return news


def doubt(state: AppState) -> None:
    """At a refresh the API server is asked anew about what only it may judge (`ServerSideDiff`)."""
    for key, target in state.desired.objects.items() if state.desired else ():
        if target.counting.server_side:
            state.verdicts.pop(key, None)


def face(obj: Obj) -> list[Any]:
    """Give what matters of an Application; of its status, only whether someone wants the operation to end."""
    metadata = obj.get("metadata") or {}
    kept = [metadata.get(name) for name in ("uid", "deletionTimestamp", "finalizers", "labels", "annotations")]
    return [*kept, obj.get("spec"), obj.get("operation"), asks_to_terminate(obj)]


def forget(parts: Parts, key: AppKey) -> None:
    """Drop an Application that is gone; what it delivered stays where it is."""
    state = parts.states.pop(key, None)
    if state is None:
        return
    for task in (state.running.task if state.running else None, state.leaving):
        if task is not None:
            task.cancel()
    release(parts, key)
    parts.index.drop(key)
    parts.instances.pop(instance_of(key, parts.namespace), None)
    rewant(parts, state.server, key, state.desired, None)
    if state.namespace is not None:
        parts.wanted.get(state.namespace, set()).discard(key)


def rewant(parts: Parts, server: str, key: AppKey, before: Desired | None, after: Desired | None) -> None:
    """Keep the index of who wants which object."""
    old = before.objects.keys() if before else set()
    new = after.objects.keys() if after else set()
    for gone in old - new:
        holders = parts.wanted.get((server, gone), set())
        holders.discard(key)
        if not holders:
            parts.wanted.pop((server, gone), None)
    for come in new - old:
        parts.wanted.setdefault((server, come), set()).add(key)
