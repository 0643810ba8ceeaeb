"""One webhook from its first byte to its answer: recognise, verify, read, publish, answer.

202 is said only when the bus has every hook. Every answer is JSON; what is wrong with a signature is never told.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from types import MappingProxyType
from typing import Any, NamedTuple

import orjson
from aiohttp import web

from services.gateway.secrets import Known, credentials
from services.gateway.settings import Settings
from services.gateway.webhooks import Ignored, Malformed, Provider, WrongShape, provider_of
from shared.bus import Bus, BusError, TooLarge
from shared.events import GitHook
from shared.telemetry import get_logger
from shared.telemetry.metrics import counter, seconds
from shared.telemetry.trace import traced

log = get_logger()
received = counter("webhooks_total", "Webhooks by provider and what became of them", ("provider", "outcome"))
took = seconds("webhook", "From a webhook's arrival to its answer", ("provider",))
MOST_REFS = 1000
SMALL = 1024 * 1024
KnownNow = Callable[[], Known | None]  # None: the Secret has not been read yet


class Answer(NamedTuple):
    status: int
    outcome: str
    body: dict[str, Any]
    headers: Mapping[str, str] = MappingProxyType({})

    def response(self) -> web.Response:
        data = orjson.dumps(self.body, option=orjson.OPT_APPEND_NEWLINE)
        return web.Response(status=self.status, body=data, content_type="application/json", headers=self.headers)


def refused(status: int, outcome: str, error: str) -> Answer:
    return Answer(status, outcome, {"error": error})


def lower(request: web.Request) -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}


def large(request: web.Request) -> bool:
    """Bodies that must take turns, because many of them would fill the memory: who sends slowly delays only those."""
    return request.content_length is None or request.content_length > SMALL


def understand(headers: dict[str, str], body: bytes, provider: Provider) -> tuple[GitHook, ...] | Answer:
    """What a verified body says, or why it says nothing."""
    try:
        read = provider.parse(headers, body)
    except Malformed as error:
        return refused(400, "malformed", str(error))
    except WrongShape as error:
        return refused(400, "wrong-shape", str(error))
    if isinstance(read, Ignored):
        return Answer(200, "ignored", {"ignored": read.why})
    if len(read) > MOST_REFS:
        return refused(400, "wrong-shape", f"more than {MOST_REFS} refs in one push")
    return read


class Webhooks:
    """The endpoint; `known` gives the secrets as they are now."""

    def __init__(self, bus: Bus, settings: Settings, known: KnownNow) -> None:
        self._bus = bus
        self._settings = settings
        self._known = known
        self._turns = asyncio.Semaphore(settings.bodies_at_once)
        self._told: set[str] = set()

    async def on_webhook(self, request: web.Request) -> web.Response:
        headers = lower(request)
        provider = provider_of(headers)
        name = provider.name if provider else "unknown"
        with took.labels(name).time():
            answer = await self._answer(request, headers, provider)
        received.labels(name, answer.outcome).inc()
        if answer.status >= 400:
            log.warning("webhook refused", provider=name, status=answer.status, why=answer.body.get("error"))
        return answer.response()

    async def _answer(self, request: web.Request, headers: dict[str, str], provider: Provider | None) -> Answer:
        if provider is None:
            return refused(400, "unknown", "no git provider's event header; is this the right address?")
        known = self._known()
        if known is None:
            return self._later("not-ready", "the gateway has not read its secrets yet")
        async with self._turns if large(request) else nullcontext():
            read = await self._read(request, headers, provider, known)
        return read if isinstance(read, Answer) else await self._publish(read)

    async def _read(
        self, request: web.Request, headers: dict[str, str], provider: Provider, known: Known
    ) -> tuple[GitHook, ...] | Answer:
        try:
            async with asyncio.timeout(self._settings.body_timeout_seconds):
                body = await request.read()
        except TimeoutError:
            return refused(408, "slow", "the body did not arrive in time")
        except web.HTTPRequestEntityTooLarge:
            return refused(413, "too-large", f"at most {self._settings.body_limit_bytes} bytes")
        if not self._verified(headers, body, provider, known):
            return refused(401, "unverified", "not authorised")
        return understand(headers, body, provider)

    def _verified(self, headers: dict[str, str], body: bytes, provider: Provider, known: Known) -> bool:
        if agreed := credentials(known, provider):
            return provider.verify(headers, body, agreed)
        if provider.name not in self._told:
            self._told.add(provider.name)
            log.warning("webhooks are not verified: argocd-secret has no secret for them", provider=provider.name)
        return True

    async def _publish(self, hooks: tuple[GitHook, ...]) -> Answer:
        delivery = hooks[0].delivery
        with traced(delivery):
            try:
                timeout = self._settings.publish_timeout_seconds
                await asyncio.gather(*(self._bus.publish(hook, timeout=timeout) for hook in hooks))
            except TooLarge:
                return refused(400, "too-large", "a ref or a URL in the payload is too long")
            except BusError as error:
                log.warning("webhook not stored", why=str(error))
                return self._later("bus-down", "the bus does not take events now")
            for hook in hooks:
                log.info("webhook", provider=hook.provider, ref=hook.ref, revision=hook.after, repo=hook.repo_urls[0])
        return Answer(202, "accepted", {"accepted": len(hooks), "delivery": delivery})

    def _later(self, outcome: str, why: str) -> Answer:
        return Answer(503, outcome, {"error": why}, {"Retry-After": str(self._settings.retry_after_seconds)})


@web.middleware
async def json_errors(request: web.Request, handler: Callable[[web.Request], Any]) -> web.StreamResponse:
    """The framework's own refusals (no such page, wrong method) in the form of all answers."""
    try:
        response: web.StreamResponse = await handler(request)
    except web.HTTPException as error:
        kept = {name: value for name, value in error.headers.items() if name in ("Allow", "Location")}
        return Answer(error.status, "http", {"error": error.reason}, kept).response()
    return response
