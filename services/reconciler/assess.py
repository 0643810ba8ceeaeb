"""The health of live objects: by the settings' Lua script where a kind has one, else by the built-in checks.

In: a live object. Out: its health, None where its kind has none. A script runs once for each state of an object (status
included, `managedFields` not) and never for one that was seen; whoever asks meanwhile waits for the same answer. A
script that fails, loops or answers nonsense makes the object Unknown, with the reason. Never: a decision.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from services.reconciler.live import Live
from shared.engines import lua
from shared.engines.build import BuildError
from shared.engines.client import Engines
from shared.engines.errors import EngineError, EngineFailure
from shared.health import DELETING, ORDER, Health, health, leaving
from shared.kinds.customizations import Customization
from shared.kinds.settings import ArgoSettings
from shared.merge import digest

Obj = dict[str, Any]
REMEMBERED = 50_000
NO_ANSWER = Health("Unknown", "Lua returned an invalid health status")


class Judged(NamedTuple):
    """What a script said of one state of one object."""

    script: str
    version: int
    state: str
    health: Health | None


class Assessor:
    """Asks the scripts, and remembers what they said of each object last."""

    def __init__(self, settings: Callable[[], ArgoSettings], engines: Callable[[], Awaitable[Engines]]) -> None:
        self._settings = settings
        self._engines = engines
        self._known: OrderedDict[str, Judged] = OrderedDict()
        self._asked: dict[tuple[str, str, str], asyncio.Future[Health | None]] = {}

    def scripted(self, live: Live) -> bool:
        """Tell whether a script judges this kind."""
        return self._settings().health_script(live.key.group_kind) is not None

    async def __call__(self, live: Live, body: Obj | None = None) -> Health | None:
        """Give the health of a live object; `body` where it is at hand."""
        custom = self._settings().health_script(live.key.group_kind)
        if custom is None:
            return health(body if body is not None else live.load())
        known = self._known.get(live.uid)
        if known is not None and (known.script, known.version) == (custom.health_lua, live.version):
            return known.health
        body = body if body is not None else live.load()
        return DELETING if leaving(body) else await self._judged(custom, live, body)

    async def _judged(self, custom: Customization, live: Live, body: Obj) -> Health | None:
        state, known = state_of(body), self._known.get(live.uid)
        if known is not None and (known.script, known.state) == (custom.health_lua, state):
            self._remember(live, known._replace(version=live.version))
            return known.health
        question = (custom.health_lua, live.uid, state)
        running = self._asked.get(question)
        if running is None:
            running = self._asked[question] = asyncio.ensure_future(self._run(custom, live, body, state))
            running.add_done_callback(lambda _done: self._asked.pop(question, None))
        return await asyncio.shield(running)

    async def _run(self, custom: Customization, live: Live, body: Obj, state: str) -> Health | None:
        try:
            found = read(
                await lua.run(await self._engines(), custom.health_lua, {"obj": body}, open_libs=custom.use_open_libs)
            )
        except EngineError as error:
            found = Health("Unknown", error.message)
        except (EngineFailure, BuildError) as error:
            return Health("Unknown", str(error))
        self._remember(live, Judged(custom.health_lua, live.version, state, found))
        return found

    def _remember(self, live: Live, judged: Judged) -> None:
        self._known[live.uid] = judged
        self._known.move_to_end(live.uid)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)


def state_of(body: Obj) -> str:
    """Digest what a script may look at."""
    metadata = {
        key: value for key, value in body["metadata"].items() if key not in {"managedFields", "resourceVersion"}
    }
    return digest({**body, "metadata": metadata})


def read(returned: list[Any]) -> Health | None:
    """Read what a health script returned. Nothing (nil) means that the object has no health."""
    answer = returned[0] if returned else None
    if answer is None:
        return None
    if not isinstance(answer, dict):
        return Health("Unknown", "the health script returned no table with status and message")
    status = next((known for known in ORDER if known == answer.get("status")), None)
    return Health(status, str(answer.get("message") or "")) if status else NO_ANSWER
