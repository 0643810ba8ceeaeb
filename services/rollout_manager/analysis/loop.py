"""The run's half of analysis: the queue over all AnalysisRuns, whoever made them.

A pass reads the run, decides (decide.py), starts and stops measurements, and writes the status where it differs. A
measurement is a task of its own; when it ends it is kept for the next pass, which is due at once. One that an earlier
process did not end is made again.
"""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from time import monotonic

from services.rollout_manager.analysis import InvalidAnalysis, Phase, nodata
from services.rollout_manager.analysis.arguments import filled
from services.rollout_manager.analysis.decide import Decision, Seen, decide, failed
from services.rollout_manager.analysis.jobs import JobOf, Jobs
from services.rollout_manager.analysis.measure import measure
from services.rollout_manager.analysis.metrics import Metric, read
from services.rollout_manager.analysis.named import chosen
from services.rollout_manager.analysis.providers import Ask
from services.rollout_manager.analysis.providers.web_access import WebAccess
from services.rollout_manager.analysis.schedule import Beat, moment
from services.rollout_manager.analysis.secrets import Secrets
from services.rollout_manager.analysis.ttl import seconds_left
from services.rollout_manager.keys import Obj
from services.rollout_manager.labels import FIELD_MANAGER
from services.rollout_manager.parts import Parts
from services.rollout_manager.scope import ours
from shared.clock import now, rfc3339
from shared.kinds.analysis import AnalysisRun, AnalysisRunStatus, Measurement
from shared.kinds.analysis import Metric as Written
from shared.kinds.wire import InvalidObject
from shared.kube import EventType, Key, LiveObject, NotFound, WorkQueue, verbs
from shared.merge import merge_patch_between

WORKERS = 16


@dataclass
class Going:
    """What is known of a run beside its object: measurements on their way, those that arrived, and when they began."""

    tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    fresh: list[tuple[str, Measurement]] = field(default_factory=list)
    beats: dict[str, Beat] = field(default_factory=dict)


@dataclass
class Loop:
    """One instance a process. `echoes`: runs of which what is heard now is only what we wrote."""

    parts: Parts
    web: WebAccess
    jobs: Jobs
    secrets: Secrets
    tasks: asyncio.TaskGroup
    queue: WorkQueue[Key] = field(default_factory=WorkQueue)
    going: dict[Key, Going] = field(default_factory=dict)
    echoes: set[Key] = field(default_factory=set)


async def run_analyses(parts: Parts, tasks: asyncio.TaskGroup) -> None:
    """Start what works on AnalysisRuns, in the group; returns when the first list is in."""
    ready = asyncio.Event()
    tasks.create_task(_run(parts, tasks, ready))
    await ready.wait()


async def _run(parts: Parts, tasks: asyncio.TaskGroup, ready: asyncio.Event) -> None:
    async with AsyncExitStack() as closing:
        web = await closing.enter_async_context(WebAccess(parts.settings.metric_hosts))
        secrets = Secrets(parts.objects, parts.namespace)
        loop = Loop(parts, web, Jobs(parts.objects), secrets, tasks)
        parts.runs.listeners.append(partial(on_run, loop))
        for key, obj in parts.runs.store.items():
            on_run(loop, EventType.ADDED, key, obj, None)
        ready.set()
        await loop.queue.run(partial(reconcile, loop), workers=WORKERS)


def on_run(loop: Loop, type_: EventType, key: Key, obj: LiveObject, _old: LiveObject | None) -> None:
    """An AnalysisRun was made, changed or deleted; one that is done stays out of the queue but for its end."""
    if type_ is EventType.DELETED:
        forget(loop, key)
    elif key not in loop.echoes and ours(obj.meta.labels, loop.parts.settings.instance_id):
        loop.queue.add(key)


def forget(loop: Loop, key: Key) -> None:
    going = loop.going.pop(key, None)
    for task in going.tasks.values() if going else ():
        task.cancel()


async def reconcile(loop: Loop, key: Key) -> float | None:
    """Do one pass; gives the seconds until the next one is due by itself."""
    live = loop.parts.runs.store.get(key)
    if live is None or live.meta.deletionTimestamp is not None:
        forget(loop, key)
        return None
    obj = live.load()
    if completed(obj):
        forget(loop, key)
        return await expire(loop, key, obj)
    return await work(loop, key, obj)


def completed(obj: Obj) -> bool:
    phase = str((obj.get("status") or {}).get("phase") or "")
    return phase in list(Phase) and Phase(phase).completed


async def work(loop: Loop, key: Key, obj: Obj) -> float | None:
    going, began = loop.going.setdefault(key, Going()), monotonic()
    fresh = list(going.fresh)
    try:
        run = AnalysisRun.parse(obj)
        metrics, secrets = await prepared(loop, run)
        seen = await observed(loop, run, metrics, going)
    except (InvalidObject, InvalidAnalysis) as error:
        status = AnalysisRunStatus(started_at=(obj.get("status") or {}).get("startedAt"))
        await write(loop, key, obj, failed(status, error.problems, now()))
        return None
    decision = decide(seen)
    await write(loop, key, obj, decision.status)
    going.fresh = going.fresh[len(fresh) :]
    carry_out(Working(loop, key, obj, {one.name: one for one in metrics}, secrets), decision)
    return None if decision.again is None else max(0.0, decision.again - (monotonic() - began))


