"""Experiments and AnalysisRuns: shown, ended, begun again, by the same patches as the kubectl plugin's."""

from typing import Any

from services.cli.app.view import at, text
from services.cli.errors import CliError, Exit
from services.cli.options import Output, Where
from services.cli.output import emit_data, note, table
from services.cli.rollout import store
from services.cli.rollout.watch import states
from services.cli.session import open_cluster

Obj = dict[str, Any]
KIND = "Experiment"
ENDED = frozenset({"Successful", "Failed", "Error", "Inconclusive"})
TERMINATE: Obj = {"spec": {"terminate": True}}
RETRY: Obj = {"status": None}
TEMPLATE_HEADER = ("TEMPLATE", "STATUS", "DESIRED", "READY", "AVAILABLE", "SERVICE", "MESSAGE")
RUN_HEADER = ("ANALYSIS", "ANALYSISRUN", "STATUS", "MESSAGE")


async def terminate(where: Where, name: str, kind: str) -> None:
    """End one that runs."""
    async with open_cluster(where) as session:
        wanted = store.named(where, name)
        before = phase(await store.get(session, wanted, kind))
        if before in ENDED:
            raise CliError(f"{kind} {wanted} has ended already: {before}")
        await store.merge(session, wanted, kind, TERMINATE)
    note(f"{kind} {wanted} is terminated")


async def retry(where: Where, name: str) -> None:
    """Begin one that has ended again."""
    async with open_cluster(where) as session:
        wanted = store.named(where, name)
        found = await store.get(session, wanted, KIND)
        if phase(found) not in ENDED:
            raise CliError(f"Experiment {wanted} has not ended: {phase(found)}")
        if at(found, "spec", "terminate"):
            hint = "take spec.terminate away first"
            raise CliError(f"Experiment {wanted} was terminated, and would end at once again", hint=hint)
        await store.merge(session, wanted, KIND, RETRY)
    note(f"Experiment {wanted} is retried")


async def show(where: Where, name: str, *, watch: bool) -> None:
    async with open_cluster(where) as session:
        wanted = store.named(where, name)
        found = await store.get(session, wanted, KIND)
        if where.output is not Output.TABLE:
            emit_data(where.output, found)
            return
        _print(found)
        if not watch:
            return
        said = line(found)
        async with states(session, wanted, KIND) as seen:
            while (state := await seen.get()) is not None:
                if line(state) != said:
                    said = line(state)
                    print(said, flush=True)
    raise CliError(f"Experiment {wanted} is gone", code=Exit.NOT_FOUND)


def _print(experiment: Obj) -> None:
    table((), [(f"{label}:", value) for label, value in get_rows(experiment)])
    for header, rows in ((TEMPLATE_HEADER, template_rows(experiment)), (RUN_HEADER, run_rows(experiment))):
        if rows:
            print()
            table(header, rows)


def phase(obj: Obj) -> str:
    return text(obj, "status", "phase") or "Pending"


def get_rows(experiment: Obj) -> list[tuple[str, str]]:
    rows = [
        ("Name", experiment["metadata"]["name"]),
        ("Namespace", experiment["metadata"]["namespace"]),
        ("Status", phase(experiment)),
        ("Message", text(experiment, "status", "message")),
        ("Duration", text(experiment, "spec", "duration")),
        ("Available", text(experiment, "status", "availableAt")),
    ]
    return [(label, value) for label, value in rows if value]


def template_rows(experiment: Obj) -> list[tuple[str, ...]]:
    """What is asked for, with what is seen of it."""
    seen = {one.get("name"): one for one in at(experiment, "status", "templateStatuses") or ()}
    return [
        (
            str(one.get("name")),
            text(seen.get(one.get("name"), {}), "status") or "Pending",
            str(1 if one.get("replicas") is None else one["replicas"]),
            text(seen.get(one.get("name"), {}), "readyReplicas") or "0",
            text(seen.get(one.get("name"), {}), "availableReplicas") or "0",
            text(seen.get(one.get("name"), {}), "serviceName"),
            text(seen.get(one.get("name"), {}), "message"),
        )
        for one in at(experiment, "spec", "templates") or ()
    ]


def run_rows(experiment: Obj) -> list[tuple[str, ...]]:
    fields = ("name", "analysisRun", "phase", "message")
    return [tuple(text(one, field) for field in fields) for one in at(experiment, "status", "analysisRuns") or ()]


def line(experiment: Obj) -> str:
    """One state, for following."""
    templates = (f"{row[0]}: {row[1]} {row[4]}/{row[2]}" for row in template_rows(experiment))
    runs = (f"{row[0]}: {row[2]}" for row in run_rows(experiment))
    parts = (phase(experiment), *templates, *runs, text(experiment, "status", "message"))
    return "  ".join(part for part in parts if part)
