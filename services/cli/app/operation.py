"""The operations a person may start: what is written into an Application for sync, rollback, refresh and deletion.
Pure.

Each function gives the merge patch, or raises `CliError` when the Application does not allow it; the API server has
the last word.
"""

from dataclasses import dataclass
from typing import Any

from services.cli.app.view import at, identity
from services.cli.errors import CliError, Exit

Obj = dict[str, Any]
REFRESH = "argocd.argoproj.io/refresh"
FINALIZER = "resources-finalizer.argocd.argoproj.io"


@dataclass(frozen=True)
class SyncWish:
    revision: str | None = None
    prune: bool = False
    dry_run: bool = False
    force: bool = False
    resources: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


def sync_patch(app: Obj, wish: SyncWish, username: str) -> Obj:
    _free(app)
    sync: Obj = {
        "revision": wish.revision,
        "prune": wish.prune or None,
        "dryRun": wish.dry_run or None,
        "resources": [selected(one) for one in wish.resources] or None,
        "syncOptions": list(wish.options) or at(app, "spec", "syncPolicy", "syncOptions"),
        "syncStrategy": {"hook": {"force": True}} if wish.force else None,
    }
    return _operation(app, sync, username, retry=at(app, "spec", "syncPolicy", "retry"))


def selected(word: str) -> Obj:
    """`group:Kind:name` or `group:Kind:namespace/name`, as the field's own command line has it."""
    parts = word.split(":")
    if len(parts) != 3 or not parts[1] or not parts[2]:
        raise CliError(f"{word!r} is not GROUP:KIND:NAME", hint="for example apps:Deployment:web", code=Exit.USAGE)
    namespace, _, name = parts[2].rpartition("/")
    item = {"group": parts[0], "kind": parts[1], "name": name}
    return {**item, "namespace": namespace} if namespace else item


def rollback_patch(app: Obj, entry_id: int | None, username: str, *, prune: bool) -> Obj:
    automated = at(app, "spec", "syncPolicy", "automated")
    if automated is not None and automated.get("enabled") is not False:
        raise CliError(
            f"{identity(app)} syncs automatically, so a rollback would be undone at once",
            hint="set spec.syncPolicy.automated.enabled to false first, or revert the commit in git",
        )
    _free(app)
    entry = history_entry(app, entry_id)
    plural = "sources" if entry.get("sources") else "source"
    sync = {
        "prune": prune or None,
        plural: entry.get(plural),
        ("revisions" if plural == "sources" else "revision"): entry.get(
            "revisions" if plural == "sources" else "revision"
        ),
        "syncOptions": at(app, "spec", "syncPolicy", "syncOptions"),
        "syncStrategy": {"apply": {}},
    }
    return _operation(app, sync, username, retry=None)


def history_entry(app: Obj, entry_id: int | None) -> Obj:
    """The entry with that id; without an id the one before the newest."""
    entries: list[Obj] = at(app, "status", "history") or []
    if entry_id is None:
        if len(entries) < 2:
            raise CliError(f"{identity(app)} has no earlier deployment to go back to", code=Exit.NOT_FOUND)
        return entries[-2]
    for entry in entries:
        if entry.get("id") == entry_id:
            return entry
    raise CliError(
        f"{identity(app)} has no deployment with id {entry_id}",
        hint="`tiphys app history` lists them",
        code=Exit.NOT_FOUND,
    )


def _free(app: Obj) -> None:
    if app.get("operation"):
        raise CliError(
            f"another operation is already in progress on {identity(app)}", hint="`tiphys app wait --operation`"
        )


def _operation(app: Obj, sync: Obj, username: str, *, retry: Obj | None) -> Obj:
    operation: Obj = {"initiatedBy": {"username": username}, "sync": {k: v for k, v in sync.items() if v is not None}}
    if retry:
        operation["retry"] = retry
    return {"metadata": {"resourceVersion": at(app, "metadata", "resourceVersion")}, "operation": operation}


def refresh_patch(*, hard: bool) -> Obj:
    return {"metadata": {"annotations": {REFRESH: "hard" if hard else "normal"}}}


def finalizers(app: Obj, cascade: str) -> list[str]:
    """The Application's finalizers as that cascade wants them; others stay as they are."""
    others = [one for one in at(app, "metadata", "finalizers") or [] if one.split("/")[0] != FINALIZER]
    wanted = {"foreground": [FINALIZER], "background": [f"{FINALIZER}/background"], "none": []}[cascade]
    return others + wanted
