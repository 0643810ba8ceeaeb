"""One webhook from its first byte to its answer: recognise, verify, read, publish, answer.

202 is said only when the bus has every hook. Every answer is JSON; what is wrong with a signature is never told.
"""

import asyncio
from contextlib import nullcontext

from aiohttp import web

from services.gateway import measures
from services.gateway.answers import Answer, body_of, large, later, lower, publish, refused
from services.gateway.registry_handlers import RegistryWebhooks
from services.gateway.secrets import Known, KnownNow, credentials
from services.gateway.settings import Settings
from services.gateway.webhooks import Ignored, Malformed, Provider, WrongShape, provider_of
from shared.bus import Bus
from shared.events import GitHook
from shared.telemetry import get_logger

log = get_logger()
MOST_REFS = 1000


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
    """The endpoint; `known` gives the secrets as they are now. What no git provider sends may be a registry's."""

    def __init__(self, bus: Bus, settings: Settings, known: KnownNow, registries: RegistryWebhooks) -> None:
        self._bus = bus
        self._settings = settings
        self._known = known
        self._registries = registries
        self._turns = asyncio.Semaphore(settings.bodies_at_once)
        self._told: set[str] = set()

    async def on_webhook(self, request: web.Request) -> web.Response:
        headers = lower(request)
        provider = provider_of(headers)
        if provider is None or self._registries.concerns(headers):
            return await self._registries.on_webhook(request)
        with measures.took.labels(provider.name).time():
            answer = await self._answer(request, headers, provider)
        measures.received.labels(provider.name, answer.outcome).inc()
        if answer.status >= 400:
            log.warning("webhook refused", provider=provider.name, status=answer.status, why=answer.body.get("error"))
        return answer.response()

    async def _answer(self, request: web.Request, headers: dict[str, str], provider: Provider) -> Answer:
        known = self._known()
        if known is None:
            return later("not-ready", "the gateway has not read its secrets yet", self._settings)
        async with self._turns if large(request) else nullcontext():
            read = await self._read(request, headers, provider, known)
        return read if isinstance(read, Answer) else await publish(self._bus, read, self._settings)

    async def _read(
        self, request: web.Request, headers: dict[str, str], provider: Provider, known: Known
    ) -> tuple[GitHook, ...] | Answer:
        body = await body_of(request, self._settings.body_limit_bytes, self._settings)
        if isinstance(body, Answer):
            return body
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
