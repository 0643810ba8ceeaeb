"""A whole stack's life as a person sees it: beside another, killed and started again, stopped without a trace."""

import asyncio
import json
import os
import select
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from services.stack import down, state


async def tiphys(data: Path, *words: str, **environment: str) -> tuple[int, str]:
    command = (sys.executable, "-m", "services.cli", *words, "--data", str(data))
    process = await asyncio.create_subprocess_exec(
        *command, stdout=PIPE, stderr=PIPE, env={**os.environ, **environment}
    )
    out, err = await process.communicate()
    return process.returncode or 0, out.decode() + err.decode()


@asynccontextmanager
async def up(data: Path) -> AsyncIterator[state.StackState]:
    code, said = await tiphys(data, "up", "--detach", "--listen", "127.0.0.1:0", "--node", "none")
    assert code == 0, said
    found = state.running(data)
    assert found
    try:
        yield found
    finally:
        await asyncio.to_thread(down.down, data, lambda _line: None)


def processes(data: Path) -> list[str]:
    """Every process that has the folder in its command line."""
    lines = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            lines += [line] if str(data) in line else []
    return lines


async def test_two_stacks_run_side_by_side_and_leave_nothing(tmp_path: Path) -> None:
    folders = (tmp_path / "one", tmp_path / "two")
    async with AsyncExitStack() as stacks:
        one, two = await asyncio.gather(*(stacks.enter_async_context(up(folder)) for folder in folders))
        assert {one.url, one.nats_url, one.kubeconfig}.isdisjoint({two.url, two.nats_url, two.kubeconfig})
        for folder in folders:
            assert (await tiphys(folder, "status"))[0] == 0
            assert processes(folder)
        status = await tiphys(folders[0], "status", "-o", "json")
        assert json.loads(status[1])["readiness"]["ready"]
        code, said = await tiphys(folders[0], "doctor")
        assert (code, "✗" in said) == (0, False), said
    assert processes(tmp_path) == []
    assert (await tiphys(folders[0], "status"))[0] == 5


async def test_a_killed_stack_starts_again(tmp_path: Path) -> None:
    async with up(tmp_path) as first:
        descriptor = os.pidfd_open(first.process.pid)
        os.kill(first.process.pid, signal.SIGKILL)
        await asyncio.to_thread(select.select, [descriptor], [], [], 60)
        os.close(descriptor)
        code, said = await tiphys(tmp_path, "doctor")
        assert code == 1
        assert "state file is still there" in said
        async with up(tmp_path) as second:
            assert second.process != first.process
            assert not any(state.alive(helper) for helper in first.helpers)
            assert (await tiphys(tmp_path, "status"))[0] == 0
    assert processes(tmp_path) == []


async def test_a_start_that_fails_says_why_and_leaves_nothing(tmp_path: Path) -> None:
    code, said = await tiphys(tmp_path, "up", "--detach", "--listen", "256.0.0.1:1", "--node", "none")
    assert code == 1
    assert "256.0.0.1" in said
    assert processes(tmp_path) == []


async def test_a_service_that_can_not_be_loaded_is_said_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "pygit2.py").write_text("raise ImportError('libgit2 is missing')")
    code, said = await tiphys(tmp_path / "data", "up", "--detach", PYTHONPATH=str(tmp_path / "broken"))
    assert code == 1
    assert "git_watcher can't be loaded: libgit2 is missing" in said
    assert processes(tmp_path) == []
