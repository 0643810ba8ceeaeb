"""What can go wrong with a call, as types.

    EngineFailure
    +-- EngineError           the engine says no: `reason` (CamelCase), `message` for people, `details`
    +-- EngineTimeout         the call took longer than its deadline and was killed
    +-- EngineOutputTooLarge  the result exceeds the limit
    +-- EngineCrashed         the process died; `out_of_memory` says whether it asked for too much
    +-- EngineUnavailable     the process could not even be started
    +-- EnginesClosed         the pool is closed, or not entered yet

After any of them the next call works: a dead worker is replaced.
"""

from typing import Any


class EngineFailure(Exception):
    """A call brought no result; the message says why and what to do."""


class EngineError(EngineFailure):
    """The engine's own verdict on what it was given."""

    def __init__(self, reason: str, message: str, details: Any = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.details = details


class EngineTimeout(EngineFailure):
    """The deadline passed."""

    def __init__(self, op: str, seconds: float) -> None:
        super().__init__(f"{op} took longer than {seconds:g} s and was ended: simplify it or allow more time")


class EngineOutputTooLarge(EngineFailure):
    """The result is larger than one reply may be."""


class EngineCrashed(EngineFailure):
    """The process ended in the middle of a call."""

    def __init__(self, op: str, words: str) -> None:
        self.out_of_memory = "out of memory" in words or "cannot allocate memory" in words
        hint = "it used more memory than it may: make the input smaller" if self.out_of_memory else words.strip()[:300]
        super().__init__(f"{op} ended the engine's process: {hint or 'it said nothing'}")


class EngineUnavailable(EngineFailure):
    """There is no worker to be had on this machine."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"the worker {name} can't be started: {why}: run `make build`, or correct TIPHYS_BIN")


class EnginesClosed(EngineFailure):
    """The pool was closed, or not entered yet."""
