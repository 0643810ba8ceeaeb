"""`app windows`: which sync windows of its project concern an Application, which are open, and whether it may sync."""

from contextlib import AsyncExitStack
from datetime import datetime
from typing import Any

from services.cli.app import store, view
from services.cli.errors import CliError, Exit
from services.cli.options import Output, Where
from services.cli.output import emit_data, table
from services.cli.session import Session, open_cluster
from shared.clock import now, rfc3339
from shared.engines.openings import Openings
from shared.kinds.appproject import AppProject
from shared.kinds.clusters import ClusterSecret
from shared.kinds.secrets import InvalidSecret
from shared.kinds.windows import Permission, Place, Timed, concerning, decide
from shared.kube import NotFound, verbs
from shared.run.context import EnginesOnce

Obj = dict[str, Any]
HEADER = ("KIND", "SCHEDULE", "ZONE", "DURATION", "NOW", "NEXT", "MANUAL SYNC", "OVERRUN", "DESCRIPTION")


async def show(where: Where, name: str) -> None:
    async with open_cluster(where) as session:
        app = await store.get(session, store.named(session, name))
        windows = concerning((await _project(session, app)).spec.sync_windows, await _place(session, app))
    at = now()
    async with AsyncExitStack() as closing:
        openings = Openings(EnginesOnce(1, closing).get)
        timed = [await openings.of(window, at) for window in windows]
    said = {how: decide(timed, at, manual=how == "manual") for how in ("automated", "manual")}
    if where.output is not Output.TABLE:
        shown = [one.window.model_dump(by_alias=True, mode="json") for one in timed]
        emit_data(where.output, {"windows": shown, **{how: _permission(one) for how, one in said.items()}})
        return
    if timed:
        table(HEADER, [row(one, at) for one in timed])
    for how, one in said.items():
        print(f"{how} sync: {'allowed' if one.allowed else blocked(one)}")


def row(one: Timed, at: datetime) -> tuple[str, ...]:
    window = one.window
    state = "unreadable" if one.problem else "open" if one.is_open(at) else "closed"
    coming = next((rfc3339(edge) for span in one.spans for edge in span if edge > at), one.problem)
    flags = ("yes" if flag else "no" for flag in (window.manual_sync, window.sync_overrun))
    zone = window.time_zone or "UTC"
    return (window.kind, window.schedule, zone, window.duration, state, coming, *flags, window.description)


def blocked(one: Permission) -> str:
    until = f" until {rfc3339(one.until)}" if one.until else ""
    return f"blocked{until} by {one.reason}"


def _permission(one: Permission) -> Obj:
    return {"allowed": one.allowed, "until": rfc3339(one.until) if one.until else None, "reason": one.reason}


async def _project(session: Session, app: Obj) -> AppProject:
    resource = await session.discovery.resource("argoproj.io", "AppProject")
    name = view.text(app, "spec", "project") or "default"
    try:
        return AppProject.parse(await verbs.get(session.cluster, resource, session.namespace, name))
    except NotFound as error:
        raise CliError(f"its project {name} does not exist", code=Exit.NOT_FOUND) from error


async def _place(session: Session, app: Obj) -> Place:
    """What windows choose it by; the other name of its cluster is in the cluster Secrets."""
    server, cluster = (view.text(app, "spec", "destination", word) for word in ("server", "name"))
    resource = await session.discovery.resource("", "Secret")
    selector = "argocd.argoproj.io/secret-type=cluster"
    found = await verbs.list_(session.cluster, resource, session.namespace, label_selector=selector)
    known = [("in-cluster", "https://kubernetes.default.svc"), *(_names(obj) for obj in found)]
    cluster = cluster or next((name for name, url in known if url == server), "")
    server = server or next((url for name, url in known if name == cluster), "")
    return Place(
        view.text(app, "metadata", "name"), view.text(app, "spec", "destination", "namespace"), server, cluster
    )


def _names(obj: Obj) -> tuple[str, str]:
    try:
        secret = ClusterSecret.from_secret(obj)
    except InvalidSecret:
        return "", ""
    return secret.name, secret.server
