"""How far an Application is: what `app wait` waits for, said of one state of the object. Pure."""

from dataclasses import dataclass
from typing import Any

from services.cli.app.view import at, health_status, message, revision, sync_status, text

Obj = dict[str, Any]


@dataclass(frozen=True)
class Wanted:
    sync: bool = True
    health: bool = True
    operation: bool = True
    suspended: bool = False
    revision: str | None = None


def reached(app: Obj, wanted: Wanted) -> bool:
    return not missing_of(app, wanted)


def missing_of(app: Obj, wanted: Wanted) -> list[str]:
    """What is still to come, in words; empty: nothing."""
    checks = (
        (wanted.sync and sync_status(app) != "Synced", f"sync is {sync_status(app)}"),
        (wanted.health and not _healthy(app, wanted), f"health is {health_status(app)}"),
        (wanted.operation and _busy(app), "the operation has not finished"),
        (
            bool(wanted.revision) and not _at(app, wanted.revision or ""),
            f"the revision is {revision(app) or 'unknown'}",
        ),
        (at(app, "metadata", "annotations", "argocd.argoproj.io/refresh") is not None, "a refresh is under way"),
    )
    return [words for lacking, words in checks if lacking]


def failed(app: Obj, wanted: Wanted) -> str:
    """Why what was awaited is bad news: only the operation was, and it has failed."""
    phase = text(app, "status", "operationState", "phase")
    if wanted.operation and not wanted.sync and not _busy(app) and phase in {"Failed", "Error"}:
        return f"the operation ended {phase}: {text(app, 'status', 'operationState', 'message')}"
    return ""


def _healthy(app: Obj, wanted: Wanted) -> bool:
    return health_status(app) in ({"Healthy", "Suspended"} if wanted.suspended else {"Healthy"})


def _busy(app: Obj) -> bool:
    """The controller takes `operation` away when it has finished it."""
    return bool(app.get("operation")) or text(app, "status", "operationState", "phase") in {"Running", "Terminating"}


def _at(app: Obj, wanted: str) -> bool:
    compared = at(app, "status", "sync", "revisions") or [text(app, "status", "sync", "revision")]
    return any(one.startswith(wanted) for one in compared)


def line(app: Obj) -> str:
    parts = (sync_status(app), health_status(app), revision(app), text(app, "status", "operationState", "phase"))
    return "  ".join(part for part in (*parts, message(app)) if part)
