"""A registry for the session, and a NATS server for each test: the queue of webhooks has one reader."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from shared.bus import Bus, connect
from shared.bus.server import running
from tests.parts.registry import RunningRegistry, registry
from tests.registry.watching import Watcher, plain, watching

__all__ = ["own_bus", "registry", "watcher"]


@pytest_asyncio.fixture
async def own_bus(tmp_path: Path) -> AsyncIterator[Bus]:
    async with running(tmp_path / "nats") as server, connect(server.url, service="tests") as bus:
        yield bus


@pytest_asyncio.fixture
async def watcher(own_bus: Bus, registry: RunningRegistry, tmp_path: Path) -> AsyncIterator[Watcher]:
    async with watching(own_bus, tmp_path / "known", plain(registry)) as made:
        yield made
