"""Lua 5.1 scripts (gopher-lua), such as Argo CD's health checks and actions: values in, what the script returns out.

There are no files, programs, sockets or further code in reach: of `os` only the clock. Reasons: ScriptFailed,
ScriptTimeout.
"""

from collections.abc import Mapping
from typing import Any

from shared.engines.client import Engines
from shared.engines.errors import EngineError

SECONDS = 1.0
GRACE_SECONDS = 1.0


async def run(
    engines: Engines,
    script: str,
    global_values: Mapping[str, Any],
    *,
    open_libs: bool = False,
    seconds: float = SECONDS,
) -> list[Any]:
    """The returned values. `open_libs` adds string, math and coroutine to the basic functions, table and the clock.

    An empty table is a list, or an object where the global `obj` has an empty object in the same place.
    """
    args = {
        "script": script,
        "globals": dict(global_values),
        "open_libs": open_libs,
        "milliseconds": int(seconds * 1000),
    }
    found: list[Any] = await engines.call("lua.run", args, deadline=seconds + GRACE_SECONDS)
    return found


async def health(engines: Engines, script: str, obj: Mapping[str, Any], *, open_libs: bool = False) -> tuple[str, str]:
    """The status and message of a health script, which returns `{status, message}`."""
    returned = await run(engines, script, {"obj": obj}, open_libs=open_libs)
    verdict = returned[0] if returned else None
    if not isinstance(verdict, dict):
        raise EngineError("ScriptFailed", "the health script returned no table with status and message")
    return str(verdict.get("status", "")), str(verdict.get("message", ""))
