"""One look at a time for each key. Who wants one that began after a certain moment shares it with all who do.

A look that runs already may have missed what somebody has just heard of; so any number of those who ask at the same
time cost at most two looks. How a look ended, well or badly, is shared too.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from shared.oci.errors import OciFailure

T = TypeVar("T")
MOST = 10_000


@dataclass
class _Key(Generic[T]):
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    begun: float = float("-inf")
    value: T | None = None
    failure: OciFailure | None = None


class Looks(Generic[T]):
    """`share` gives what a look found, or raises its `OciFailure`."""

    def __init__(self) -> None:
        self._keys: dict[str, _Key[T]] = {}

    async def share(self, key: str, since: float, look: Callable[[], Awaitable[T]]) -> T:
        """`since`: of `time.monotonic()`; a look that began then or later will do."""
        state = self._keys.setdefault(key, _Key())
        async with state.turn:
            if state.begun < since:
                await self._look(state, look)
        self._trim()
        if state.failure is not None:
            raise state.failure.with_traceback(None)
        assert state.value is not None
        return state.value

    def begun(self, key: str) -> float:
        """When the last look began; minus infinity for never."""
        state = self._keys.get(key)
        return state.begun if state else float("-inf")

    async def _look(self, state: _Key[T], look: Callable[[], Awaitable[T]]) -> None:
        begun = time.monotonic()
        try:
            state.value, state.failure = await look(), None
        except OciFailure as failure:
            state.value, state.failure = None, failure
        state.begun = begun

    def _trim(self) -> None:
        if len(self._keys) > MOST:
            idle = [key for key, state in self._keys.items() if not state.turn.locked()]
            for key in idle[: MOST // 2]:
                del self._keys[key]
