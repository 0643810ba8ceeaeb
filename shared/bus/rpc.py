"""Questions and answers between services, over plain NATS with queue groups.

An answer is either the reply model's bytes or, under the header `tiphys-failed`, a `RequestFailed`; one that is larger
than a message goes through the object store, and the header `tiphys-stored` has its digest. A question waits
for its server to come up, within its time. While a server works on it, it says so every few seconds; one that fell
silent is dead, and the question is asked again, as it is when the connection breaks. So serving must be idempotent.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

from nats.aio.msg import Msg
from pydantic import ValidationError

from shared.bus import measures
from shared.bus.consume import HandlerCancelled, stopping
from shared.bus.envelope import DELIVERY, TRACEPARENT, Headers, one_line
from shared.bus.errors import BusError, Disconnected, TooLarge
from shared.bus.link import WORKING, Link, Lost, NobodyListens
from shared.bus.objects import Objects
from shared.events import Asks, Message, RequestError, RequestFailed
from shared.security import redact
from shared.telemetry import get_logger, trace

log = get_logger()
FAILED, PATIENCE, STORED = "tiphys-failed", "tiphys-patience-ms", "tiphys-stored"
REPLIES = "replies"
DEFAULT_PATIENCE = 600.0
SAID_EVERY, SILENCE = 3.0, 10.0
Reply = TypeVar("Reply")
Question = TypeVar("Question", bound=Asks[Any])


def _headers(patience: float) -> Headers:
    delivery = trace.delivery.get()
    carried = {DELIVERY: one_line(delivery), TRACEPARENT: trace.outgoing(delivery)} if delivery else {}
    return carried | {PATIENCE: str(int(patience * 1000))}


async def request(link: Link, question: Asks[Reply], *, patience: float) -> Reply:
    """Raises RequestError, and nothing else."""
    begun, outcome = time.monotonic(), "failed"
    try:
        data, headers = question.to_bytes(), _headers(patience)
        reply = await link.ask(question.subject, data, headers, within=patience, each=SILENCE)
        answer = _read(question, reply.headers or {}, await _whole(link, reply))
        outcome = "answered"
    except NobodyListens as error:
        why = f"no service answers {question.subject!r}; is it running?"
        raise RequestError("NoResponders", why, retriable=True) from error
    except TimeoutError as error:
        raise RequestError("Timeout", f"no answer to {question.subject!r} in {patience:g} s", retriable=True) from error
    except Disconnected as error:
        raise RequestError("BusUnavailable", str(error), retriable=True) from error
    except TooLarge as error:
        raise RequestError("RequestTooLarge", str(error)) from error
    finally:
        measures.asked.labels(question.subject, outcome).observe(time.monotonic() - begun)
    return answer


async def _whole(link: Link, reply: Msg) -> bytes:
    digest = (reply.headers or {}).get(STORED)
    try:
        return await Objects(link, REPLIES).get(digest) if digest else reply.data
    except BusError as error:
        raise RequestError("ReplyLost", f"a large answer can't be read: {error}", retriable=True) from error


def _read(question: Asks[Reply], headers: Headers, data: bytes) -> Reply:
    try:
        if headers.get(FAILED):
            raise _refusal(RequestFailed.from_bytes(data))
        return question.read_reply(data)
    except ValidationError as error:
        raise RequestError("BadReply", f"the answer to {question.subject!r} is not in the agreed form") from error


def _refusal(failed: RequestFailed) -> RequestError:
    return RequestError(failed.reason, failed.message, retriable=failed.retriable, retry_after=failed.retry_after)


async def serve(
    link: Link, question: type[Question], handler: Callable[[Question], Awaitable[Message]], *, queue: str, limit: int
) -> None:
    """Answer questions until cancelled; at most `limit` at a time, the others wait their turn."""
    turns = asyncio.Semaphore(limit)
    async with asyncio.TaskGroup() as tasks:
        while True:
            connection = await link.connection(None)

            async def on_message(message: Msg) -> None:
                tasks.create_task(_answer(link, message, question, handler, turns))

            try:
                async with connection.subscribed(question.subject, on_message, queue):
                    await connection.lost.wait()
            except Lost:
                continue


async def _answer(
    link: Link,
    message: Msg,
    question: type[Question],
    handler: Callable[[Question], Awaitable[Message]],
    turns: asyncio.Semaphore,
) -> None:
    headers = message.headers or {}
    reply: Message
    async with _said(link, message.reply), turns:
        with trace.traced(headers.get(DELIVERY, ""), headers.get(TRACEPARENT, "")):
            try:
                async with asyncio.timeout(_patience(headers)):
                    reply = await handler(question.from_bytes(message.data))
            except asyncio.CancelledError as error:
                if stopping():
                    raise
                reply = _failure(question.subject, HandlerCancelled(str(error)))
            except Exception as error:  # noqa: BLE001 - the one place that turns failures into answers
                reply = _failure(question.subject, error)
    measures.served.labels(question.subject, "failed" if isinstance(reply, RequestFailed) else "answered").inc()
    if message.reply:
        await _send(link, message.reply, question.subject, reply)


@asynccontextmanager
async def _said(link: Link, inbox: str) -> AsyncIterator[None]:
    """Let the asker know that its question is worked on, or waits its turn."""
    saying = asyncio.create_task(_say(link, inbox))
    try:
        yield
    finally:
        saying.cancel()


async def _say(link: Link, inbox: str) -> None:
    while inbox:
        await asyncio.sleep(SAID_EVERY)
        with suppress(Lost, BusError):
            await (await link.connection(None)).publish(inbox, b"", {WORKING: "1"})


def _patience(headers: Headers) -> float:
    given = headers.get(PATIENCE, "")
    return int(given) / 1000 if given.isdigit() else DEFAULT_PATIENCE


def _failure(subject: str, error: Exception) -> RequestFailed:
    if isinstance(error, RequestError):
        return RequestFailed(
            reason=error.reason,
            message=redact(error.message),
            retriable=error.retriable,
            retry_after=error.retry_after,
        )
    if isinstance(error, ValidationError):
        return RequestFailed(reason="BadRequest", message=f"{subject}: {error.error_count()} fields are not as agreed")
    if isinstance(error, TimeoutError):
        return RequestFailed(reason="Timeout", message=f"{subject} took longer than the caller waits", retriable=True)
    log.error("request failed", subject=subject, exc_info=error)
    return RequestFailed(reason="Internal", message=redact(f"{type(error).__name__}: {error}"), retriable=True)


async def _send(link: Link, inbox: str, subject: str, reply: Message) -> None:
    data = reply.to_bytes()
    headers = {FAILED: "1"} if isinstance(reply, RequestFailed) else {}
    try:
        connection = await link.connection(None)
        try:
            await connection.publish(inbox, data, headers or None)
        except TooLarge:
            digest = await Objects(link, REPLIES).put(data)
            await connection.publish(inbox, b"", headers | {STORED: digest})
    except Lost:
        log.debug("the asker's connection is gone", subject=subject)
    except BusError as error:
        log.warning("a large answer can't be stored", subject=subject, why=str(error))
