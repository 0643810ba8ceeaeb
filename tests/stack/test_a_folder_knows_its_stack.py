"""`stack.json` and what goes by it: finding a running stack, stale files, one stack a folder, ending what is left
over.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.stack import down, state
from services.stack.state import FolderTakenError, Process, StackState


def written(data: Path, process: Process, *helpers: Process) -> StackState:
    found = StackState(
        process=process,
        helpers=helpers,
        url="http://127.0.0.1:1",
        health_url="http://127.0.0.1:2",
        nats_url="nats://127.0.0.1:3",
        kubeconfig="/k",
        namespace="argocd",
    )
    state.write(data, found)
    return found


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process that ends when it is told to; reaped as it ends, as init would."""
    with subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def test_a_running_process_is_found_again(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    found = written(tmp_path, state.process("tiphys", sleeper.pid))
    assert state.running(tmp_path) == found


def test_an_id_that_was_used_again_is_not_the_stack(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    real = state.process("tiphys", sleeper.pid)
    written(tmp_path, real.model_copy(update={"started": real.started - 1}))
    assert state.running(tmp_path) is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"pid": 1}'])
def test_a_damaged_file_counts_as_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "stack.json").write_bytes(content)
    assert state.running(tmp_path) is None
    assert state.recorded(tmp_path) is None


def test_a_folder_is_held_once(tmp_path: Path) -> None:
    with state.hold(tmp_path), pytest.raises(FolderTakenError, match=str(tmp_path)), state.hold(tmp_path):
        pass


def test_two_folders_are_held_side_by_side(tmp_path: Path) -> None:
    with state.hold(tmp_path / "one"), state.hold(tmp_path / "two"):
        pass


def test_down_ends_the_process_and_forgets_it(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    written(tmp_path, state.process("tiphys", sleeper.pid))
    assert down.down(tmp_path, lambda _line: None)
    assert not (tmp_path / "stack.json").exists()
    assert state.started(sleeper.pid) is None


def test_down_ends_what_a_killed_stack_left(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    said: list[str] = []
    gone = Process(name="tiphys", pid=sleeper.pid, started=1)
    written(tmp_path, gone, state.process("nats-server", sleeper.pid))
    assert down.down(tmp_path, said.append)
    assert "nats-server" in said[0]
    assert state.started(sleeper.pid) is None


def test_down_without_a_stack_does_nothing(tmp_path: Path) -> None:
    assert not down.down(tmp_path, lambda _line: None)


def test_the_file_is_for_its_owner_only(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    written(tmp_path, state.process("tiphys", sleeper.pid))
    assert (tmp_path / "stack.json").stat().st_mode & 0o077 == 0
