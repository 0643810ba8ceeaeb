"""The experiment's half: the queue over all Experiments. A pass looks, decides (decide.py), writes what differs."""

import asyncio
from collections.abc import Awaitable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from services.rollout_manager.analysis import Phase
from services.rollout_manager.analysis.flatten import reached, ref_of
from services.rollout_manager.experiments import made
from services.rollout_manager.experiments.decide import decide, refused
from services.rollout_manager.experiments.seen import Decision, Seen, SeenRun
from services.rollout_manager.experiments.tell import told
from services.rollout_manager.experiments.validate import problems_of
from services.rollout_manager.keys import Obj, Ref
from services.rollout_manager.keys import ref_of as ref_of_object
from services.rollout_manager.labels import FIELD_MANAGER, SCALE_DOWN_DEADLINE
from services.rollout_manager.objects import Interest
from services.rollout_manager.parts import Parts
from services.rollout_manager.scope import ours
from services.rollout_manager.sets import replica_set
from shared.clock import now
from shared.kinds.analysis import TemplateRef
from shared.kinds.experiment import Experiment
from shared.kinds.wire import InvalidObject
from shared.kube import (
    AlreadyExists,
    BadRequest,
    EventType,
    Forbidden,
    Invalid,
    Key,
    LiveObject,
    NotFound,
    WorkQueue,
    verbs,
)
from shared.merge import merge_patch_between

WORKERS = 16
FOR_GOOD = (BadRequest, Forbidden, Invalid)  # what the API server says of an object, not of itself


@dataclass
class Loop:
    """One instance a process."""

    parts: Parts
    interest: Interest[Key]
    queue: WorkQueue[Key] = field(default_factory=WorkQueue)


async def run_experiments(parts: Parts, tasks: asyncio.TaskGroup) -> None:
    """Start what works on Experiments, in the group."""
    queue: WorkQueue[Key] = WorkQueue()
    loop = Loop(parts, parts.objects.interest(queue.add), queue)
    parts.experiments.listeners.append(partial(on_experiment, loop))
    for watch in (parts.replica_sets, parts.runs):
        watch.listeners.append(partial(on_owned, loop))
    for key, obj in parts.experiments.store.items():
        on_experiment(loop, EventType.ADDED, key, obj, None)
    tasks.create_task(queue.run(parts.exposed.experiments.timed(partial(reconcile, loop)), workers=WORKERS))


def on_experiment(loop: Loop, _type: EventType, key: Key, obj: LiveObject, _old: LiveObject | None) -> None:
    if ours(obj.meta.labels, loop.parts.settings.instance_id):
        loop.queue.add(key)


def on_owned(loop: Loop, _type: EventType, key: Key, obj: LiveObject, _old: LiveObject | None) -> None:
    for owner in obj.meta.ownerReferences:
        if owner.kind == "Experiment" and owner.controller:
            loop.queue.add(Key(key.namespace, owner.name))


async def reconcile(loop: Loop, key: Key) -> float | None:
    """Do one pass; gives the seconds until the next one is due by itself."""
    live = loop.parts.experiments.store.get(key)
    if live is None or live.meta.deletionTimestamp is not None:
        loop.interest.set(key, ())
        return None
    obj = live.load()
    try:
        experiment = Experiment.parse(obj)
    except InvalidObject as error:
        await write(loop, key, obj, {"phase": Phase.ERROR.value, "message": "; ".join(error.problems)})
        return None
    seen = await observe(loop, key, experiment, obj)
    decision = decide(seen)
    try:
        await act(loop, key, decision)
    except FOR_GOOD as error:
        if seen.over:
            raise  # it winds down: that is tried again
        decision = refused(seen, error.message)
    await write(loop, key, obj, decision.status)
    return decision.again


async def observe(loop: Loop, key: Key, experiment: Experiment, obj: Obj) -> Seen:
    parts, uid = loop.parts, experiment.metadata.uid
    problems, hashes = problems_of(experiment), {}
    for template in experiment.spec.templates if not problems else ():
        found = await parts.templates.of(template.template, None)
        problems += [f"template '{template.name}': {problem}" for problem in found.problems]
        hashes[template.name] = found.hashes[0] if found.hashes else ""
    names = {one.name: f"{key.name}-{one.name}" for one in experiment.spec.templates}
    sets = {one.name: one for one in map(replica_set, parts.owned_sets.of(uid))}
    seen = Seen(
        experiment=experiment,
        obj=obj,
        now=now(),
        hashes=hashes,
        problems=tuple(problems),
        sets={template: sets[name] for template, name in names.items() if name in sets},
        runs={live.meta.name: seen_run(live) for live in parts.owned_runs.of(uid)},
        templates=await templates(loop, key, experiment),
    )
    return replace(seen, services=dict(services(loop, seen)))


