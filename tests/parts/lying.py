"""A registry that misbehaves in just the way a test says: what it answers, by path; and what it was asked."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import orjson
from aiohttp import web

from tests.parts.registry import serving

Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@dataclass
class Lying:
    """`answers` by path; what isn't there is a 404. `asked`: method, path with query, Authorization."""

    answers: dict[str, Answer | web.Response] = field(default_factory=dict)
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    url: str = ""
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def host(self) -> str:
        return self.url.removeprefix("http://")

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.asked.append((request.method, request.path_qs, request.headers.get("Authorization", "")))
        self.heard.set()
        found = self.answers.get(request.path)
        if found is None:
            return web.json_response({"errors": [{"code": "NOT_FOUND"}]}, status=404)
        return await found(request) if callable(found) else copied(found)

    async def until_asked(self, path: str) -> None:
        """For a path from now on, or before."""
        async with asyncio.timeout(60):
            while not any(asked.startswith(path) for _, asked, _ in self.asked):
                self.heard.clear()
                await self.heard.wait()

    def tags(self, name: str, *tags: str, headers: Mapping[str, str] | None = None) -> None:
        self.says(f"/v2/{name}/tags/list", {"name": name, "tags": list(tags)}, headers=headers)

    def says(
        self,
        path: str,
        body: object,
        *,
        status: int = 200,
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        data = body if isinstance(body, bytes) else orjson.dumps(body)
        given = {"Content-Type": content_type, **(headers or {})}
        self.answers[path] = web.Response(body=data, status=status, headers=given)


def copied(response: web.Response) -> web.Response:
    """A response can be sent once."""
    return web.Response(body=response.body, status=response.status, headers=response.headers.copy())


@asynccontextmanager
async def lying() -> AsyncIterator[Lying]:
    server = Lying()
    async with serving(server.answer) as url:
        server.url = url
        yield server
