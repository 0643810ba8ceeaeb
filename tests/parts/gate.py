"""A gate in front of a real HTTP server: it holds a request while a test kills somebody, and cuts all while it is shut.

gate = Gate()
GitServer(folder, middlewares=[gate.middleware])        # in front of a server of this process
async with proxied(gate, registry.host) as host: ...    # in front of any other, at an address that stays

gate.hold(r"^POST .*/git-receive-pack$")                # done=True: the server does it, the client does not hear so
await gate.reached()
gate.release(cut=True)
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from tests.parts.registry import serving

DEADLINE = 60.0
_HOP = frozenset({"transfer-encoding", "connection", "keep-alive", "content-length"})


class Gate:
    """Of one server. `shut`: whoever comes is cut off, as by a host that is down."""

    def __init__(self) -> None:
        self.shut = False
        self._wanted: re.Pattern[str] | None = None
        self._left = 0
        self._done = self._cut = False
        self._here, self._go = asyncio.Event(), asyncio.Event()

    def hold(self, pattern: str, *, nth: int = 1, done: bool = False) -> None:
        """The next request whose "METHOD path?query" this is found in waits, or the one after it (2), and so on."""
        self._wanted, self._left, self._done, self._cut = re.compile(pattern), nth, done, False
        self._here.clear()
        self._go.clear()

    async def reached(self) -> None:
        async with asyncio.timeout(DEADLINE):
            await self._here.wait()

    def release(self, *, cut: bool = False) -> None:
        """It goes on, or its connection is cut."""
        self._cut = cut
        self._go.set()

    @web.middleware
    async def middleware(self, request: web.Request, handler: Any) -> web.StreamResponse:
        text = f"{request.method} {request.path_qs}"
        if self.shut:
            return cut(request)
        if self._takes(text):
            return await self._held(request, handler)
        answer: web.StreamResponse = await handler(request)
        return answer

    def _takes(self, text: str) -> bool:
        if self._wanted is None or not self._wanted.search(text):
            return False
        self._left -= 1
        if self._left:
            return False
        self._wanted = None
        return True

    async def _held(self, request: web.Request, handler: Any) -> web.StreamResponse:
        ready = await _asked(request, f"http://{request.host}") if self._done else None
        self._here.set()
        await self._go.wait()
        if self._cut or self.shut:
            return cut(request)
        answer: web.StreamResponse = ready or await handler(request)
        return answer


def cut(request: web.BaseRequest) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=502)


async def _asked(request: web.BaseRequest, server: str) -> web.Response:
    """What a server answers to this request, whole."""
    headers = CIMultiDict((name, value) for name, value in request.headers.items() if name.lower() not in _HOP)
    async with (
        aiohttp.ClientSession(auto_decompress=False) as client,
        client.request(
            request.method,
            URL(f"{server}{request.raw_path}", encoded=True),
            data=await request.read() or None,
            headers=headers,
            allow_redirects=False,
        ) as answer,
    ):
        given = CIMultiDict((name, value) for name, value in answer.headers.items() if name.lower() not in _HOP)
        return web.Response(status=answer.status, body=await answer.read(), headers=given)


@asynccontextmanager
async def proxied(gate: Gate, server: str = "") -> AsyncIterator["Proxy"]:
    """The gate at an address of its own, before a server that may go and come back elsewhere."""
    proxy = Proxy(gate, server)
    async with serving(proxy.answer) as url:
        proxy.host = url.removeprefix("http://")
        yield proxy


class Proxy:
    """`server`: where it leads to, as host:port; `host`: where it is."""

    def __init__(self, gate: Gate, server: str) -> None:
        self.gate, self.server, self.host = gate, server, ""

    async def answer(self, request: Any) -> web.StreamResponse:
        return await self.gate.middleware(request, self._passed_on)

    async def _passed_on(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            return await _asked(request, f"http://{self.server}")
        except aiohttp.ClientError:
            return cut(request)
