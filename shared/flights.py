"""Several callers that want the same thing at the same time get one piece of work.

A caller that gives up doesn't stop the work for the others; the work ends when it is done or when the service ends.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

T = TypeVar("T")


class Flights(Generic[T]):
    """Work in flight by key; an async context manager that cancels what is left at the end."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[T]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        left = list(self._tasks.values())
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def share(self, key: str, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The result of the work for `key`, begun now unless it runs already; its error goes to every caller."""
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = asyncio.create_task(work())
            task.add_done_callback(lambda done: self._landed(key, done))
        return await _patient(task)

    def _landed(self, key: str, task: asyncio.Task[T]) -> None:
        self._tasks.pop(key, None)
        if not task.cancelled():
            task.exception()  # somebody looked: callers that gave up must not make it a warning


async def _patient(task: Awaitable[T]) -> T:
    return await asyncio.shield(task)
