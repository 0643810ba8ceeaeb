"""Waiting for an Application: its object is watched, never polled; each change is judged by progress.py."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from services.cli.app import store
from services.cli.app.progress import Wanted, failed, line, missing_of
from services.cli.app.store import Named
from services.cli.errors import CliError, Exit
from services.cli.options import Where
from services.cli.output import note
from services.cli.session import Session, open_cluster
from services.stack.observe import decoded
from shared.kube import EventType, Informer, Key

Obj = dict[str, Any]
Report = Callable[[str], None]
__all__ = ["line", "until", "wait"]


async def wait(where: Where, name: str, wanted: Wanted | None, *, timeout: float) -> None:  # noqa: ASYNC109
    async with open_cluster(where) as session:
        app = store.named(session, name)
        if wanted is not None:
            await store.get(session, app)
        found = await until(session, app, wanted, timeout, report=note)
        print(line(found) if found else f"{app} is gone")


async def until(
    session: Session, app: Named, wanted: Wanted | None, within: float, *, report: Report | None
) -> Obj | None:
    """The object once it is as wanted; None: it is gone. Raises when it is gone unasked, has failed, or time is up."""
    states: asyncio.Queue[Obj | None] = asyncio.Queue()
    informer = Informer(
        session.cluster,
        await store.applications(session),
        decoded,
        namespace=app.namespace,
        field_selector=f"metadata.name={app.name}",
    )
    watching = asyncio.create_task(informer.run(lambda event, _key, obj, _old: states.put_nowait(_state(event, obj))))
    try:
        async with asyncio.timeout(within):
            await informer.listed(within)
            if not informer.store:
                states.put_nowait(None)
            return await _judged(states, app, wanted, report)
    except TimeoutError as error:
        raise CliError(
            f"{app} is not as wanted after {within:.0f} s: {_lacking(informer.store, wanted)}", code=Exit.TIMEOUT
        ) from error
    finally:
        watching.cancel()
        await asyncio.wait({watching})


def _state(event: EventType, obj: Obj) -> Obj | None:
    return None if event is EventType.DELETED else obj


async def _judged(
    states: "asyncio.Queue[Obj | None]", app: Named, wanted: Wanted | None, report: Report | None
) -> Obj | None:
    said = ""
    while True:
        found = await states.get()
        if found is None and wanted is not None:
            raise CliError(f"{app} was deleted meanwhile", code=Exit.NOT_FOUND)
        if found is None or (wanted and not missing_of(found, wanted)):
            if found is not None and wanted and (why := failed(found, wanted)):
                raise CliError(f"{app}: {why}")
            return found
        if report and (now := line(found)) != said:
            said = now
            report(now)


def _lacking(known: Mapping[Key, Obj], wanted: Wanted | None) -> str:
    for found in known.values():
        return ", ".join(missing_of(found, wanted)) if wanted else "it still exists"
    return "it is gone"
