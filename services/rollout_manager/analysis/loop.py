"""The run's half of analysis: the queue over all AnalysisRuns, whoever made them.

A pass reads the run, decides (decide.py), writes the status where it differs, and starts, stops and plans measurements.
A measurement begins when it is due, whatever passes and writes of other runs are waiting; it is a task of its own, and
when it ends it is kept for the next pass, which is due at once. One that an earlier process did not end is made again.
"""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from time import monotonic

from services.rollout_manager.analysis import InvalidAnalysis, Phase
from services.rollout_manager.analysis.decide import Decision, Seen, decide, failed
from services.rollout_manager.analysis.jobs import JobOf, Jobs
from services.rollout_manager.analysis.measure import measure
from services.rollout_manager.analysis.prepared import Prepared, prepare
from services.rollout_manager.analysis.providers import Ask
from services.rollout_manager.analysis.providers.web_access import WebAccess
from services.rollout_manager.analysis.schedule import Beat, moment
from services.rollout_manager.analysis.secrets import Secrets
from services.rollout_manager.analysis.tell import told
from services.rollout_manager.analysis.ttl import seconds_left
from services.rollout_manager.keys import Obj
from services.rollout_manager.labels import FIELD_MANAGER
from services.rollout_manager.parts import Parts
from services.rollout_manager.scope import ours
from shared.clock import now, rfc3339
from shared.kinds.analysis import AnalysisRunStatus, Measurement
from shared.kinds.wire import InvalidObject
from shared.kube import EventType, Key, LiveObject, NotFound, WorkQueue, verbs
from shared.merge import merge_patch_between

WORKERS = 16


@dataclass
class Going:
    """What is known of a run beside its object: measurements on their way, those that arrived, when they began, and
    when the next are due, on the event loop's clock.
    """

    tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    fresh: list[tuple[str, Measurement]] = field(default_factory=list)
    beats: dict[str, Beat] = field(default_factory=dict)
    due: dict[str, float] = field(default_factory=dict)
    plan: "Plan | None" = field(default=None, repr=False)


@dataclass
class Loop:
    """One instance a process. `echoes`: runs of which what is heard now is only what we wrote."""

    parts: Parts
    web: WebAccess
    jobs: Jobs
    secrets: Secrets
    tasks: asyncio.TaskGroup
    queue: WorkQueue[Key] = field(default_factory=WorkQueue)
    timer: WorkQueue[tuple[Key, str]] = field(default_factory=WorkQueue)
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
        tasks.create_task(loop.timer.run(partial(begin, loop), workers=WORKERS))
        await loop.queue.run(parts.exposed.runs.timed(partial(reconcile, loop)), workers=WORKERS)


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
    going = loop.going.setdefault(key, Going())
    try:
        prepared = await known(loop, going, obj)
        status = AnalysisRunStatus.parse(obj.get("status") or {})
    except (InvalidObject, InvalidAnalysis) as error:
        began = AnalysisRunStatus(started_at=(obj.get("status") or {}).get("startedAt"))
        await write(loop, key, obj, failed(began, error.problems, now()))
        return None
    given, decided = seen(prepared, status, going), monotonic()
    decision, going.due = decide(given), {}
    await write(loop, key, obj, decision.status)
    if loop.going.get(key) is not going:
        return None  # it was deleted meanwhile
    going.fresh = going.fresh[len(given.fresh) :]
    going.plan = Plan(loop, key, going, obj, prepared, decision.status)
    carry_out(going.plan, decision)
    return wait_for(going.plan, decision, decided)


async def known(loop: Loop, going: Going, obj: Obj) -> Prepared:
    """What follows from the run's spec. Raises InvalidObject and InvalidAnalysis."""
    if going.plan is not None and going.plan.prepared.holds_for(obj):
        return going.plan.prepared
    return await prepare(obj, loop.secrets, loop.parts.engines)


def seen(prepared: Prepared, status: AnalysisRunStatus, going: Going) -> Seen:
    return Seen(
        metrics=tuple(prepared.metrics.values()),
        status=status,
        now=now(),
        terminate=prepared.terminate,
        fresh=tuple(going.fresh),
        busy=frozenset(going.tasks),
        dry=prepared.dry,
        kept=prepared.kept,
        beats=going.beats,
    )


def carry_out(plan: "Plan", decision: Decision) -> None:
    """Stop and start measurements."""
    for name in decision.stop:
        stopped = name in plan.going.tasks and plan.going.tasks[name].cancel()
        if stopped and plan.prepared.metrics[name].provider == "job":
            plan.loop.tasks.create_task(plan.loop.jobs.stop(plan.job(name)))
    for name in decision.measure:
        plan.start(name)


def wait_for(plan: "Plan", decision: Decision, decided: float) -> float | None:
    """A measurement that is due later begins without another pass, unless a Secret has to be read for it: then it is
    the next pass that begins it, in the seconds given here.
    """
    due = plan.going.due = {name: decided + wait for name, wait in decision.later.items()}
    if due and not plan.prepared.lasting:
        return max(0.0, min(due.values()) - monotonic())
    for name, at in due.items():
        plan.loop.timer.add_after((plan.key, name), at - monotonic())
    return None


async def begin(loop: Loop, due: tuple[Key, str]) -> float | None:
    """Start a measurement whose time has come; the pass that planned it may have been followed by another."""
    key, name = due
    going = loop.going.get(key)
    if going is None or going.plan is None or name not in going.due:
        return None
    left = going.due[name] - monotonic()
    if left > 0:
        return left
    del going.due[name]
    going.plan.start(name)
    return None


@dataclass(frozen=True)
class Plan:
    """A run after its newest pass: what is measured, and the status that was written."""

    loop: Loop
    key: Key
    going: Going
    obj: Obj
    prepared: Prepared
    status: Obj

    def start(self, name: str) -> None:
        self.note_beat(name)
        self.going.tasks[name] = self.loop.tasks.create_task(self.measure(name))

    async def measure(self, name: str) -> None:
        """Make one measurement, keep it for the next pass, and ask for that."""
        loop, metric = self.loop, self.prepared.metrics[name]
        try:
            measurement = await measure(self.ask(name), loop.parts.engines, metric, self.prepared.secrets)
            self.going.fresh.append((name, measurement))
        finally:
            self.going.tasks.pop(name, None)
            loop.queue.add(self.key)

    def note_beat(self, name: str) -> None:
        """Keep when a measurement began; a grid that an earlier process began stays where the status says."""
        beats, began = self.going.beats, now().timestamp()
        if name in beats:
            origin = beats[name].origin
        elif self.number(name) == 1:
            origin = began
        else:
            origin = moment(self.status.get("startedAt")) + self.prepared.metrics[name].initial_delay
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
        return JobOf(self.obj, self.prepared.metrics[name], self.number(name))

    def number(self, name: str) -> int:
        """The number of the next measurement, from 1: all that ended before, and one."""
        results = self.status.get("metricResults") or ()
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
    for one in told(obj.get("status") or {}, status):
        loop.parts.recorder.record(written, one.reason, one.message, type_=one.type)


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
