"""The writer over real git, with a forge's API beside the repository where a test wants one."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from services.image_updater.changing import Change
from services.image_updater.forges import Forges
from services.image_updater.keys import ImageKey, Version
from services.image_updater.messages import CommitStyle
from services.image_updater.writer import Outcome, Window, Writer
from services.stack.gitserver import GitServer
from shared.engines.client import Engines
from shared.git.access import ANONYMOUS, Access
from shared.git.commits import Author
from shared.git.mirror import heads_of, open_mirror
from shared.git.mirrors import Mirrors
from shared.git.tree import GitTree

Obj = dict[str, Any]
DEADLINE = 60.0


@dataclass
class Desk:
    """A repository `acme/apps` and what was reported of changes to it. `held`: images that a person has set back.

    `failures`: what asking for those raises, once each.
    """

    server: GitServer
    engines: Engines
    folder: Path
    url: str
    access: Access = ANONYMOUS
    style: CommitStyle = CommitStyle(Author("bot", "bot@example.org"))  # noqa: RUF009
    outcomes: list[Outcome] = field(default_factory=list)
    surveys: list[Mapping[ImageKey, Version]] = field(default_factory=list)
    held: set[ImageKey] = field(default_factory=set)
    failures: list[Exception] = field(default_factory=list)
    told: asyncio.Condition = field(default_factory=asyncio.Condition)

    @asynccontextmanager
    async def writer(self, window: float = 0.05) -> AsyncIterator[Writer]:
        async def report(outcome: Outcome) -> None:
            async with self.told:
                self.outcomes.append(outcome)
                self.told.notify_all()

        async def set_back(current: Mapping[ImageKey, Version], _changes: Sequence[Change]) -> set[ImageKey]:
            self.surveys.append(current)
            if self.failures:
                raise self.failures.pop()
            return self.held

        async def access(_change: Change) -> Access:
            return self.access

        async with Mirrors(self.folder) as mirrors:
            made = Writer(
                mirrors,
                self.engines,
                Window(window, 1.0, lambda: False),
                access=access,
                style=lambda: self.style,
                held=set_back,
                report=report,
                forges=Forges(mirrors.logged_in, 10),
            )
            running = asyncio.create_task(made.run())
            try:
                yield made
            finally:
                running.cancel()
                with suppress(asyncio.CancelledError):
                    await running

    async def write(self, *changes: Change) -> list[Outcome]:
        """Submit to a fresh writer, as after a restart; what became of all of them."""
        before = len(self.outcomes)
        async with self.writer() as writer:
            writer.submit(changes)
            await self.until(lambda: sum(len(one.changes) for one in self.outcomes[before:]) >= len(changes))
        return self.outcomes[before:]

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE), self.told:
            await self.told.wait_for(holds)

    def tip(self, branch: str = "main") -> str:
        return heads_of(self.server.path_of("acme/apps")).get(f"refs/heads/{branch}", "")

    def read(self, path: str, branch: str = "main") -> str:
        return (GitTree(self.server.path_of("acme/apps"), self.tip(branch)).read(path) or b"").decode()

    def log(self, branch: str = "main") -> list[str]:
        return [str(one.message) for one in open_mirror(self.server.path_of("acme/apps")).walk(self.tip(branch))]


@asynccontextmanager
async def desk(
    folder: Path, engines: Engines, files: Mapping[str, str], *, forge: Any = None, **options: Any
) -> AsyncIterator[Desk]:
    middlewares = (forge.middleware,) if forge else ()
    async with GitServer(folder / "git", middlewares=middlewares, **options) as server:
        url = server.create("acme/apps")
        await server.commit("acme/apps", {path: text.encode() for path, text in files.items()}, "Begin")
        yield Desk(server, engines, folder / "writeback", url)


@dataclass
class Forge:
    """Answers in the shapes that a forge's API was recorded with, and remembers what was asked."""

    kind: str
    requests: list[Obj] = field(default_factory=list)
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    status: int = 0
    tokens: set[str] = field(default_factory=set)

    @web.middleware
    async def middleware(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if not request.path.startswith("/api/"):
            answer: web.StreamResponse = await handler(request)
            return answer
        body = await request.json() if request.can_read_body else None
        self.asked.append((request.method, request.raw_path, body))
        self.tokens.add(request.headers.get("Authorization", ""))
        if self.status:
            return web.json_response({"message": "Resource not accessible"}, status=self.status)
        return self._answer(request.method, request.path, body)

    def _answer(self, method: str, path: str, body: Any) -> web.Response:
        if method == "GET":
            return web.json_response(self.requests)
        if method in ("PATCH", "PUT"):
            found = next(one for one in self.requests if str(one[self._number]) == path.rpartition("/")[2])
            found["state"] = "closed"
            return web.json_response(found)
        if path.endswith("/labels"):
            return web.json_response([{"name": name} for name in body["labels"]])
        self.requests.insert(0, self._made(len(self.requests) + 1, body))
        return web.json_response(self.requests[0], status=201)

    @property
    def _number(self) -> str:
        return "iid" if self.kind == "gitlab" else "number"

    def _made(self, number: int, body: Obj) -> Obj:
        if self.kind == "gitlab":
            link = f"https://forge.example.org/acme/apps/-/merge_requests/{number}"
            shape = {"id": 100 + number, "iid": number, "web_url": link, "state": "opened"}
            return {
                **shape,
                **{name: body[name] for name in ("source_branch", "target_branch", "title", "description")},
            }
        link = f"https://forge.example.org/acme/apps/pull/{number}"
        shape = {"id": 100 + number, "number": number, "html_url": link, "state": "open", "title": body["title"]}
        return {**shape, "body": body["body"], "head": {"ref": body["head"]}, "base": {"ref": body["base"]}}
