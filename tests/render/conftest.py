"""The real parts of these tests: an OCI registry, the engines worker, a renderer with its own data folder."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from shared.bus import Bus
from shared.engines.client import Engines
from tests.parts.registry import registry
from tests.render.service import Service, running_service
from tests.render.shop import shop

__all__ = ["registry", "service", "shop"]


@pytest_asyncio.fixture
async def service(bus: Bus, engines: Engines, tmp_path: Path, unique: str) -> AsyncIterator[Service]:
    async with running_service(bus, engines, tmp_path, unique) as running:
        yield running
