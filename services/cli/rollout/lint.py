"""`rollout lint`: every error of every Rollout and AnalysisTemplate in some files, as the controller would find them;
no cluster is asked.

The pod template is judged by Kubernetes' own code in the engines worker.
"""

import asyncio
from pathlib import Path
from typing import Any

import orjson

from services.cli.errors import CliError, Exit
from services.cli.options import Output, Where
from services.cli.output import emit_data, note
from services.cli.rollout.manifests import documents
from services.rollout_manager.analysis import InvalidAnalysis, metrics, nodata
from services.rollout_manager.gates import APPROVALS, GATES
from services.rollout_manager.gates.written import FIELD, gates_of
from services.rollout_manager.tracking import TRACK
from services.rollout_manager.validate import problems
from shared import engines
from shared.clock import now
from shared.engines import cron, pods
from shared.engines.build import ensure_go_binary
from shared.engines.client import Engines
from shared.engines.errors import EngineError
from shared.events import ABORTED, DELIVERY
from shared.kinds.analysis import AnalysisTemplate, Metric
from shared.kinds.rollout import Rollout
from shared.kinds.wire import InvalidObject, unknown_fields

Obj = dict[str, Any]
TEMPLATES = frozenset({"AnalysisTemplate", "ClusterAnalysisTemplate"})
KINDS = TEMPLATES | {"Rollout"}
OURS = "tiphys.dev/"
ANNOTATIONS = frozenset({DELIVERY, ABORTED, GATES, APPROVALS, TRACK, nodata.ON_NO_DATA})


async def lint(where: Where, files: list[Path]) -> Exit:
    found = [(path, obj) for path in files for obj in documents(path) if obj.get("kind") in KINDS]
    if not found:
        raise CliError("there is no Rollout and no AnalysisTemplate in these files", code=Exit.NOT_FOUND)
    source = Path(engines.__file__).with_name("worker")
    binary = await asyncio.to_thread(ensure_go_binary, source, "engines-worker", report=note)
    async with Engines(binary, size=1) as pool:
        results = [(path, obj, await errors(pool, obj), warnings(obj)) for path, obj in found]
    if where.output is not Output.TABLE:
        emit_data(where.output, [_result(*one) for one in results])
    else:
        for path, obj, wrong, unknown in results:
            _print(path, obj, wrong, unknown)
    return Exit.FAILED if any(wrong for _, _, wrong, _ in results) else Exit.OK


async def errors(pool: Engines, obj: Obj) -> list[str]:
    """All of them."""
    if obj["kind"] in TEMPLATES:
        return template_errors(obj)
    try:
        rollout = Rollout.parse({name: value for name, value in obj.items() if name != "status"})
    except InvalidObject as error:
        return list(error.problems)
    wrong = list(problems(rollout))
    if rollout.spec.workload_ref is None:
        try:
            judged = await pods.problems(pool, orjson.dumps(rollout.spec.template))
        except EngineError as error:
            return [*wrong, f"spec.template: {error.message}"]
        wrong += [f"{one.field}: {one.kind}: {one.message}" for one in judged]
    return wrong + await schedule_problems(pool, rollout)


def template_errors(obj: Obj) -> list[str]:
    """What is wrong with a template by itself; what has arguments in its numbers is judged with the run."""
    try:
        template = AnalysisTemplate.parse({**obj, "kind": "AnalysisTemplate"})
    except InvalidObject as error:
        return list(error.problems)
    found, written = list[str](), template.spec.metrics
    for check in (
        lambda: nodata.read(template.metadata.annotations, [metric.name for metric in written]),
        lambda: metrics.read([one for one in written if not filled_later(one)]),
    ):
        try:
            check()
        except InvalidAnalysis as error:
            found += error.problems
    inherits = bool(written or template.spec.templates)
    return [one for one in found if not inherits or one != metrics.NONE]


def filled_later(metric: Metric) -> bool:
    """Whether arguments decide how often or how long."""
    return any("{{" in str(getattr(metric, name)) for name in metrics.NUMBERS)


async def schedule_problems(pool: Engines, rollout: Rollout) -> list[str]:
    """Times of gates that no clock will ever show."""
    try:
        gates = gates_of(rollout.metadata.annotations)
    except InvalidObject:
        return []
    found = []
    for position, gate in enumerate(gates):
        if gate.window is not None:
            try:
                await cron.upcoming(pool, gate.window.schedule, now(), timezone=gate.window.time_zone)
            except EngineError as error:
                found.append(f"{FIELD}[{position}].window: {error.message}")
    return found


def warnings(obj: Obj) -> list[str]:
    """Fields and annotations of ours that nobody knows: kept, but nothing acts on them. A gate may hang on a typo."""
    annotations = (obj.get("metadata") or {}).get("annotations") or {}
    strange = [name for name in annotations if str(name).startswith(OURS) and name not in ANNOTATIONS]
    return [*_unknown(obj), *(f'metadata.annotations["{name}"]' for name in strange)]


def _unknown(obj: Obj) -> list[str]:
    try:
        return unknown_fields((AnalysisTemplate if obj["kind"] in TEMPLATES else Rollout).parse(obj))
    except InvalidObject:
        return []


def _result(path: Path, obj: Obj, wrong: list[str], unknown: list[str]) -> Obj:
    name = (obj.get("metadata") or {}).get("name")
    return {"file": str(path), "kind": obj["kind"], "name": name, "errors": wrong, "unknownFields": unknown}


def _print(path: Path, obj: Obj, wrong: list[str], unknown: list[str]) -> None:
    name = (obj.get("metadata") or {}).get("name")
    print(f"{path}: {obj['kind']} {name}: {'ok' if not wrong else f'{len(wrong)} error' + 's' * (len(wrong) > 1)}")
    for one in wrong:
        print(f"  error: {one}")
    for field in unknown:
        print(f"  warning: unknown field {field}")
