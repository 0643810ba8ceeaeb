"""A process's life: settings, logs, bus, cluster, health page; then the services, until a signal.

`main("gateway", app)` is a service on its own: when its app fails, so does the process, and Kubernetes starts it again.
`opened(...)` and `supervised(...)` are for services.stack, which runs several in one process and restarts the one that
fails. The garbage collector is told once everything stands that what is there will stay.
"""

import asyncio
import gc
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import structlog

from shared.bus import NONE, Bus, BusError, Silent, connect
from shared.run.context import App, Context, EnginesOnce
from shared.run.health import Board
from shared.run.http import PortTaken, listening, routes
from shared.run.settings import Common, SettingsError, load
from shared.telemetry import configure, get_logger

log = get_logger()
GC_THRESHOLDS = (50_000, 50, 50)
STOP_WITHIN = 15.0
LONGEST_PAUSE = 30.0
CALM = 60.0  # a service that ran this long before it failed starts again at once


def configure_logs(common: Common, service: str) -> None:
    json = None if common.log_format == "auto" else common.log_format == "json"
    configure(service, json=json, level=common.log_level)


@asynccontextmanager
async def opened(
    common: Common,
    services: Iterable[str],
    *,
    process: str,
    overrides: Mapping[str, Mapping[str, Any]] | None = None,
) -> AsyncIterator[dict[str, Context]]:
    """Contexts for several services over one bus, one cluster connection and one health page."""
    from shared.kube.client import connect as connect_cluster

    board = Board()
    for service in services:
        board.of(service)
    gc.set_threshold(*GC_THRESHOLDS)
    async with AsyncExitStack() as stack:
        page = listening(routes(board), common.health_host, common.health_port, "TIPHYS_HEALTH_PORT")
        port = await stack.enter_async_context(page)
        log.info("health page", host=common.health_host, port=port)
        url = common.nats_url.get_secret_value()

        def on_bus(up: bool, why: str) -> None:
            board.set_ready("bus", up, why)

        bus = await stack.enter_async_context(_bus(url, process, common.bus_patience_seconds, on_bus))
        cluster = await stack.enter_async_context(connect_cluster(common.kubeconfig, common.kube_context))
        pool = EnginesOnce(common.engine_processes, stack)
        common.data.expanduser().mkdir(parents=True, exist_ok=True)
        settling = asyncio.create_task(_settle_memory(board))
        stack.callback(settling.cancel)
        yield {
            name: Context(name, common, bus.named(name), cluster, health, pool, (overrides or {}).get(name, {}))
            for name, health in board.services.items()
        }


@asynccontextmanager
async def _bus(url: str, process: str, patience: float, on_state: Callable[[bool, str], None]) -> AsyncIterator[Bus]:
    """The bus, or silence where none is wanted."""
    if url == NONE:
        yield Silent()
        return
    async with connect(url, service=process, patience=patience, on_state=on_state) as bus:
        yield bus


async def _settle_memory(board: Board) -> None:
    await board.until_ready()
    gc.collect()
    gc.freeze()


async def until_signal() -> None:
    """Returns at SIGTERM or SIGINT; a second one ends the process at once."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_signal() -> None:
        if told.is_set():
            sys.exit(130)
        told.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    await told.wait()


async def until_signal_or_done(work: Coroutine[Any, Any, None]) -> None:
    """Run until the work ends or a signal says so; then it has `STOP_WITHIN` seconds to finish."""
    working = asyncio.create_task(work)
    signalled = asyncio.create_task(until_signal())
    try:
        await asyncio.wait({working, signalled}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            log.info("stopping")
            working.cancel()
            await asyncio.wait({working}, timeout=STOP_WITHIN)
    finally:
        signalled.cancel()
    if working.done() and not working.cancelled():
        working.result()


async def alone(context: Context, app: App) -> None:
    structlog.contextvars.bind_contextvars(service=context.service)
    await app(context)


async def supervised(context: Context, app: App) -> None:
    """Run one of several services; when it fails it starts again, after a pause that grows, and says so."""
    loop = asyncio.get_running_loop()
    pause = 1.0
    while True:
        begun = loop.time()
        try:
            return await alone(context, app)
        except Exception as error:  # the one place that reports a failed service and starts it again
            pause = 1.0 if loop.time() - begun > CALM else min(pause * 2, LONGEST_PAUSE)
            context.health.forget()
            context.health.set_ready("service", False, f"failed, starts again in {pause:.0f} s: {first_cause(error)}")
            log.exception("service failed", service=context.service, again_in_seconds=pause)
        await asyncio.sleep(pause)
        context.health.forget()


async def serve(service: str, app: App) -> None:
    """A service on its own until a signal."""
    common = load(Common)
    configure_logs(common, service)

    async def life() -> None:
        async with opened(common, [service], process=service) as contexts:
            await alone(contexts[service], app)

    await until_signal_or_done(life())


def first_cause(error: BaseException) -> BaseException:
    """The error that a group of tasks ended with."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def main(service: str, app: App) -> None:
    """`python -m services.X`: exit code 1 and one clear line when it can't start, with the traceback when it fails."""
    configure(service)
    try:
        with suppress(KeyboardInterrupt):
            asyncio.run(serve(service, app))
    except Exception as error:  # noqa: BLE001 - the last place: what ends the process is said here, redacted
        _say_last(service, first_cause(error))
        sys.exit(1)


def _say_last(service: str, error: BaseException) -> None:
    from shared.kube.errors import NoCluster

    if isinstance(error, SettingsError | PortTaken | BusError | NoCluster):
        log.error("can't start", service=service, why=str(error))
    else:
        log.error("service failed", service=service, exc_info=error)
