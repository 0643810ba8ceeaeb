"""The renderer as tests hold it: mirrors to commit to, repositories to know, and the reconciler's questions."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from services.renderer.app import opened_parts, opened_renderer
from services.renderer.handlers import BUCKET, Renderer
from services.renderer.repositories import ChartRepository, KnownRepositories
from services.renderer.settings import RendererSettings
from shared.bus import Bus
from shared.engines.client import Engines
from shared.events import RenderReply, RenderRequest, RenderSource
from tests.render.tools import Content, Mirror

Obj = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """A reply and the manifests that it points to."""

    reply: RenderReply
    objects: list[Obj]

    @property
    def names(self) -> list[str]:
        return [each["metadata"]["name"] for each in self.objects]

    def named(self, name: str) -> Obj:
        return next(each for each in self.objects if each["metadata"]["name"] == name)

    @property
    def inputs(self) -> tuple[str, ...]:
        return self.reply.sources[0].input_paths


@dataclass
class Service:
    renderer: Renderer
    bus: Bus
    mirrors: Path
    known: KnownRepositories = field(default_factory=KnownRepositories)
    used: dict[str, Mirror] = field(default_factory=dict)

    def lookup(self, url: str, project: str) -> ChartRepository:
        return self.known.lookup(url, project)

    def commit(self, files: Mapping[str, Content], repo: str = "https://example.org/repo.git") -> str:
        mirror = self.used.setdefault(repo, Mirror(self.mirrors, repo))
        return mirror.commit(files)

    def source(
        self, path: str = "app", repo: str = "https://example.org/repo.git", revision: str | None = None, **fields: Any
    ) -> Obj:
        """Argo's source; `revision` defaults to the repository's tip."""
        tip = self.used[repo].tip if revision is None else revision
        return {"repoURL": repo, "path": path, "targetRevision": "main", "@revision": tip, **fields}

    async def ask(self, request: RenderRequest) -> Answer:
        reply = await self.renderer.on_render(request)
        return Answer(reply, orjson.loads(await self.bus.get_object(BUCKET, reply.digest)))

    async def render(self, *sources: Obj, **fields: Any) -> Answer:
        return await self.ask(request(sources, **fields))

    async def rendered(
        self, files: Mapping[str, Content], *, request: Mapping[str, Any] | None = None, **source: Any
    ) -> Answer:
        """Commit and render one source."""
        self.commit(files)
        return await self.render(self.source(**source), **(request or {}))


def request(sources: Sequence[Obj], **fields: Any) -> RenderRequest:
    given = [
        RenderSource(
            source={key: value for key, value in each.items() if key != "@revision"},
            revision=each.get("@revision", ""),
            position=position,
        )
        for position, each in enumerate(sources)
    ]
    defaults = {"app_name": "guestbook", "app_namespace": "argocd", "destination_namespace": "web"}
    return RenderRequest(**{**defaults, "sources": tuple(given), "kube_version": "1.35.0", **fields})


@asynccontextmanager
async def running_service(
    bus: Bus, engines: Engines, data: Path, results: str, **settings: Any
) -> AsyncIterator[Service]:
    """A renderer over its own data folder and its own bucket of results."""
    holder: list[Service] = []

    def lookup(url: str, project: str) -> ChartRepository:
        return holder[0].lookup(url, project)

    wanted = RendererSettings(**settings)
    async with (
        opened_parts(engines, lookup, wanted, data=data, namespace="argocd") as parts,
        opened_renderer(bus, parts, results=results) as renderer,
    ):
        holder.append(Service(renderer, bus, data / "mirrors"))
        yield holder[0]
