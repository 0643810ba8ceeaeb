"""`app sync`, `refresh`, `rollback`, `delete`: one write, then waiting for what it brings about."""

import getpass

from services.cli.app import operation, store, view, watch
from services.cli.app.operation import SyncWish
from services.cli.app.progress import Wanted
from services.cli.errors import CliError
from services.cli.options import Where
from services.cli.output import note
from services.cli.session import Session, open_cluster

_OPERATION = Wanted(sync=False, health=False, operation=True)
_COMPARED = Wanted(sync=False, health=False, operation=False)


async def sync(where: Where, name: str, wish: SyncWish, *, timeout: float | None) -> None:  # noqa: ASYNC109
    async with open_cluster(where) as session:
        app = await store.get(session, store.named(session, name))
        await store.patch(session, store.named(session, name), operation.sync_patch(app, wish, username()))
        await _finish(session, name, "sync", timeout)


async def rollback(where: Where, name: str, entry: int | None, *, prune: bool, timeout: float | None) -> None:  # noqa: ASYNC109
    async with open_cluster(where) as session:
        app = await store.get(session, store.named(session, name))
        change = operation.rollback_patch(app, entry, username(), prune=prune)
        await store.patch(session, store.named(session, name), change)
        await _finish(session, name, "rollback", timeout)


async def _finish(session: Session, name: str, what: str, within: float | None) -> None:
    note(f"{what} of {store.named(session, name)} started")
    if within is not None:
        app = await watch.until(session, store.named(session, name), _OPERATION, within, report=note)
        note(f"{what} finished: {view.text(app or {}, 'status', 'operationState', 'message')}")


async def refresh(where: Where, name: str, *, hard: bool, timeout: float) -> None:  # noqa: ASYNC109
    async with open_cluster(where) as session:
        app = store.named(session, name)
        await store.get(session, app)
        await store.patch(session, app, operation.refresh_patch(hard=hard))
        found = await watch.until(session, app, _COMPARED, timeout, report=None)
        print(watch.line(found or {}))


async def delete(where: Where, name: str, cascade: str, *, timeout: float | None) -> None:  # noqa: ASYNC109
    async with open_cluster(where) as session:
        app = store.named(session, name)
        found = await store.get(session, app)
        wanted = operation.finalizers(found, cascade)
        if wanted != (view.at(found, "metadata", "finalizers") or []):
            version = view.at(found, "metadata", "resourceVersion")
            await store.patch(session, app, {"metadata": {"resourceVersion": version, "finalizers": wanted}})
        await store.delete(session, app)
        note(f"deletion of {app} started (cascade: {cascade})")
        if timeout is not None:
            await watch.until(session, app, None, timeout, report=note)
            note(f"{app} is gone")


def username() -> str:
    """Who starts an operation, for the record in the object; the API server knows who really wrote."""
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:
        raise CliError("your user has no name", hint="set USER") from error
