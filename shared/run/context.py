"""What a service is given to work with. It opens nothing itself and closes nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.bus import Bus
from shared.run.health import Health
from shared.run.settings import Common, S, load
from shared.telemetry import get_logger

if TYPE_CHECKING:
    from shared.engines.client import Engines
    from shared.kube.client import Cluster

log = get_logger()
NOTHING: Mapping[str, Any] = {}


class EnginesOnce:
    """The engines' worker pool: built and started by the first who asks, shared by all, ended with the process."""

    def __init__(self, processes: int, closing: AsyncExitStack) -> None:
        self._processes = processes
        self._closing = closing
        self._pool: Engines | None = None
        self._lock = asyncio.Lock()

    async def get(self) -> "Engines":
        async with self._lock:
            if self._pool is None:
                self._pool = await self._start()
        return self._pool

    async def _start(self) -> "Engines":
        from shared import engines
        from shared.engines.build import ensure_go_binary
        from shared.engines.client import Engines

        def report(line: str) -> None:
            log.info("engines worker", progress=line)

        source = Path(engines.__file__).with_name("worker")
        binary = await asyncio.to_thread(ensure_go_binary, source, "engines-worker", report=report)
        return await self._closing.enter_async_context(Engines(binary, size=self._processes))


@dataclass(frozen=True)
class Context:
    """One service's share of the process."""

    service: str
    common: Common
    bus: Bus
    cluster: "Cluster"
    health: Health
    pool: EnginesOnce
    overrides: Mapping[str, Any] = field(default_factory=dict)

    @property
    def namespace(self) -> str:
        """Where Argo CD's settings and the Applications live."""
        return self.common.namespace

    @property
    def data(self) -> Path:
        return self.common.data.expanduser()

    def load(self, model: type[S]) -> S:
        """The service's settings; what the command line said goes before the environment."""
        return load(model, **self.overrides)

    async def engines(self) -> "Engines":
        return await self.pool.get()


App = Callable[[Context], Awaitable[None]]