async def prepared(loop: Loop, run: AnalysisRun) -> tuple[tuple[Metric, ...], list[str]]:
    """The metrics with their arguments filled in, and the values of those that are secret. Raises InvalidAnalysis."""
    values, secret = await loop.secrets.arguments(run.metadata.namespace, run.spec.args)
    texts = [Written.parse(filled(one.to_wire(), values)) for one in run.spec.metrics]
    metrics = read(texts)
    verdicts = nodata.read(run.metadata.annotations, [one.name for one in metrics])
    return tuple(replace(one, no_data=verdicts.get(one.name)) for one in metrics), secret


async def observed(loop: Loop, run: AnalysisRun, metrics: tuple[Metric, ...], going: Going) -> Seen:
    """Raises InvalidAnalysis for a rule that chooses no metric."""
    names = [one.name for one in metrics]
    engines = loop.parts.engines
    dry = await chosen(engines, [one.metric_name for one in run.spec.dry_run], names, "dryRun")
    retention = run.spec.measurement_retention
    kept = await chosen(engines, [one.metric_name for one in retention], names, "measurementRetention")
    limits = {name: retention[index].limit for name, index in kept.items()}
    return Seen(
        metrics=metrics,
        status=run.status or AnalysisRunStatus(),
        now=now(),
        terminate=run.spec.terminate,
        fresh=tuple(going.fresh),
        busy=frozenset(going.tasks),
        dry=frozenset(dry),
        kept=limits,
        beats=going.beats,
    )


def carry_out(working: "Working", decision: Decision) -> None:
    """Stop and start measurements."""
    loop = working.loop
    tasks = loop.going[working.key].tasks
    for name in decision.stop:
        tasks[name].cancel()
        if working.metrics[name].provider == "job":
            loop.tasks.create_task(loop.jobs.stop(working.job(name)))
    for name in decision.measure:
        working.note_beat(name)
        tasks[name] = loop.tasks.create_task(working.measure(name))


@dataclass(frozen=True)
class Working:
    """A run in one pass: its metrics by name, the values that must not be shown."""

    loop: Loop
    key: Key
    obj: Obj
    metrics: Mapping[str, Metric]
    secrets: list[str]

    async def measure(self, name: str) -> None:
        """Make one measurement, keep it for the next pass, and ask for that."""
        loop, metric = self.loop, self.metrics[name]
        try:
            measurement = await measure(self.ask(name), loop.parts.engines, metric, self.secrets)
            if self.key in loop.going:
                loop.going[self.key].fresh.append((name, measurement))
        finally:
            if self.key in loop.going:
                loop.going[self.key].tasks.pop(name, None)
            loop.queue.add(self.key)

    def note_beat(self, name: str) -> None:
        """Keep when a measurement began; a grid that an earlier process began stays where the status says."""
        beats, began = self.loop.going[self.key].beats, now().timestamp()
        if name in beats:
            origin = beats[name].origin
        elif self.number(name) == 1:
            origin = began
        else:
            origin = moment((self.obj.get("status") or {}).get("startedAt")) + self.metrics[name].initial_delay
        beats[name] = Beat(origin, began)

    def ask(self, name: str) -> Ask:
        """What the provider may use."""
        loop, job = self.loop, self.job(name)
        return Ask(
            web=loop.web,
            engines=loop.parts.engines,
            secret=partial(loop.secrets.data, self.key.namespace),
            shared_secret=partial(loop.secrets.data, loop.parts.namespace),
            job=lambda _metric: loop.jobs.run(job),
        )

    def job(self, name: str) -> JobOf:
        """The Job of a metric's next measurement."""
        return JobOf(self.obj, self.metrics[name], self.number(name))

    def number(self, name: str) -> int:
        """The number of the next measurement, from 1: all that ended before, and one."""
        results = (self.obj.get("status") or {}).get("metricResults") or ()
        found: Obj = next((one for one in results if one.get("name") == name), {})
        return int(found.get("count") or 0) + int(found.get("error") or 0) + 1


async def write(loop: Loop, key: Key, obj: Obj, status: Obj) -> None:
    """Write what differs, on the object itself: it has no status subresource."""
    patch = merge_patch_between(obj.get("status") or {}, status)
    if not patch:
        return
    resource = loop.parts.runs.informer.resource
    try:
        written = await verbs.patch(
            loop.parts.cluster, resource, key.namespace, key.name, {"status": patch}, manager=FIELD_MANAGER
        )
    except NotFound:
        return
    note(loop, key, obj, written)
    before, after = (obj.get("status") or {}).get("phase"), status.get("phase")
    if before != after:
        bad = after in {Phase.FAILED, Phase.ERROR, Phase.INCONCLUSIVE}
        text = f"Analysis {after}" + (f": {status['message']}" if status.get("message") else "")
        loop.parts.recorder.record(written, f"AnalysisRun{after}", text, type_="Warning" if bad else "Normal")


def note(loop: Loop, key: Key, before: Obj, written: Obj) -> None:
    """Tell everybody what was written; this queue only of an end, or if there is more in it than what we wrote."""
    if wishes(before) == wishes(written) and not completed(written):
        loop.echoes.add(key)
    loop.parts.runs.note(written)
    loop.echoes.discard(key)


def wishes(obj: Obj) -> tuple[object, ...]:
    """What others may have changed meanwhile."""
    metadata = obj["metadata"]
    return obj.get("spec"), *(metadata.get(name) for name in ("labels", "annotations", "deletionTimestamp"))


async def expire(loop: Loop, key: Key, obj: Obj) -> float | None:
    """Delete a run whose time is over."""
    left = seconds_left(obj, rfc3339(now()))
    if left is None or left > 0:
        return left
    resource = loop.parts.runs.informer.resource
    try:
        await verbs.delete(loop.parts.cluster, resource, key.namespace, key.name, uid=obj["metadata"]["uid"])
    except NotFound:
        return None
    return None
