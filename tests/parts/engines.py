"""The real engines worker, built once, as a pool."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from shared import engines as package
from shared.engines.build import ensure_go_binary
from shared.engines.client import Engines

WORKER = Path(package.__file__).with_name("worker")


async def engines_binary() -> Path:
    """The binary's path; the first build takes a minute or two."""
    return await asyncio.to_thread(ensure_go_binary, WORKER, "engines-worker", report=print)


@pytest_asyncio.fixture(scope="session")
async def engines() -> AsyncIterator[Engines]:
    async with Engines(await engines_binary(), size=2) as pool:
        yield pool
