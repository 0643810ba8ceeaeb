"""A whole stack for the test session, as a person starts it: `tiphys up --detach --git`, embedded cluster and bus.

Tests keep apart by their own repositories, Application names and namespaces. It is stopped with `tiphys down`. While
developing, `$TIPHYS_TEST_STACK` names the folder of one that runs already.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from services.stack import cluster, state
from services.stack.demo.git import git
from services.stack.state import StackState
from shared.git.commits import commit_files, create_bare
from shared.kinds import crds

Obj = dict[str, Any]


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Stack:
    """A running stack, with a person's tools: tiphys, kubectl, git."""

    data: Path
    state: StackState

    async def tiphys(self, *words: str) -> Ended:
        return await _run(sys.executable, "-m", "services.cli", *words, env={"TIPHYS_DATA": str(self.data)})

    async def kubectl(self, *words: str, stdin: str = "") -> Ended:
        binary = cluster.kubectl_path(lambda _line: None)
        return await _run(str(binary), "--kubeconfig", self.state.kubeconfig, *words, stdin=stdin)

    async def get(self, *words: str) -> Obj:
        found = await self.kubectl("get", *words, "-o", "json")
        assert found.code == 0, found.err
        parsed: Obj = json.loads(found.out)
        return parsed

    def repository(self, name: str, files: Mapping[str, bytes]) -> str:
        """A new repository with one commit; its URL."""
        bare = self.data / "git" / f"{name}.git"
        create_bare(bare)
        commit_files(bare, "main", files, "Begin")
        return f"{self.state.git_url}/{name}.git"

    async def push(
        self, repo_url: str, folder: Path, files: Mapping[str, bytes], message: str, *, remove: tuple[str, ...] = ()
    ) -> str:
        """Clone, change, commit and push, as a person does; the commit."""
        await git("clone", "-q", repo_url, str(folder))
        for path, content in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        for path in remove:
            (folder / path).unlink()
        await git("-C", str(folder), "add", "-A")
        await git("-C", str(folder), "commit", "-q", "-m", message)
        await git("-C", str(folder), "push", "-q", "origin", "HEAD")
        return await git("-C", str(folder), "rev-parse", "HEAD")


async def _run(*command: str, stdin: str = "", env: Mapping[str, str] | None = None) -> Ended:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **(env or {})},
    )
    out, err = await process.communicate(stdin.encode())
    return Ended(process.returncode or 0, out.decode(), err.decode())


async def _check_statuses(stack: Stack) -> None:
    """Argo's own definitions check every field of a status, and people have those: what we write must pass them."""
    strict = "\n".join(json.dumps(crds.crd(definition, whole=True)) for definition in crds.DEFINITIONS)
    done = await stack.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=strict)
    assert done.code == 0, done.err


@asynccontextmanager
async def stack_of(data: Path, *options: str) -> AsyncIterator[Stack]:
    """A stack of one's own, as `tiphys up` starts it with these options."""
    environment = {"TIPHYS_DATA": str(data)}
    command = (sys.executable, "-m", "services.cli")
    started = await _run(*command, "up", "--detach", "--git", "--listen", "127.0.0.1:0", *options, env=environment)
    assert started.code == 0, started.err
    try:
        found = state.running(data)
        assert found
        made = Stack(data, found)
        await _check_statuses(made)
        yield made
    finally:
        stopped = await _run(*command, "down", env=environment)
    assert stopped.code == 0, stopped.err


@pytest_asyncio.fixture(scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    if given := os.environ.get("TIPHYS_TEST_STACK"):
        running = state.running(Path(given))
        assert running, f"no stack runs in {given}"
        yield Stack(Path(given), running)
        return
    async with stack_of(tmp_path_factory.mktemp("stack")) as made:
        yield made
