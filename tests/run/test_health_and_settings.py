"""Readiness by part, over real HTTP; settings from the environment and files; services that fail start again."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest
from pydantic import Field
from pydantic_settings import BaseSettings

from shared.bus import connect
from shared.bus.server import running
from shared.run import Board, Common, PortTaken, SettingsError, listening, load, prefixed
from shared.run.context import Context, EnginesOnce
from shared.run.http import routes
from shared.run.runner import supervised, until_signal_or_done


class Example(BaseSettings):
    model_config = prefixed("example")

    workers: int = Field(default=4, ge=1, description="Workers")
    token: str = ""


async def readyz(board: Board) -> tuple[int, dict[str, object]]:
    async with (
        listening(routes(board), "127.0.0.1", 0, "X") as port,
        aiohttp.ClientSession() as http,
        http.get(f"http://127.0.0.1:{port}/readyz") as response,
    ):
        return response.status, await response.json()


async def test_a_service_that_has_said_nothing_is_not_ready() -> None:
    board = Board()
    board.of("gateway")
    assert await readyz(board) == (503, {"ready": False, "services": {"gateway": {"ready": False, "parts": {}}}})


async def test_every_part_of_every_service_must_be_well() -> None:
    board = Board()
    one, two = board.of("one"), board.of("two")
    board.set_ready("bus", True)
    one.set_ready("http", True)
    two.set_ready("watch", False, "https://a:hunter22@example.com refused")
    status, report = await readyz(board)
    assert status == 503
    assert "https://***@example.com refused" in str(report)
    two.set_ready("watch", True)
    assert (await readyz(board))[0] == 200
    board.set_ready("bus", False, "lost")
    assert (await readyz(board))[0] == 503


async def test_notes_are_shown_and_change_nothing() -> None:
    board = Board()
    health = board.of("one")
    health.set_ready("http", True)
    health.note("webhooks", "not verified")
    status, report = await readyz(board)
    assert (status, "not verified" in str(report)) == (200, True)
    health.note("webhooks", "")
    assert "not verified" not in str(await readyz(board))


async def test_waiting_for_readiness_ends_when_it_comes() -> None:
    board = Board()
    one, two = board.of("one"), board.of("two")
    waiting = asyncio.create_task(board.until_ready())
    one.set_ready("a", True)
    await asyncio.wait({waiting}, timeout=0.05)
    assert not waiting.done()
    two.set_ready("a", True)
    await asyncio.wait_for(waiting, 5)


async def test_the_page_tells_life_and_metrics() -> None:
    async with listening(routes(Board()), "127.0.0.1", 0, "X") as port, aiohttp.ClientSession() as http:
        async with http.get(f"http://127.0.0.1:{port}/healthz") as response:
            assert await response.text() == "ok\n"
        async with http.get(f"http://127.0.0.1:{port}/metrics") as response:
            assert "tiphys_bus_connected" in await response.text()


async def test_a_taken_port_is_told_with_its_setting() -> None:
    async with listening(routes(Board()), "127.0.0.1", 0, "X") as port:
        with pytest.raises(PortTaken, match=f"127.0.0.1:{port} .*choose another TIPHYS_HEALTH_PORT"):
            async with listening(routes(Board()), "127.0.0.1", port, "TIPHYS_HEALTH_PORT"):
                raise AssertionError("the port is taken")


def test_settings_come_from_files_the_environment_and_the_caller_in_that_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tiphys_example_workers").write_text("5")
    (tmp_path / "tiphys_example_token").write_text("from a file")
    monkeypatch.setenv("TIPHYS_SETTINGS_DIR", str(tmp_path))
    assert (load(Example).workers, load(Example).token) == (5, "from a file")
    monkeypatch.setenv("TIPHYS_EXAMPLE_WORKERS", "6")
    assert load(Example).workers == 6
    assert load(Example, workers=7).workers == 7


def test_a_wrong_setting_is_named_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIPHYS_EXAMPLE_WORKERS", "hunter22")
    with pytest.raises(SettingsError, match="TIPHYS_EXAMPLE_WORKERS: Input should be a valid integer") as caught:
        load(Example)
    assert "hunter22" not in str(caught.value)


async def test_a_service_that_fails_starts_again_and_says_so(tmp_path: Path) -> None:
    board, starts, back = Board(), [0], asyncio.Event()

    async def app(context: Context) -> None:
        starts[0] += 1
        if starts[0] == 1:
            raise OSError("the first time")
        context.health.set_ready("work", True)
        back.set()
        await asyncio.Event().wait()

    async with running(tmp_path / "nats") as server, connect(server.url, service="t") as bus:
        cluster: object = None
        pool = EnginesOnce(1, AsyncExitStack())
        context = Context("t", load(Common), bus, cluster, board.of("t"), pool)  # type: ignore[arg-type]
        work = asyncio.create_task(supervised(context, app))
        while "the first time" not in str(board.report()):
            board.of("t").changed.clear()
            await asyncio.wait_for(board.of("t").changed.wait(), 20)
        await asyncio.wait_for(back.wait(), 20)
        assert board.ready
        work.cancel()
        await asyncio.wait({work})


async def test_work_that_fails_ends_the_process_with_its_error() -> None:
    async def fail() -> None:
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        await until_signal_or_done(fail())
