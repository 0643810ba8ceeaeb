"""Wiring only: the lease, what the rollout manager hears, and which function takes it."""

import asyncio
import os
import socket
from dataclasses import replace
from functools import partial

from services.rollout_manager import handlers
from services.rollout_manager.analysis.loop import run_analyses
from services.rollout_manager.analysis.providers.web_access import WebAccess
from services.rollout_manager.analysis.secrets import Secrets
from services.rollout_manager.configs import Configs
from services.rollout_manager.endpoints import Endpoints
from services.rollout_manager.experiments.loop import run_experiments
from services.rollout_manager.gates.webhooks import Webhooks
from services.rollout_manager.keys import RolloutKey
from services.rollout_manager.labels import HASH
from services.rollout_manager.measures.exposed import Exposed
from services.rollout_manager.objects import Objects, Owned
from services.rollout_manager.parts import Parts
from services.rollout_manager.reconcile import reconcile
from services.rollout_manager.release import claims
from services.rollout_manager.sets import Templates
from services.rollout_manager.settings import Settings
from shared.engines.openings import Openings
from shared.kube import Discovery, EventType, Forbidden, Lease, NotFound, Recorder, WorkQueue, verbs
from shared.run import Context
from shared.telemetry import metrics

ARGO = "argoproj.io"
LEASE = "argo-rollouts-controller-lock"


async def app(context: Context) -> None:
    """Work for as long as the lease is ours, or until cancelled. A write after its time is not sent."""
    settings = context.load(Settings)
    if not settings.leader_election:
        await work(context, settings)
        return
    name = f"{LEASE}-{settings.instance_id}" if settings.instance_id else LEASE
    identity = f"{socket.gethostname()}_{os.getpid()}"
    seconds = settings.lease_seconds
    namespace = await lease_namespace(context, settings)
    lease = Lease(context.cluster, namespace, name, identity, seconds=seconds, retry=min(2.0, seconds / 5))
    context.health.set_ready("lease", ok=True)
    context.health.note("lease", f"waits for the lease {name}")
    async with lease.held():
        context.health.note("lease", "")
        await work(replace(context, cluster=context.cluster.fenced(lease.holds)), settings)


async def lease_namespace(context: Context, settings: Settings) -> str:
    """Argo's namespace; `default` on a cluster that has none. Who may not look believes that it is there."""
    wanted = settings.namespace_scope or context.namespace
    namespaces = await Discovery(context.cluster).resource("", "Namespace")
    try:
        await verbs.get(context.cluster, namespaces, None, wanted)
    except NotFound:
        return "default"
    except Forbidden:
        return wanted
    return wanted


async def work(context: Context, settings: Settings) -> None:
    """Run everything until cancelled."""
    async with WebAccess(settings.metric_hosts) as web, asyncio.TaskGroup() as tasks:
        parts = await wire(context, settings, tasks, web)
        tasks.create_task(metrics.exposed(parts.exposed.text))
        tasks.create_task(parts.recorder.run())
        tasks.create_task(parts.outbox.send(parts.bus))
        await run_analyses(parts, tasks)
        await run_experiments(parts, tasks)
        hear(parts)
        handler = parts.exposed.rollouts.timed(partial(reconcile, parts))
        tasks.create_task(parts.queue.run(handler, workers=settings.workers))
        context.health.set_ready("rollouts", ok=True)


async def wire(context: Context, settings: Settings, tasks: asyncio.TaskGroup, web: WebAccess) -> Parts:
    """Make what the loops share; the watches are listed."""
    context.health.set_ready("rollouts", ok=False, why="not listed yet")
    discovery = Discovery(context.cluster)
    objects = Objects(context.cluster, discovery, tasks, settings.namespace_scope)
    queue: WorkQueue[RolloutKey] = WorkQueue()
    engines = await context.engines()
    sets = await objects.watch("apps", "ReplicaSet", label_selector=HASH)
    runs, experiments = await objects.watch(ARGO, "AnalysisRun"), await objects.watch(ARGO, "Experiment")
    services = await objects.watch("", "Service")
    interest, rollouts = objects.interest(queue.add), await objects.watch(ARGO, "Rollout")
    return Parts(
        settings=settings,
        namespace=context.namespace,
        bus=context.bus,
        cluster=context.cluster,
        discovery=discovery,
        engines=engines,
        recorder=Recorder(context.cluster, component="rollouts-controller"),
        objects=objects,
        services=services,
        replica_sets=sets,
        runs=runs,
        experiments=experiments,
        rollouts=rollouts,
        exposed=Exposed(rollouts, experiments, runs, settings.instance_id),
        queue=queue,
        interest=interest,
        endpoints=Endpoints(objects, interest.changed),
        templates=Templates(engines),
        owned_sets=Owned(sets),
        owned_runs=Owned(runs),
        owned_experiments=Owned(experiments),
        claimed_services=Owned(services, claims),
        webhooks=Webhooks(web, Secrets(objects, context.namespace), Openings(context.engines), tasks, queue.add),
        configs=Configs(objects, interest.changed, partial(lease_namespace, context, settings)),
    )


def hear(parts: Parts) -> None:
    """Listen to what is watched; what is there already is queued now."""
    parts.rollouts.listeners.append(partial(handlers.on_rollout, parts))
    for watch in (parts.replica_sets, parts.runs, parts.experiments):
        watch.listeners.append(partial(handlers.on_owned, parts))
    for key, obj in parts.rollouts.store.items():
        handlers.on_rollout(parts, EventType.ADDED, key, obj, None)
