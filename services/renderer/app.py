"""The renderer's wiring: threads, downloads, engines, repository Secrets, and the two requests that are served."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from services.renderer.chart_store import ChartStore
from services.renderer.charts import Charts
from services.renderer.directory import ParsedFiles
from services.renderer.handlers import Renderer
from services.renderer.known import Known
from services.renderer.parts import Parts
from services.renderer.repositories import Lookup
from services.renderer.secrets import RepositoryWatch
from services.renderer.settings import RendererSettings
from services.renderer.tools import best_version
from services.renderer.turns import Turns
from shared.bus import Bus
from shared.engines.client import Engines
from shared.events import RenderReply, RenderRequest, ResolveChart
from shared.flights import Flights
from shared.oci.download import session
from shared.run import Context

DAY_SECONDS = 24 * 3600.0
RESULTS = "renders"


async def app(context: Context) -> None:
    """Serve until cancelled."""
    settings = context.load(RendererSettings)
    context.health.set_ready("engines", False, "the engines worker is being built or started")
    engines = await context.engines()
    context.health.set_ready("engines", True)
    watch = RepositoryWatch(context.cluster, context.namespace)
    async with asyncio.TaskGroup() as tasks, AsyncExitStack() as stack:
        tasks.create_task(watch.run())
        await watch.listed(context.health)
        opening = opened_parts(engines, watch.lookup, settings, data=context.data, namespace=context.namespace)
        parts = await stack.enter_async_context(opening)
        renderer = await stack.enter_async_context(opened_renderer(context.bus, parts))
        room = settings.concurrency + settings.waiting
        tasks.create_task(context.bus.serve(RenderRequest, renderer.on_render, queue="renderer", concurrency=room))
        tasks.create_task(context.bus.serve(ResolveChart, renderer.on_resolve_chart, queue="renderer"))
        await asyncio.Event().wait()


@asynccontextmanager
async def opened_parts(
    engines: Engines, lookup: Lookup, settings: RendererSettings, *, data: Path, namespace: str
) -> AsyncIterator[Parts]:
    """What renders work with; threads and connections end with it."""
    with ThreadPoolExecutor(settings.concurrency, thread_name_prefix="renderer") as executor:
        async with session() as client:
            store = ChartStore(data / "charts", settings.charts_on_disk_bytes)
            charts = Charts(client, store, executor, best_version(engines), settings.chart_bytes)
            yield Parts(
                engines=engines,
                client=client,
                charts=charts,
                lookup=lookup,
                mirrors=data / "mirrors",
                executor=executor,
                parsed=ParsedFiles(settings.parsed_in_memory_bytes),
                settings=settings,
                argo_namespace=namespace,
            )


@asynccontextmanager
async def opened_renderer(bus: Bus, parts: Parts, *, results: str = RESULTS) -> AsyncIterator[Renderer]:
    settings = parts.settings
    bucket = await bus.kv(results, lifetime=settings.results_days * DAY_SECONDS)
    flights: Flights[RenderReply] = Flights()
    async with flights:
        yield Renderer(
            parts=parts,
            bus=bus,
            known=Known(bucket, settings.results_in_memory_bytes),
            flights=flights,
            turns=Turns(settings.concurrency, settings.waiting),
            engines_version=parts.engines.binary.name,
        )
