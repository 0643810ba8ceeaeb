"""A real nats-server for the whole test session, and a bus on it. Tests keep apart by unique names, not by servers."""

import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from shared.bus import Bus, connect
from shared.bus.server import running


@pytest_asyncio.fixture(scope="session")
async def nats_url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    folder: Path = tmp_path_factory.mktemp("nats")
    async with running(folder) as server:
        yield server.url


@pytest_asyncio.fixture(scope="session")
async def bus(nats_url: str) -> AsyncIterator[Bus]:
    async with connect(nats_url, service="tests") as connected:
        yield connected


@pytest.fixture
def unique() -> str:
    """A name that no other test uses: for durables, namespaces, subjects."""
    return f"t{uuid.uuid4().hex[:10]}"
