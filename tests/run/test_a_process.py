"""A service as its own process: it serves, tells its health, and ends on a signal; or it says why it can't start."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import orjson
import pytest

from tests.parts.cluster import ClusterUnderTest


@asynccontextmanager
async def gateway(**settings: str) -> AsyncIterator[Process]:
    base = {"TIPHYS_HEALTH_HOST": "127.0.0.1", "TIPHYS_HEALTH_PORT": "0", "TIPHYS_LOG_FORMAT": "json"}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TIPHYS_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.gateway", env=environment | base | settings, stderr=PIPE
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def said(process: Process) -> list[dict[str, str]]:
    """Every line until it ends."""
    assert process.stderr is not None
    return [orjson.loads(line) async for line in process.stderr]


async def test_it_serves_and_ends_on_a_signal(
    nats_url: str, cluster: ClusterUnderTest, namespace: str, tmp_path: Path
) -> None:
    settings = {
        "TIPHYS_NATS_URL": nats_url,
        "TIPHYS_NAMESPACE": namespace,
        "TIPHYS_KUBECONFIG": str(cluster.kubeconfig),
        "TIPHYS_DATA": str(tmp_path),
        "TIPHYS_GATEWAY_HOST": "127.0.0.1",
        "TIPHYS_GATEWAY_PORT": "0",
    }
    async with asyncio.timeout(60), gateway(**settings) as process:
        assert process.stderr is not None
        first = orjson.loads(await process.stderr.readline())
        assert (first["event"], first["service"]) == ("health page", "gateway")
        process.send_signal(signal.SIGTERM)
        lines = await said(process)
        assert await process.wait() == 0
    assert [line["event"] for line in lines][-1] == "stopping"


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"TIPHYS_HEALTH_PORT": "many"}, "TIPHYS_HEALTH_PORT: Input should be a valid integer"),
        (
            {"TIPHYS_NATS_URL": "nats://a:hunter22@127.0.0.1:1", "TIPHYS_BUS_PATIENCE_SECONDS": "0.2"},
            "no NATS server at nats://***@127.0.0.1:1",
        ),
    ],
)
async def test_it_says_in_one_line_why_it_can_not_start(settings: dict[str, str], reason: str) -> None:
    async with asyncio.timeout(60), gateway(**settings) as process:
        assert process.stderr is not None
        text = (await process.stderr.read()).decode()
        assert await process.wait() == 1
    last = text.strip().splitlines()[-1]
    assert reason in last
    assert "Traceback" not in text
    assert "hunter22" not in text
