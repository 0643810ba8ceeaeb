"""What a webhook's sender is told. Every answer is JSON; what is wrong with a signature is never told.

202 is said only when the bus has every hook.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import orjson
from aiohttp import web

from services.gateway.settings import Settings
from shared.bus import Bus, BusError, TooLarge
from shared.events import GitHook, RegistryHook
from shared.telemetry import get_logger
from shared.telemetry.trace import traced

log = get_logger()
SMALL = 1024 * 1024


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


def later(outcome: str, why: str, settings: Settings) -> Answer:
    return Answer(503, outcome, {"error": why}, {"Retry-After": str(settings.retry_after_seconds)})


async def body_of(request: web.Request, limit: int, settings: Settings) -> bytes | Answer:
    """The whole body, or why it is not taken."""
    too_large = refused(413, "too-large", f"at most {limit} bytes")
    if request.content_length is not None and request.content_length > limit:
        return too_large
    body = bytearray()
    try:
        async with asyncio.timeout(settings.body_timeout_seconds):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > limit:
                    return too_large
    except TimeoutError:
        return refused(408, "slow", "the body did not arrive in time")
    return bytes(body)


async def publish(bus: Bus, hooks: Sequence[GitHook | RegistryHook], settings: Settings) -> Answer:
    """All of them are on the bus, or the sender is asked to come again."""
    delivery = hooks[0].delivery
    with traced(delivery):
        try:
            await asyncio.gather(*(bus.publish(hook, timeout=settings.publish_timeout_seconds) for hook in hooks))
        except TooLarge:
            return refused(400, "too-large", "a ref or a URL in the payload is too long")
        except BusError as error:
            log.warning("webhook not stored", why=str(error))
            return later("bus-down", "the bus does not take events now", settings)
        for hook in hooks:
            log.info("webhook", provider=hook.provider, **_told(hook))
    return Answer(202, "accepted", {"accepted": len(hooks), "delivery": delivery})


def _told(hook: GitHook | RegistryHook) -> dict[str, Any]:
    if isinstance(hook, GitHook):
        return {"ref": hook.ref, "revision": hook.after, "repo": hook.repo_urls[0]}
    return {"registry": hook.registry, "repository": hook.repository, "tag": hook.tag, "digest": hook.digest}


@web.middleware
async def json_errors(request: web.Request, handler: Callable[[web.Request], Any]) -> web.StreamResponse:
    """The framework's own refusals (no such page, wrong method) in the form of all answers."""
    try:
        response: web.StreamResponse = await handler(request)
    except web.HTTPException as error:
        kept = {name: value for name, value in error.headers.items() if name in ("Allow", "Location")}
        return Answer(error.status, "http", {"error": error.reason}, kept).response()
    return response
