"""`app create`, `set`, `unset`, `patch`, `terminate-op`, `confirm-deletion`: one write to the object each."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from services.cli.app import edit, store, view
from services.cli.app.edit import Change, Removal
from services.cli.errors import CliError, Exit
from services.cli.options import Output, Where
from services.cli.output import emit_data, note
from services.cli.session import Session, open_cluster
from shared import yamlio
from shared.clock import now, rfc3339
from shared.kinds.application import Application, InvalidObject
from shared.kinds.validation import problems
from shared.kube import AlreadyExists, verbs
from shared.merge import merge_patch_between

Obj = dict[str, Any]
APPROVED = "argocd.argoproj.io/deletion-approved"
IN_CLUSTER = "https://kubernetes.default.svc"
PATCH_TYPES = {"merge": "application/merge-patch+json", "json": "application/json-patch+json"}


async def create(where: Where, name: str, file: Path | None, change: Change, *, cascade: bool, upsert: bool) -> None:
    async with open_cluster(where) as session:
        place = store.named(session, name)
        app = _from_file(file) if file else {}
        spec = edit.changed(app.get("spec") or {}, change)
        spec.setdefault("project", "default")
        if not {"server", "name"} & (spec.setdefault("destination", {})).keys():
            spec["destination"]["server"] = IN_CLUSTER
        metadata = {**(app.get("metadata") or {}), "name": place.name, "namespace": place.namespace}
        if cascade:
            metadata.setdefault("finalizers", ["resources-finalizer.argocd.argoproj.io"])
        made = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": metadata, "spec": spec}
        check(made)
        await _create(session, place, made, upsert=upsert)
        note(f"{place} is there; `tiphys app get {place}` shows it")


def _from_file(file: Path) -> Obj:
    found: list[Obj] = yamlio.load_all(file.read_bytes(), file.name)
    if len(found) != 1 or found[0].get("kind") != "Application":
        raise CliError(f"{file} must hold one Application", code=Exit.USAGE)
    return found[0]


def check(app: Obj) -> None:
    """Say everything that is wrong with a spec before it is written."""
    try:
        wrong = problems(Application.parse(app))
    except InvalidObject as error:
        wrong = list(error.problems)
    if wrong:
        raise CliError("; ".join(wrong), hint="nothing was written", code=Exit.USAGE)


async def _create(session: Session, place: store.Named, app: Obj, *, upsert: bool) -> None:
    try:
        await verbs.create(session.cluster, await store.applications(session), app)
    except AlreadyExists as error:
        if not upsert:
            raise CliError(
                f"there is an Application {place} already", hint="--upsert changes it; or `tiphys app set`"
            ) from error
        found = await store.get(session, place)
        await _write_spec(session, place, found, app["spec"])


async def set_(where: Where, name: str, change: Change) -> None:
    await _respecified(where, name, lambda spec: edit.changed(spec, change))


async def unset(where: Where, name: str, removal: Removal) -> None:
    await _respecified(where, name, lambda spec: edit.removed(spec, removal))


async def _respecified(where: Where, name: str, make: Callable[[Obj], Obj]) -> None:
    async with open_cluster(where) as session:
        place = store.named(session, name)
        app = await store.get(session, place)
        new = make(app["spec"])
        check({**app, "spec": new})
        wrote = await _write_spec(session, place, app, new)
        note(f"{place} is changed" if wrote else f"{place} is so already")


async def _write_spec(session: Session, place: store.Named, app: Obj, spec: Obj) -> bool:
    """Write what differs, unless somebody else wrote meanwhile."""
    difference = merge_patch_between(app["spec"], spec)
    if not difference:
        return False
    version = view.at(app, "metadata", "resourceVersion")
    await store.patch(session, place, {"metadata": {"resourceVersion": version}, "spec": difference})
    return True


async def patch(where: Where, name: str, text: str, kind: str) -> None:
    """What is no patch is said here; the API server judges the rest."""
    try:
        body = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise CliError(f"the patch is not JSON: {error}", code=Exit.USAGE) from error
    if isinstance(body, list) != (kind == "json"):
        raise CliError("a json patch is a list of operations, a merge patch an object", code=Exit.USAGE)
    async with open_cluster(where) as session:
        place = store.named(session, name)
        await store.get(session, place)
        resource = await store.applications(session)
        changed = await verbs.patch(
            session.cluster, resource, place.namespace, place.name, body, content_type=PATCH_TYPES[kind]
        )
    if where.output is Output.TABLE:
        note(f"{place} is changed")
        return
    changed["metadata"].pop("managedFields", None)
    emit_data(where.output, changed)


async def terminate(where: Where, name: str) -> None:
    """Argo's own way: the phase is asked to become Terminating, and the reconciler ends the operation."""
    async with open_cluster(where) as session:
        place = store.named(session, name)
        app = await store.get(session, place)
        if view.text(app, "status", "operationState", "phase") != "Running":
            raise CliError(f"no operation runs on {place}", hint="`tiphys app get` shows the last one")
        version = view.at(app, "metadata", "resourceVersion")
        asked = {"metadata": {"resourceVersion": version}, "status": {"operationState": {"phase": "Terminating"}}}
        await store.patch(session, place, asked)
        note(f"the operation of {place} is being ended; `tiphys app wait {place} --operation` waits for it")


async def confirm(where: Where, name: str) -> None:
    async with open_cluster(where) as session:
        place = store.named(session, name)
        await store.get(session, place)
        await store.patch(session, place, {"metadata": {"annotations": {APPROVED: rfc3339(now())}}})
        note(f"what {place} asks for may be deleted now")
