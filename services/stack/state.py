"""`<data>/stack.json`: what runs where, so that the command line finds it. Written whole or not at all; a stale
file counts as none.

A process is known by its id and its start time, because ids are used again. `hold` keeps a second stack out of the
same folder.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

_FILE = "stack.json"


class Process(BaseModel):
    model_config = ConfigDict(frozen=True)

    name: str
    pid: int
    started: int


class StackState(BaseModel):
    model_config = ConfigDict(frozen=True)

    process: Process
    helpers: tuple[Process, ...] = ()
    url: str
    health_url: str
    nats_url: str
    kubeconfig: str
    context: str | None = None
    namespace: str
    services: tuple[str, ...] = ()
    embedded_cluster: bool = False
    started_at: str = ""
    git_url: str | None = None
    ready: bool = False


class FolderTakenError(Exception):
    """Another process runs a stack in this folder."""


def started(pid: int) -> int | None:
    """When a process was started, in clock ticks since boot; None: no such process."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else int(fields[19])


def process(name: str, pid: int) -> Process:
    return Process(name=name, pid=pid, started=started(pid) or 0)


def alive(known: Process) -> bool:
    return started(known.pid) == known.started


def recorded(data: Path) -> StackState | None:
    """What the file says, stale or not; None: no file, or one that can't be read."""
    try:
        return StackState.model_validate_json((data / _FILE).read_bytes())
    except (OSError, ValidationError):
        return None


def running(data: Path) -> StackState | None:
    """The stack that runs in this folder; None: there is none, whatever a stale file says."""
    found = recorded(data)
    return found if found and alive(found.process) else None


def write(data: Path, state: StackState) -> None:
    partial = data / f".{_FILE}.{os.getpid()}"
    partial.write_text(state.model_dump_json(indent=2) + "\n")
    partial.chmod(0o600)
    partial.replace(data / _FILE)


def remove(data: Path) -> None:
    (data / _FILE).unlink(missing_ok=True)


@contextmanager
def hold(data: Path) -> Iterator[None]:
    """Keeps the folder for this process; the lock goes with the process, however it ends."""
    data.mkdir(parents=True, exist_ok=True)
    data.chmod(0o700)
    with (data / "stack.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FolderTakenError(f"a stack already runs in {data}") from error
        yield
