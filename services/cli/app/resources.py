"""`app resources`, `app actions`: what an Application manages, and what can be done to one of those objects.

Actions are the reconciler's to know and to do (shared/events/actions.py); this asks it over the bus.
"""

import uuid
from typing import Any

from services.cli.app import store, view
from services.cli.app.edit import parameter
from services.cli.app.operation import selected
from services.cli.app.write import username
from services.cli.errors import CliError, Exit
from services.cli.options import Where
from services.cli.output import emit, note
from services.cli.session import open_bus, open_cluster
from shared.events import ListActions, ResourceRef, RunAction

Obj = dict[str, Any]
HEADER = ("GROUP", "KIND", "NAMESPACE", "NAME", "STATUS", "HEALTH", "WAVE", "NOTE")
ACTION_HEADER = ("ACTION", "ENABLED", "PARAMETERS")


async def show_resources(where: Where, name: str, *, kind: str, differing: bool) -> None:
    async with open_cluster(where) as session:
        app = await store.get(session, store.named(session, name))
    found = [one for one in managed(app) if kind in {"", one.get("kind")}]
    shown = [one for one in found if not differing or one.get("status") != "Synced"]
    emit(where.output, shown, HEADER, [row(one) for one in shown])


def managed(app: Obj) -> list[Obj]:
    found: list[Obj] = view.at(app, "status", "resources") or []
    return found


def row(one: Obj) -> tuple[str, ...]:
    notes = [words for name, words in (("hook", "hook"), ("requiresPruning", "to be pruned")) if one.get(name)]
    notes += ["waits for `tiphys app confirm-deletion`"] if one.get("requiresDeletionConfirmation") else []
    names = (view.text(one, name) for name in ("group", "kind", "namespace", "name", "status"))
    return (*names, view.text(one, "health", "status"), view.text(one, "syncWave"), ", ".join(notes))


def resource(app: Obj, word: str) -> ResourceRef:
    """The one managed object that `GROUP:KIND:[NAMESPACE/]NAME` means."""
    wanted = selected(word)
    found = [one for one in managed(app) if all(str(one.get(name) or "") == value for name, value in wanted.items())]
    if len(found) != 1:
        how = "no such resource" if not found else f"{len(found)} such resources"
        raise CliError(
            f"{view.identity(app)} has {how}: {word}", hint="`tiphys app resources` lists them", code=Exit.NOT_FOUND
        )
    return ResourceRef(**{name: str(found[0].get(name) or "") for name in ("group", "kind", "namespace", "name")})


async def show_actions(where: Where, name: str, word: str) -> None:
    async with open_cluster(where) as session, open_bus(where) as bus:
        place = store.named(session, name)
        about = resource(await store.get(session, place), word)
        found = await bus.request(ListActions(namespace=place.namespace, name=place.name, resource=about))
    rows = [
        (one.name, "no" if one.disabled else "yes", ", ".join(given.name for given in one.parameters))
        for one in found.actions
    ]
    emit(where.output, [one.model_dump(mode="json") for one in found.actions], ACTION_HEADER, rows)


async def run_action(where: Where, name: str, action: str, word: str, parameters: tuple[str, ...]) -> None:
    given = {one["name"]: one["value"] for one in map(parameter, parameters)}
    async with open_cluster(where) as session, open_bus(where) as bus:
        place = store.named(session, name)
        about = resource(await store.get(session, place), word)
        question = RunAction(
            request_id=uuid.uuid4().hex,
            namespace=place.namespace,
            name=place.name,
            resource=about,
            action=action,
            parameters=given,
            requested_by=username(),
        )
        done = await bus.request(question, timeout=60)
    for change in done.changes:
        verb = "created" if change.operation == "create" else "changed"
        note(f"{change.resource.kind}/{change.resource.name} {verb}")
    if not done.changes:
        note(f"{about.kind}/{about.name} is so already")
