"""`rollout list`, `get`, `status`: what the objects say, printed."""

import asyncio
from typing import Any

from services.cli.app.store import Named
from services.cli.errors import CliError, Exit
from services.cli.options import Output, Where
from services.cli.output import emit, emit_data, table
from services.cli.rollout import store, view
from services.cli.rollout.watch import states
from services.cli.session import Session, open_cluster

Obj = dict[str, Any]


async def show_list(where: Where, *, all_namespaces: bool) -> None:
    async with open_cluster(where) as session:
        found = await store.list_(session, None if all_namespaces else where.namespace or "default")
    emit(where.output, found, view.LIST_HEADER, [view.list_row(one) for one in found])


async def show(where: Where, name: str, *, watch: bool) -> None:
    async with open_cluster(where) as session:
        rollout = store.named(where, name)
        found = await store.get(session, rollout)
        if where.output is not Output.TABLE:
            emit_data(where.output, found)
            return
        await _print(session, found)
        if watch:
            await _follow(session, rollout, None)


async def _print(session: Session, rollout: Obj) -> None:
    table((), [(f"{label}:", value) for label, value in view.get_rows(rollout)])
    if sets := await store.owned(session, rollout, "apps", "ReplicaSet"):
        print()
        table(view.SET_HEADER, view.set_rows(rollout, sets))
    rows: list[tuple[str, ...]] = []
    for kind in ("AnalysisRun", "Experiment"):
        rows += view.run_rows(kind, await store.owned(session, rollout, "argoproj.io", kind))
    if rows:
        print()
        table(view.RUN_HEADER, rows)


async def _follow(session: Session, rollout: Named, until: frozenset[str] | None) -> str:
    """Print each state that differs; ends at one of the phases, or never."""
    said = ""
    async with states(session, rollout) as found:
        while True:
            state = await found.get()
            if state is None:
                raise CliError(f"{rollout} is gone", code=Exit.NOT_FOUND)
            if (now := view.line(state)) != said:
                said = now
                print(now, flush=True)
            if until is not None and view.phase(state) in until:
                return view.phase(state)


async def show_status(where: Where, name: str, *, watch: bool, timeout: float) -> Exit:  # noqa: ASYNC109
    """Healthy is 0; Degraded is not. Without `watch` what it is now; with it what it comes to."""
    async with open_cluster(where) as session:
        rollout = store.named(where, name)
        found = await store.get(session, rollout)
        if not watch:
            print(view.line(found))
            return Exit.FAILED if view.phase(found) == "Degraded" else Exit.OK
        ends = frozenset({"Healthy", "Degraded"})
        async with asyncio.timeout(timeout or None):
            phase = await _follow(session, rollout, ends)
    return Exit.FAILED if phase == "Degraded" else Exit.OK
