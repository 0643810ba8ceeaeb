"""One registry's webhook from its first byte to its answer: read, recognise, verify, understand, publish, answer.

A registry whose secret is not set is refused: what it sends is only a hint, but each hint costs a request.
"""

from collections.abc import Mapping

from aiohttp import web

from services.gateway import measures
from services.gateway.answers import Answer, body_of, later, lower, publish, refused
from services.gateway.google import GoogleTokens, KeysUnavailable
from services.gateway.registries import NAMES, Received, Sender, sender_named, sender_of, verified
from services.gateway.registries.ghcr import EVENT, EVENTS
from services.gateway.secrets import Known, KnownNow, registry_secret
from services.gateway.settings import Settings
from services.gateway.webhooks import Ignored, Malformed, WrongShape
from services.gateway.webhooks.payload import decode
from shared.bus import Bus
from shared.events import RegistryHook
from shared.telemetry import get_logger

log = get_logger()
LIMIT = 1024 * 1024
TYPE = "x-registry-type"


def understand(sender: Sender, received: Received) -> tuple[RegistryHook, ...] | Answer:
    """What a verified body says, or why it says nothing."""
    try:
        read = sender.parse(received)
    except WrongShape as error:
        return refused(400, "wrong-shape", str(error))
    if isinstance(read, Ignored):
        return Answer(200, "ignored", {"ignored": read.why})
    return read


class RegistryWebhooks:
    """The endpoint; `known` gives the secrets as they are now."""

    def __init__(self, bus: Bus, settings: Settings, known: KnownNow) -> None:
        self._bus, self._settings, self._known = bus, settings, known
        self._google = GoogleTokens(settings.google_keys_url)

    def concerns(self, headers: Mapping[str, str]) -> bool:
        """Events of GitHub that are its registry's."""
        return headers.get(EVENT, "") in EVENTS

    async def on_webhook(self, request: web.Request) -> web.Response:
        with measures.took.labels("registry").time():
            name, answer = await self._answer(request)
        measures.received.labels(name, answer.outcome).inc()
        if answer.status >= 400:
            log.warning("webhook refused", provider=name, status=answer.status, why=answer.body.get("error"))
        return answer.response()

    async def _answer(self, request: web.Request) -> tuple[str, Answer]:
        known = self._known()
        if known is None:
            return "unknown", later("not-ready", "the gateway has not read its secrets yet", self._settings)
        received = await self._received(request)
        if isinstance(received, Answer):
            return "unknown", received
        sender = chosen(received)
        if isinstance(sender, Answer):
            return "unknown", sender
        return sender.name, await self._take(sender, received, known)

    async def _received(self, request: web.Request) -> Received | Answer:
        body = await body_of(request, LIMIT, self._settings)
        if isinstance(body, Answer):
            return body
        headers = lower(request)
        try:
            return Received(headers, request.query, body, decode(headers, body))
        except Malformed as error:
            return refused(400, "malformed", str(error))

    async def _take(self, sender: Sender, received: Received, known: Known) -> Answer:
        refusal = await self._unverified(sender, received, known)
        if refusal is not None:
            return refusal
        read = understand(sender, received)
        return read if isinstance(read, Answer) else await publish(self._bus, read, self._settings)

    async def _unverified(self, sender: Sender, received: Received, known: Known) -> Answer | None:
        """Why this isn't believed; None when it is."""
        if sender.check is None:
            return await self._not_from_google(received, known)
        secret = registry_secret(known, f"{sender.key}-secret")
        if not secret:
            return unset(sender, f"webhook.{sender.key}-secret")
        return None if sender.check(received, secret) else refused(401, "unverified", "not authorised")

    async def _not_from_google(self, received: Received, known: Known) -> Answer | None:
        audience, email = (registry_secret(known, key).reveal() for key in ("gcr-audience", "gcr-email"))
        if not (audience and email):
            return refused(401, "no-secret", "set webhook.gcr-audience and webhook.gcr-email, the push subscription's")
        try:
            good = await self._google.good(verified.bearer(received), audience, email)
        except KeysUnavailable as error:
            return later("no-keys", str(error), self._settings)
        return None if good else refused(401, "unverified", "not authorised")


def chosen(received: Received) -> Sender | Answer:
    """By `?type=` or the header, else by what it looks like."""
    given = received.query.get("type", "") or received.headers.get(TYPE, "")
    if given:
        return sender_named(given) or refused(400, "unknown", f"no such type; there are {', '.join(NAMES)}")
    why = "no git provider's event header and no registry's payload; is this the right address?"
    return sender_of(received) or refused(400, "unknown", why)


def unset(sender: Sender, key: str) -> Answer:
    return refused(401, "no-secret", f"webhooks of {sender.name} are refused: set {key} in argocd-image-updater-secret")
