"""An Application as rows and lines for people. Pure: the object as the API server gave it in, text out."""

from collections.abc import Sequence
from typing import Any

Obj = dict[str, Any]

LIST_HEADER = ("NAMESPACE", "NAME", "PROJECT", "SYNC", "HEALTH", "REVISION", "DESTINATION", "MESSAGE")
HISTORY_HEADER = ("ID", "DEPLOYED", "REVISION", "SOURCE", "BY")
RESOURCE_HEADER = ("GROUP", "KIND", "NAMESPACE", "NAME", "STATUS", "HEALTH", "MESSAGE")


def at(obj: Obj, *path: str) -> Any:
    """What lies at a path of nested objects; None: nothing there."""
    value: Any = obj
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def text(obj: Obj, *path: str) -> str:
    value = at(obj, *path)
    return "" if value is None else str(value)


def identity(app: Obj) -> str:
    return f"{text(app, 'metadata', 'namespace')}/{text(app, 'metadata', 'name')}"


def sync_status(app: Obj) -> str:
    return text(app, "status", "sync", "status") or "Unknown"


def health_status(app: Obj) -> str:
    return text(app, "status", "health", "status") or "Unknown"


def revision(app: Obj) -> str:
    """What it was compared with: a commit's first eight characters, a chart's version whole."""
    several = at(app, "status", "sync", "revisions") or [text(app, "status", "sync", "revision")]
    return ",".join(short(one) for one in several)


def short(value: str) -> str:
    return value[:8] if len(value) == 40 and all(c in "0123456789abcdef" for c in value) else value


def destination(app: Obj) -> str:
    where = text(app, "spec", "destination", "name") or text(app, "spec", "destination", "server")
    where = "in-cluster" if where == "https://kubernetes.default.svc" else where
    return f"{where}/{text(app, 'spec', 'destination', 'namespace')}".rstrip("/")


def message(app: Obj) -> str:
    """The one thing to know: an error condition, else a failed or running operation, else why it is unhealthy."""
    for condition in at(app, "status", "conditions") or []:
        if str(condition.get("type", "")).endswith("Error"):
            return _clip(f"{condition['type']}: {condition.get('message', '')}")
    phase = text(app, "status", "operationState", "phase")
    if phase and phase != "Succeeded":
        return _clip(f"{phase}: {text(app, 'status', 'operationState', 'message')}")
    return _clip(text(app, "status", "health", "message"))


def _clip(line: str, limit: int = 90) -> str:
    line = " ".join(line.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def list_row(app: Obj) -> tuple[str, ...]:
    return (
        text(app, "metadata", "namespace"),
        text(app, "metadata", "name"),
        text(app, "spec", "project") or "default",
        sync_status(app),
        health_status(app),
        revision(app),
        destination(app),
        message(app),
    )


def sources(app: Obj) -> Sequence[Obj]:
    return at(app, "spec", "sources") or [at(app, "spec", "source") or {}]


def source_line(source: Obj) -> str:
    what = source.get("path") or source.get("chart") or (f"ref {source['ref']}" if source.get("ref") else ".")
    return f"{source.get('repoURL', '')} {what} @ {source.get('targetRevision') or 'HEAD'}"


def policy(app: Obj) -> str:
    automated = at(app, "spec", "syncPolicy", "automated")
    if automated is None or automated.get("enabled") is False:
        return "manual"
    extras = [word for word in ("prune", "selfHeal", "allowEmpty") if automated.get(word)]
    return "automated" + (f" ({', '.join(extras)})" if extras else "")


def get_rows(app: Obj) -> list[tuple[str, str]]:
    """The head of `app get`: what it is, where it goes, how it is."""
    operation = at(app, "status", "operationState") or {}
    rows = [
        ("Application", identity(app)),
        ("Project", text(app, "spec", "project") or "default"),
        *(("Source", source_line(source)) for source in sources(app)),
        ("Destination", destination(app)),
        ("Sync policy", policy(app)),
        ("Sync status", sync_status(app)),
        ("Revision", revision(app)),
        ("Health", health_status(app)),
        ("Health message", text(app, "status", "health", "message")),
        ("Operation", f"{operation.get('phase', '')} {_clip(str(operation.get('message', '')))}".strip()),
        ("Images", ", ".join(at(app, "status", "summary", "images") or [])),
        *((c.get("type", ""), _clip(c.get("message", ""), 200)) for c in at(app, "status", "conditions") or []),
    ]
    return [(label, value) for label, value in rows if value]


def resource_rows(app: Obj) -> list[tuple[str, ...]]:
    """Every managed object with the last sync's word about it."""
    said = {
        _key(result): text(result, "message")
        for result in at(app, "status", "operationState", "syncResult", "resources") or []
    }
    return [
        (
            *key,
            text(item, "status"),
            text(item, "health", "status"),
            _clip(text(item, "health", "message") or said.get(key, "")),
        )
        for item in at(app, "status", "resources") or []
        for key in [_key(item)]
    ]


def _key(item: Obj) -> tuple[str, str, str, str]:
    return (text(item, "group"), text(item, "kind"), text(item, "namespace"), text(item, "name"))


def history_row(entry: Obj) -> tuple[str, ...]:
    revisions = entry.get("revisions") or [entry.get("revision", "")]
    given = entry.get("sources") or [entry.get("source") or {}]
    by = entry.get("initiatedBy") or {}
    return (
        str(entry.get("id", "")),
        entry.get("deployedAt", ""),
        ",".join(short(one) for one in revisions),
        "; ".join(source_line(source) for source in given),
        "automated" if by.get("automated") else by.get("username", ""),
    )
