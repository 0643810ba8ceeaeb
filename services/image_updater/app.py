"""Wiring only: what the image updater hears, and which function takes it."""

import asyncio
from functools import partial
from pathlib import Path

from services.image_updater import handlers, questions
from services.image_updater.answers import Asked
from services.image_updater.asking import Registry
from services.image_updater.book import Book
from services.image_updater.changing import Change
from services.image_updater.commitstyle import style_of
from services.image_updater.forges import Forges
from services.image_updater.owners import report_updater
from services.image_updater.parts import Parts
from services.image_updater.reconcile import reconcile
from services.image_updater.reporting import holds_of, report
from services.image_updater.retrying import quietly
from services.image_updater.secretkeys import git_access
from services.image_updater.settings import ImageUpdaterSettings
from services.image_updater.sweeping import sweep
from services.image_updater.watches import watch_all
from services.image_updater.watching import tell
from services.image_updater.writer import Window, Writer
from shared.events import ImagePushed
from shared.git.access import Access
from shared.git.credentials import KnownCredentials
from shared.git.mirrors import Limits, Mirrors
from shared.kinds.imageupdater import GROUP
from shared.kube import Discovery, Recorder, WorkQueue
from shared.run import Context

FOLDER = "writeback"


async def app(context: Context) -> None:
    """Run until cancelled."""
    settings = context.load(ImageUpdaterSettings)
    the = await _parts(context, settings)
    async with Mirrors(_folder(context), _limits(settings)) as mirrors, asyncio.TaskGroup() as tasks:
        the.use(await _writer(the, mirrors))
        await watch_all(context, the, mirrors, tasks)
        tasks.create_task(the.recorder.run())
        tasks.create_task(the.writer.run())
        tasks.create_task(the.queue.run(partial(reconcile, the), workers=settings.workers))
        tasks.create_task(the.reports.run(partial(report_updater, the), workers=2))
        tasks.create_task(context.bus.consume(ImagePushed, "image_updater", partial(handlers.on_pushed, the)))
        tasks.create_task(questions.serve(the))
        tasks.create_task(tell(the))
        tasks.create_task(sweep(the))


async def _parts(context: Context, settings: ImageUpdaterSettings) -> Parts:
    discovery, book, engines = Discovery(context.cluster), Book(), await context.engines()
    await book.open(context.bus)
    return Parts(
        settings=settings,
        namespace=context.namespace,
        bus=context.bus,
        cluster=context.cluster,
        applications=await discovery.resource("argoproj.io", "Application"),
        image_updaters=await discovery.resource(GROUP, "ImageUpdater"),
        engines=engines,
        registry=Registry(context.bus),
        asked=Asked(engines),
        book=book,
        recorder=Recorder(context.cluster, component="argocd-image-updater"),
        credentials=KnownCredentials(),
        queue=WorkQueue(on_error=quietly),
        reports=WorkQueue(on_error=quietly),
        style=style_of(settings, {}),
    )


async def _writer(the: Parts, mirrors: Mirrors) -> Writer:
    async def access(change: Change) -> Access:
        place = change.place
        if place.secret:
            return await git_access(the.cluster, the.credentials, place.url, place.secret)
        return the.credentials.lookup(place.url, place.project)

    settings = the.settings
    return Writer(
        mirrors,
        the.engines,
        Window(
            settings.window_seconds, settings.longest_window_seconds, lambda: bool(len(the.queue) or the.queue.busy)
        ),
        access=access,
        style=lambda: the.style,
        held=partial(holds_of, the),
        report=partial(report, the),
        forges=Forges(mirrors.logged_in, settings.forge_seconds),
        attempts=settings.push_attempts,
    )


def _folder(context: Context) -> Path:
    return context.data / FOLDER


def _limits(settings: ImageUpdaterSettings) -> Limits:
    return Limits(total_seconds=settings.git_seconds, threads=settings.threads)
