"""Durable consumption: messages in, one handler call each, every one settled in exactly one way.

    handler returns           -> ack
    handler raises Reject     -> dead letter, then term
    message can't be decoded  -> dead letter, then term
    handler raises otherwise  -> nak with backoff; after `max_deliver` attempts dead letter, then term

`Puller` (pull.py) brings the messages and survives the server; this module decides and settles. A message is kept alive
by in-progress marks while it waits or is worked on. Settling goes over whatever connection stands: a message taken
before a reconnect can be acked after it. A message that kills its process never reports, so the server's own delivery
count ends it too, more patiently, because a lost connection counts there as well.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Generic, Literal, NamedTuple, TypeVar

import orjson
from nats.aio.msg import Msg
from pydantic import ValidationError

from shared.bus import dead, measures
from shared.bus.envelope import DELIVERY, MEANT_FOR, TRACEPARENT
from shared.bus.errors import BusError, Reject
from shared.bus.link import Link, Lost
from shared.clock import now
from shared.events import Event
from shared.security import redact
from shared.telemetry import get_logger
from shared.telemetry.trace import traced

log = get_logger()
E = TypeVar("E", bound=Event)
Handler = Callable[[E], Awaitable[None]]
LONGEST_PAUSE = 60.0
UNREPORTED = 5  # attempts that may end without a report (a crash, a lost connection) beyond max_deliver
SETTLE_PATIENCE = 20.0


@dataclass(frozen=True)
class Consumption(Generic[E]):
    event: type[E]
    stream: str
    durable: str
    subject: str
    concurrency: int
    max_deliver: int
    ack_wait: float
    time_limit: float
    first_pause: float
    start: Literal["all", "new"] | datetime
    forgotten_after: float | None


class HandlerCancelled(Exception):
    """A cancellation from inside the handler; without this it would end the worker, and nobody would know."""


def stopping() -> bool:
    """Whether it is we who are being cancelled."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


class Verdict(Enum):
    ACK = "acked"
    NAK = "nak"
    DEAD = "dead"


class Outcome(NamedTuple):
    verdict: Verdict
    reason: str = ""
    delay: float = 0.0


def nak_delay(attempt: int, sequence: int, first: float) -> float:
    """Exponential, at most a minute; spread by the sequence number so that a burst does not come back as one."""
    spread = 0.8 + (sequence * 2654435761 % 1000) / 2500
    return min(LONGEST_PAUSE, first * 2.0 ** min(attempt - 1, 16)) * spread


def decide(error: BaseException | None, attempt: int, sequence: int, plan: "Consumption[E]") -> Outcome:
    """What becomes of a message after its handler returned or raised."""
    if error is None:
        return Outcome(Verdict.ACK)
    reason = redact(f"{error}" if isinstance(error, Reject) else f"{type(error).__name__}: {error}")
    if isinstance(error, Reject) or attempt >= plan.max_deliver:
        return Outcome(Verdict.DEAD, reason)
    return Outcome(Verdict.NAK, reason, nak_delay(attempt, sequence, plan.first_pause))


def decode(event: type[E], data: bytes) -> E:
    try:
        return event.from_bytes(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "body"
        raise Reject(f"not a {event.type_name()}: {where}: {first['msg']}") from error


async def settle(link: Link, message: Msg, verdict: bytes) -> bool:
    """True when the server has been told; otherwise it will deliver the message again."""
    for _ in range(3):
        try:
            connection = await link.connection(SETTLE_PATIENCE)
            await connection.publish(message.reply, verdict)
        except Lost:
            continue
        except BusError:
            break
        return True
    return False


class Settler(Generic[E]):
    """Handles one message from its decoding to its end."""

    def __init__(self, link: Link, plan: Consumption[E], handler: Handler[E]) -> None:
        self._link = link
        self._plan = plan
        self._handler = handler

    async def take(self, message: Msg) -> None:
        headers = message.headers or {}
        with traced(headers.get(DELIVERY, ""), headers.get(TRACEPARENT, "")):
            await self._take(message)

    async def _take(self, message: Msg) -> None:
        meta = message.metadata
        begun = time.monotonic()
        if meta.num_delivered > self._plan.max_deliver + UNREPORTED:
            outcome = Outcome(Verdict.DEAD, f"{meta.num_delivered - 1} attempts ended without a report")
        else:
            error = await self._run(message)
            outcome = decide(error, meta.num_delivered, meta.sequence.stream, self._plan)
        await self._settle(message, outcome)
        measures.handling.labels(self._plan.durable).observe(time.monotonic() - begun)
        measures.consumed.labels(self._plan.durable, outcome.verdict.value).inc()

    async def _run(self, message: Msg) -> Exception | None:
        if (message.headers or {}).get(MEANT_FOR, self._plan.durable) != self._plan.durable:
            return None
        try:
            event = decode(self._plan.event, message.data)
            measures.lag.labels(self._plan.durable).observe(max((now() - event.at).total_seconds(), 0))
            async with asyncio.timeout(self._plan.time_limit):
                await self._handler(event)
        except asyncio.CancelledError as error:
            if stopping():
                raise
            return HandlerCancelled(f"something the handler waited for was cancelled: {error}")
        except Exception as error:  # noqa: BLE001 - the one place that naks, backs off and dead-letters
            return error
        return None

    async def _settle(self, message: Msg, outcome: Outcome) -> None:
        if outcome.verdict is Verdict.DEAD and not await self._bury(message, outcome.reason):
            outcome = replace_delay(outcome)
        if outcome.verdict is Verdict.ACK:
            told = await settle(self._link, message, b"+ACK")
        elif outcome.verdict is Verdict.DEAD:
            told = await settle(self._link, message, b"+TERM")
        else:
            delay = orjson.dumps({"delay": int(outcome.delay * 1e9)})
            told = await settle(self._link, message, b"-NAK " + delay)
            log.warning(
                "message failed, will be tried again",
                durable=self._plan.durable,
                subject=message.subject,
                reason=outcome.reason,
                attempt=message.metadata.num_delivered,
                in_seconds=round(outcome.delay, 3),
            )
        if not told:
            log.warning("message not settled, the server will deliver it again", durable=self._plan.durable)

    async def _bury(self, message: Msg, reason: str) -> bool:
        """True when the dead letter is stored; only then may the message itself go."""
        subject, data, headers = dead.letter(message, reason)
        try:
            reply = await self._link.ask(subject, data, headers, within=SETTLE_PATIENCE, each=5)
        except (BusError, TimeoutError, LookupError) as error:
            log.warning("dead letter not stored", durable=self._plan.durable, reason=reason, error=str(error))
            return False
        stored = "error" not in orjson.loads(reply.data)
        log.error("message given up", durable=self._plan.durable, subject=message.subject, reason=reason, stored=stored)
        return stored


def replace_delay(outcome: Outcome) -> Outcome:
    return outcome._replace(verdict=Verdict.NAK, delay=LONGEST_PAUSE / 4)
