"""Following a Rollout or an Experiment: its object is watched, never polled."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from services.cli.app.store import Named
from services.cli.rollout import store
from services.cli.session import Session
from services.stack.observe import decoded
from shared.kube import EventType, Informer

Obj = dict[str, Any]


@asynccontextmanager
async def states(session: Session, wanted: Named, kind: str = "Rollout") -> AsyncIterator["asyncio.Queue[Obj | None]"]:
    """Every state of the object from now on; None: it is gone."""
    found: asyncio.Queue[Obj | None] = asyncio.Queue()
    informer = Informer(
        session.cluster,
        await store.kind_of(session, kind),
        decoded,
        namespace=wanted.namespace,
        field_selector=f"metadata.name={wanted.name}",
    )
    watching = asyncio.create_task(
        informer.run(lambda type_, _key, obj, _old: found.put_nowait(None if type_ is EventType.DELETED else obj))
    )
    try:
        await informer.listed()
        if not informer.store:
            found.put_nowait(None)
        yield found
    finally:
        watching.cancel()
        await asyncio.wait({watching})
