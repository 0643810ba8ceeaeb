"""Bounded work: at most so many at a time, at most so many waiting; the rest is told to come back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.renderer.failures import Reason, RenderFailure


class Turns:
    """`at_once` run, `waiting` may wait."""

    def __init__(self, at_once: int, waiting: int) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._room = at_once + waiting
        self._inside = 0

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        if self._inside >= self._room:
            message = "more renders wait than this renderer takes: try again soon, or run more replicas"
            raise RenderFailure(Reason.RENDERER_OVERLOADED, message, retriable=True)
        self._inside += 1
        try:
            async with self._free:
                yield
        finally:
            self._inside -= 1
