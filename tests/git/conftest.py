"""Git hosts, and a NATS server for each test: the queue of webhooks has one reader."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from shared.bus import Bus, connect
from shared.bus.server import running
from tests.git.watching import Watcher, watching
from tests.parts.gitserver import git_host, ssh_host

__all__ = ["git_host", "own_bus", "ssh_host", "watcher"]


@pytest_asyncio.fixture
async def own_bus(tmp_path: Path) -> AsyncIterator[Bus]:
    async with running(tmp_path / "nats") as server, connect(server.url, service="tests") as bus:
        yield bus


@pytest_asyncio.fixture
async def watcher(own_bus: Bus, tmp_path: Path) -> AsyncIterator[Watcher]:
    async with watching(own_bus, tmp_path / "mirrors") as made:
        yield made
