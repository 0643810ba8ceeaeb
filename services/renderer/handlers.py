"""What happens for each request: a render is looked up by its contents, shared with whoever asks the same, or made.

In: requests from the bus. Out: replies, or `RequestError` with a reason. The only places that this touches are the
object store (the manifests) and the key-value bucket of earlier results.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from services.renderer import measures
from services.renderer.digests import Digests
from services.renderer.failures import Reason, RenderFailure
from services.renderer.known import Known, Result, matching, question_key
from services.renderer.opened import comes_from_git
from services.renderer.parts import Parts
from services.renderer.render import instance_name, render
from services.renderer.sources import parse
from services.renderer.turns import Turns
from shared.bus import Bus
from shared.events import RenderReply, RenderRequest, RenderSource, RequestError, ResolveChart, ResolvedChart
from shared.flights import Flights

BUCKET = "manifests"
STORED_SECONDS = 300.0
SETTINGS_PREFIXES = ("helm.", "kustomize.", "jsonnet.")


@dataclass(slots=True)
class Renderer:
    """`engines_version` is part of every question: new engines may render differently. `made` counts renders."""

    parts: Parts
    bus: Bus
    known: Known
    flights: Flights[RenderReply]
    turns: Turns
    engines_version: str
    made: int = 0
    _stored: dict[str, float] = field(default_factory=dict)

    async def on_render(self, request: RenderRequest) -> RenderReply:
        begun, outcome = time.monotonic(), "failed"
        with refusals():
            request = await self._resolved(request)
            question = self.question(request)
            reply = None if request.no_cache else await self._remembered(question, request)
            outcome = "remembered" if reply else "rendered"
            if reply is None:
                key = question_key([question, [each.revision for each in request.sources], request.no_cache])
                reply = await self.flights.share(key, lambda: self._render(question, request))
        measures.renders.labels(outcome).observe(time.monotonic() - begun)
        return reply

    async def on_resolve_chart(self, request: ResolveChart) -> ResolvedChart:
        with refusals():
            repository = self.parts.lookup(request.repo_url, request.project)
            return ResolvedChart(version=await self.parts.charts.resolve(repository, request.chart, request.constraint))

    async def _resolved(self, request: RenderRequest) -> RenderRequest:
        """With every chart's version known, because the version is what an earlier answer is found by."""
        sources = [await self._resolved_source(each, request) for each in request.sources]
        return request.model_copy(update={"sources": tuple(sources)})

    async def _resolved_source(self, given: RenderSource, request: RenderRequest) -> RenderSource:
        source = parse(given.source)
        if given.revision or comes_from_git(source):
            return given
        repository = self.parts.lookup(source.repo_url, request.project)
        version = await self.parts.charts.resolve(repository, source.chart, source.target_revision)
        return given.model_copy(update={"revision": version})

    def question(self, request: RenderRequest) -> str:
        """What is asked, apart from commits and the cluster: those are inputs."""
        settings = {name: value for name, value in request.settings.items() if name.startswith(SETTINGS_PREFIXES)}
        return question_key(
            {
                "engines": self.engines_version,
                "limits": self.parts.settings.combined_manifests_bytes,
                "app": instance_name(request, self.parts.argo_namespace),
                "project": request.project,
                "namespace": request.destination_namespace,
                "sources": [each.source for each in request.sources],
                "settings": settings,
            }
        )

    async def _remembered(self, question: str, request: RenderRequest) -> RenderReply | None:
        results = await self.known.results(question)
        if not results:
            return None
        result = await self.parts.in_thread(_matching, results, request, self.parts)
        if result is None:
            return None
        reply = RenderReply.from_bytes(result.reply)
        return _at(reply, request) if await self._is_stored(reply.digest) else None

    async def _is_stored(self, digest: str) -> bool:
        """The store is a cache with a lifetime: an answer whose manifests are gone is no answer."""
        if time.monotonic() < self._stored.get(digest, 0.0):
            return True
        if not await self.bus.has_object(BUCKET, digest):
            return False
        self._note_stored(digest)
        return True

    def _note_stored(self, digest: str) -> None:
        if len(self._stored) > 100_000:
            self._stored.clear()
        self._stored[digest] = time.monotonic() + STORED_SECONDS

    async def _render(self, question: str, request: RenderRequest) -> RenderReply:
        async with self.turns.taken():
            rendered = await render(request, self.parts)
        self.made += 1
        reply = RenderReply(
            digest=rendered.digest, count=rendered.count, sources=rendered.sources, warnings=rendered.warnings
        )
        result = Result(rendered.inputs, rendered.contents, reply.to_bytes())
        await asyncio.gather(self.bus.put_object(BUCKET, rendered.manifests), self.known.add(question, result))
        self._note_stored(reply.digest)
        return reply


@contextmanager
def refusals() -> Iterator[None]:
    """A failure leaves the service as the bus' own error, with its reason."""
    try:
        yield
    except RenderFailure as error:
        measures.failures.labels(error.reason).inc()
        raise RequestError(error.reason, error.message, retriable=error.retriable) from error


def _matching(results: list[Result], request: RenderRequest, parts: Parts) -> Result | None:
    try:
        return matching(results, Digests(request, parts.mirrors))
    except RenderFailure as error:
        if error.reason is Reason.REVISION_NOT_MIRRORED:
            raise
        return None  # a link that leads out now: the render will say so


def _at(reply: RenderReply, request: RenderRequest) -> RenderReply:
    """An earlier reply, as of the revisions that were asked for now."""
    pairs = zip(reply.sources, request.sources, strict=True)
    return reply.model_copy(
        update={
            "sources": tuple(old.model_copy(update={"revision": new.revision or old.revision}) for old, new in pairs)
        }
    )
