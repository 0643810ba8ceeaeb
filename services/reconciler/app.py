"""Wiring only: what the reconciler hears, and which function takes it."""

import asyncio
from datetime import timedelta
from functools import partial

from services.reconciler import handlers
from services.reconciler.actions import Actions
from services.reconciler.assess import Assessor
from services.reconciler.clusters import on_question
from services.reconciler.destinations import Destinations
from services.reconciler.follow import check_heads, follow_heads
from services.reconciler.handover import turns
from services.reconciler.heads import Heads
from services.reconciler.membership import FORGOTTEN_AFTER, Membership
from services.reconciler.parts import Parts
from services.reconciler.project_deletion import settle
from services.reconciler.projects import Projects
from services.reconciler.reconcile import reconcile
from services.reconciler.settings import Settings
from services.reconciler.watches import (
    watch_applications,
    watch_clusters,
    watch_keys,
    watch_projects,
    watch_settings,
)
from shared.clock import now
from shared.engines.openings import Openings
from shared.events import AskClusters, GitRevision, ListActions, RunAction
from shared.kinds.settings import ArgoSettings
from shared.kube import Applications, Discovery, Recorder, WorkQueue
from shared.run import Context

ANSWERS_LATE = timedelta(minutes=1)  # a revision may be told a little before git_watcher answers with it


async def app(context: Context) -> None:
    """Run until cancelled."""
    settings = context.load(Settings)
    discovery = Discovery(context.cluster)
    async with asyncio.TaskGroup() as tasks:
        parts = await wire(context, settings, discovery, tasks)
        tasks.create_task(parts.recorder.run())
        tasks.create_task(parts.outbox.send(parts.bus))
        context.health.set_ready("partitions", ok=False, why="no heartbeat yet")
        tasks.create_task(parts.membership.run(turns(parts, context.health)))
        for watch in (watch_settings, watch_keys, watch_clusters, watch_projects, watch_applications):
            await watch(parts, context, discovery, tasks)
        tasks.create_task(hear_revisions(parts))
        tasks.create_task(answer(parts))
        tasks.create_task(parts.queue.run(partial(reconcile, parts), workers=settings.workers))
        tasks.create_task(parts.leaving_projects.run(partial(settle, parts), workers=1))
        tasks.create_task(check_heads(parts))
        tasks.create_task(follow_heads(parts))


async def hear_revisions(parts: Parts) -> None:
    """Every replica hears of every revision: any of them may hold an Application that reads it."""
    since = now() - ANSWERS_LATE
    name = f"reconciler-{parts.membership.me}"
    on_revision = partial(handlers.on_revision, parts)
    await parts.bus.consume(GitRevision, name, on_revision, concurrency=8, start=since, forgotten_after=FORGOTTEN_AFTER)


async def answer(parts: Parts) -> None:
    """Answer what is asked over the bus: any replica can."""
    actions = Actions(parts)
    async with asyncio.TaskGroup() as serving:
        serving.create_task(parts.bus.serve(ListActions, actions.on_list, queue="reconciler"))
        serving.create_task(parts.bus.serve(AskClusters, partial(on_question, parts), queue="reconciler"))
        serving.create_task(parts.bus.serve(RunAction, actions.on_run, queue="reconciler"))


async def wire(context: Context, settings: Settings, discovery: Discovery, tasks: asyncio.TaskGroup) -> Parts:
    """Make what the steps share."""
    assess = Assessor(lambda: parts.argo, context.engines)
    destinations = Destinations(
        context.cluster,
        tasks,
        tracking=lambda: parts.argo.tracking,
        respect_rbac=lambda: bool(parts.argo.respect_rbac),
        on_change=lambda server: handlers.on_live(parts, server),
        assess=assess,
        on_turn=lambda server, old, new: handlers.on_turn(parts, server, old, new),
        concurrency=settings.concurrent_writes,
    )
    applications = await discovery.resource("argoproj.io", "Application")
    parts = Parts(
        settings=settings,
        namespace=context.namespace,
        bus=context.bus,
        cluster=context.cluster,
        applications=applications,
        known_applications=Applications(
            context.cluster,
            applications,
            bytes,
            own=context.namespace,
            given=context.common.application_namespaces,
        ),
        destinations=destinations,
        projects=Projects(),
        heads=Heads(context.bus, lambda moved: handlers.on_late(parts, moved)),
        recorder=Recorder(context.cluster, component="argocd-application-controller"),
        queue=WorkQueue(lane=lambda key: handlers.lane(parts, key)),
        argo=ArgoSettings.from_configmap({}),
        openings=Openings(context.engines),
        engines=context.engines,
        assess=assess,
        membership=Membership(context.bus),
        spawn=tasks.create_task,
    )
    return parts
