"""`app list`, `get`, `history`: what the objects say, printed."""

from services.cli.app import store, view
from services.cli.options import Output, Where
from services.cli.output import emit, emit_data, table
from services.cli.session import open_cluster


async def show_list(where: Where, *, selector: str, project: str, all_namespaces: bool) -> None:
    async with open_cluster(where) as session:
        found = await store.list_(session, None if all_namespaces else session.namespace, selector)
    apps = [app for app in found if not project or (view.text(app, "spec", "project") or "default") == project]
    emit(where.output, apps, view.LIST_HEADER, [view.list_row(app) for app in apps])


async def show(where: Where, name: str) -> None:
    async with open_cluster(where) as session:
        app = await store.get(session, store.named(session, name))
    if where.output is not Output.TABLE:
        emit_data(where.output, app)
        return
    table((), [(f"{label}:", value) for label, value in view.get_rows(app)])
    if rows := view.resource_rows(app):
        print()
        table(view.RESOURCE_HEADER, rows)


async def show_history(where: Where, name: str) -> None:
    async with open_cluster(where) as session:
        app = await store.get(session, store.named(session, name))
    entries = view.at(app, "status", "history") or []
    emit(where.output, entries, view.HISTORY_HEADER, [view.history_row(entry) for entry in entries])
