"""A last look before a write: is this Application still ours? Carried along with the work, as a trace is.

Work that lost its partition is called off like any cancelled task; what it had asked of an API server by then is
idempotent, and whoever holds the partition now looks again.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class PartitionLost(asyncio.CancelledError):
    """Another replica may be working on this Application by now."""


_held: ContextVar[Callable[[], bool]] = ContextVar("held", default=lambda: True)


@contextmanager
def fenced(held: Callable[[], bool]) -> Iterator[None]:
    """Work in this block, and the tasks it starts, may write only while `held` says so."""
    token = _held.set(held)
    try:
        yield
    finally:
        _held.reset(token)


def check() -> None:
    """Raise PartitionLost when the work at hand may not write any more."""
    if not _held.get()():
        raise PartitionLost("the partition of this Application is held by another replica, or by none that we know of")