def services(loop: Loop, seen: Seen) -> Iterator[tuple[str, Obj]]:
    """Its own Services; one of that name that is somebody else's is none of it."""
    for template in seen.experiment.spec.templates:
        name = made.service_name(seen, template)
        live = loop.parts.services.store.get(Key(seen.experiment.metadata.namespace, name)) if name else None
        if live is not None and any(owner.uid == seen.experiment.metadata.uid for owner in live.meta.ownerReferences):
            yield template.name, live.load()


def seen_run(live: LiveObject) -> SeenRun:
    obj = live.load()
    status = obj.get("status") or {}
    phase = str(status.get("phase") or "")
    known = Phase(phase) if phase in list(Phase) else Phase.PENDING
    return SeenRun(known, str(status.get("message") or ""), (obj.get("spec") or {}).get("terminate") is True)


async def templates(loop: Loop, key: Key, experiment: Experiment) -> dict[Ref, Obj | None]:
    """The AnalysisTemplates that its analyses name, and all that these name; a change of one brings us back."""
    named = [
        ref_of(TemplateRef(template_name=one.template_name, cluster_scope=one.cluster_scope), key.namespace)
        for one in experiment.spec.analyses
    ]
    found: dict[Ref, Obj | None] = {}
    while missing := [ref for ref in reached(named, found) if ref not in found]:
        for ref in missing:
            found[ref] = await loop.parts.objects.get(ref)
    names = [(one.service and one.service.name) or f"{key.name}-{one.name}" for one in experiment.spec.templates]
    own = [Ref("", "Service", key.namespace, name) for name in names]
    loop.interest.set(key, [*found, *own])
    return found


async def act(loop: Loop, key: Key, decision: Decision) -> None:
    for obj in decision.create:
        await create(loop, obj)
    for name in decision.scale.keys() | decision.deadlines.keys():
        await scale(loop, key, name, decision)
    services_ = loop.parts.services.informer.resource
    for name in decision.delete_services:
        await _quietly(verbs.delete(loop.parts.cluster, services_, key.namespace, name))
    runs = loop.parts.runs.informer.resource
    for name in decision.stop_runs:
        await _quietly(
            verbs.patch(
                loop.parts.cluster, runs, key.namespace, name, {"spec": {"terminate": True}}, manager=FIELD_MANAGER
            )
        )


async def create(loop: Loop, obj: Obj) -> None:
    ref = ref_of_object(obj)
    watch = {"ReplicaSet": loop.parts.replica_sets, "Service": loop.parts.services, "AnalysisRun": loop.parts.runs}
    try:
        done = await verbs.create(loop.parts.cluster, watch[ref.kind].informer.resource, obj, manager=FIELD_MANAGER)
    except AlreadyExists:
        return  # a watch will show it; one that is not ours is no part of this Experiment
    watch[ref.kind].note(done)


async def scale(loop: Loop, key: Key, name: str, decision: Decision) -> None:
    patch: Obj = {}
    if name in decision.deadlines:
        patch["metadata"] = {"annotations": {SCALE_DOWN_DEADLINE: decision.deadlines[name]}}
    if name in decision.scale:
        patch["spec"] = {"replicas": decision.scale[name]}
    resource = loop.parts.replica_sets.informer.resource
    try:
        done = await verbs.patch(loop.parts.cluster, resource, key.namespace, name, patch, manager=FIELD_MANAGER)
    except NotFound:
        return
    loop.parts.replica_sets.note(done)


async def _quietly(doing: Awaitable[Any]) -> None:
    """What is gone already is as it should be."""
    try:
        await doing
    except NotFound:
        return


async def write(loop: Loop, key: Key, obj: Obj, status: Obj) -> None:
    """Write what differs, on the object itself: it has no status subresource."""
    patch = merge_patch_between(obj.get("status") or {}, status)
    if not patch:
        return
    resource = loop.parts.experiments.informer.resource
    try:
        written = await verbs.patch(
            loop.parts.cluster, resource, key.namespace, key.name, {"status": patch}, manager=FIELD_MANAGER
        )
    except NotFound:
        return
    loop.parts.experiments.note(written)
    for one in told(obj.get("status") or {}, status):
        loop.parts.recorder.record(written, one.reason, one.message, type_=one.type)
