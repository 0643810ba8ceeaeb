"""What is asked for by request id is done once, whichever replica is asked, and however often.

In: the id, and what does it. Out: its answer, kept for a while in the bucket `actions`: who finds the request begun by
another waits for that one's end. One that was refused may be asked for again; of one whose process died or was stopped
nobody knows whether it was done, and that is said instead of doing it again.
"""

import asyncio
import hashlib
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress

from shared.bus import Bus, BusError, Conflict, Kv
from shared.events import ActionDone, RequestError

KEPT_SECONDS = 3600.0
LOOK_EVERY = 0.2
PATIENCE = 30.0
BEGUN = b"begun"


async def once(
    bus: Bus, request_id: str, perform: Callable[[], Awaitable[ActionDone]], *, patience: float = PATIENCE
) -> ActionDone:
    """Do it, or give the answer of whoever does it or has done it. Raises RequestError."""
    name = key_of(request_id)
    try:
        answers = await bus.kv("actions", lifetime=KEPT_SECONDS)
        ours = await begun(answers, name)
    except BusError as error:
        raise RequestError("BusUnavailable", f"nothing was done: {error}", retriable=True) from error
    if not ours:
        return await answer_of(answers, name, patience)
    try:
        done = await perform()
    except RequestError:
        with suppress(BusError):
            await answers.delete(name)
        raise
    with suppress(BusError):
        await answers.put(name, done.to_bytes())
    return done


def key_of(request_id: str) -> str:
    """An id is as long as who asks likes it, a key of the bus is not."""
    return hashlib.sha256(request_id.encode()).hexdigest()


async def begun(answers: Kv, name: str) -> bool:
    """Claim a request; tells whether it is ours. Raises BusError.

    The bus repeats a write whose answer was lost, and then meets its own: so each claim has a token.
    """
    claim = BEGUN + secrets.token_bytes(8)
    try:
        await answers.create(name, claim)
    except Conflict:
        entry = await answers.get(name)
        return entry is not None and entry.value == claim
    return True


async def answer_of(answers: Kv, name: str, patience: float) -> ActionDone:
    """Wait for the end of a request that is under way. Raises RequestError."""
    try:
        async with asyncio.timeout(patience):
            while (entry := await answers.get(name)) is not None:
                if not entry.value.startswith(BEGUN):
                    return ActionDone.from_bytes(entry.value)
                await asyncio.sleep(LOOK_EVERY)
    except (TimeoutError, BusError) as error:
        text = "this request was begun before, and its end is not known: look at the resource before asking anew"
        raise RequestError("Refused", text) from error
    raise RequestError("Refused", "the same request has just failed; it may be asked for again", retriable=True)
