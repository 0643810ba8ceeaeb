"""`/healthz`, `/readyz` and `/metrics`: what the kubelet and Prometheus ask of a process.

Liveness is that the loop answers at all; readiness names what is missing, in JSON that a person can read.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
from aiohttp import web

from shared.run.health import Board
from shared.telemetry import metrics


class PortTaken(Exception):
    """The address for health and metrics can't be listened on; the message says which setting to change."""


def routes(board: Board) -> web.Application:
    async def healthz(_request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(_request: web.Request) -> web.Response:
        body = orjson.dumps(board.report(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        return web.Response(status=200 if board.ready else 503, body=body, content_type="application/json")

    async def exposition(_request: web.Request) -> web.Response:
        return web.Response(body=metrics.exposition(), headers={"Content-Type": metrics.CONTENT_TYPE})

    app = web.Application()
    app.add_routes([web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", exposition)])
    return app


@asynccontextmanager
async def listening(app: web.Application, host: str, port: int, setting: str) -> AsyncIterator[int]:
    """An aiohttp application on an address; yields the port (asked for with 0: any free one)."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=5.0)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise PortTaken(f"can't listen on {host}:{port} ({error.strerror}); choose another {setting}") from error
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
