"""Where a cluster keeps its things, and what it remembers between starts. No processes, no network here.

<directory>/cluster.json   what was chosen: node, ports, addresses
<directory>/kubeconfig     for people and for our services: full rights
<directory>/pki/           certificates and keys, made once
<directory>/etcd/          the objects
<directory>/run/           one file per running part: its process
<directory>/log/           one log per part
<directory>/node/          the real node's containers and sockets
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from services.stack.cluster.errors import ClusterError, ClusterTakenError

NodeKind = Literal["kwok", "real", "none"]
SERVICE_RANGE = "10.96.0.0/16"
SERVICE_ADDRESS = "10.96.0.1"
POD_RANGE = "10.244.0.0/16"


class Choices(BaseModel):
    """What a cluster is, decided when it is first started."""

    model_config = ConfigDict(frozen=True)

    node: NodeKind
    durable: bool
    address: str
    api_port: int
    etcd_port: int

    @property
    def server(self) -> str:
        return f"https://{self.address}:{self.api_port}"


@dataclass(frozen=True)
class Layout:
    directory: Path

    def __post_init__(self) -> None:
        object.__setattr__(self, "directory", self.directory.absolute())

    @property
    def kubeconfig(self) -> Path:
        return self.directory / "kubeconfig"

    @property
    def pki(self) -> Path:
        return self.directory / "pki"

    @property
    def run(self) -> Path:
        return self.directory / "run"

    @property
    def node(self) -> Path:
        return self.directory / "node"

    def log(self, part: str) -> Path:
        return self.directory / "log" / f"{part}.log"

    def kubeconfig_of(self, user: str) -> Path:
        return self.pki / f"{user}.kubeconfig"

    def exists(self) -> bool:
        return self.directory.is_dir()

    def make(self) -> None:
        for folder in (self.directory, self.pki, self.run, self.directory / "log", self.directory / "etcd"):
            _make_folder(folder)
        self.directory.chmod(0o700)

    def choices(self) -> Choices | None:
        """What was remembered; None: no cluster here, or its memory is damaged."""
        try:
            return Choices.model_validate_json((self.directory / "cluster.json").read_bytes())
        except (OSError, ValidationError):
            return None

    def remember(self, choices: Choices) -> None:
        write_private(self.directory / "cluster.json", choices.model_dump_json(indent=2) + "\n")


def write_private(path: Path, text: str) -> None:
    """Whole or not at all, readable by its owner only."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.touch(mode=0o600)
    partial.write_text(text)
    partial.replace(path)


@contextmanager
def held(directory: Path) -> Iterator[None]:
    """Keeps the folder for this process, so that two never start or stop the same cluster at once."""
    _make_folder(directory)
    try:
        lock = (directory / "lock").open("a")
    except OSError as error:
        raise ClusterError(f"{directory} can't be written: {error.strerror}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ClusterTakenError(directory) from error
        yield


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ClusterError(f"the folder {folder} can't be made: {error.strerror}") from error
