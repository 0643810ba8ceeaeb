"""What a render works with, built once by the service and handed down: engines, mirrors, charts, threads, limits."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import ParamSpec, TypeVar

import aiohttp

from services.renderer.archives import ArchiveLimits
from services.renderer.charts import Charts
from services.renderer.directory import ParsedFiles
from services.renderer.repositories import Lookup
from services.renderer.settings import RendererSettings
from shared.engines.client import Engines

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Parts:
    """`argo_namespace`: Applications elsewhere are called `<namespace>_<name>`, as in Argo CD."""

    engines: Engines
    client: aiohttp.ClientSession
    charts: Charts
    lookup: Lookup
    mirrors: Path
    executor: Executor
    parsed: ParsedFiles
    settings: RendererSettings
    argo_namespace: str = "argocd"

    @property
    def archive_limits(self) -> ArchiveLimits:
        return ArchiveLimits(self.settings.unpacked_bytes)

    async def in_thread(self, work: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
        """Run blocking work on the service's own threads."""
        return await asyncio.get_running_loop().run_in_executor(self.executor, lambda: work(*args, **options))
