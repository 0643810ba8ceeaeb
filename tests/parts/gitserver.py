"""Real git hosts for tests: smart HTTP by `git http-backend` (faults on demand, every request counted), and SSH.

`GitHost` wraps the server that the product ships (services/stack/gitserver.py). Debian packages: git, openssh-server.
"""

import asyncio
import getpass
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pygit2
import pytest_asyncio
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from services.stack.gitserver import GitServer, Webhook
from shared.git.commits import commit_files
from tests.parts.separate import reserved_port

SIGNATURE = pygit2.Signature("Ada", "ada@example.com", 1_700_000_000, 0)
DEADLINE = 60.0


@dataclass
class Faults:
    """Set during a test. `hang`: answers nothing until set. `cut_after`: the connection breaks after so many bytes."""

    hang: asyncio.Event | None = None
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    cut_after: int | None = None
    only: str = ""
    """Part of the path and query that the fault applies to; empty: all."""


@dataclass
class GitHost:
    server: GitServer
    faults: Faults = field(default_factory=Faults)
    requests: list[str] = field(default_factory=list)
    authorizations: list[str | None] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def repository(self, name: str = "apps", branch: str = "main") -> "Repository":
        return Repository(self, name, self.server.create(name, branch), self.server.path_of(name))

    @property
    def looks(self) -> int:
        """How often somebody listed refs."""
        return sum("info/refs" in line for line in self.requests)

    @property
    def fetches(self) -> int:
        return sum(line.startswith("POST") and line.endswith("git-upload-pack") for line in self.requests)

    @web.middleware
    async def watch(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.requests.append(f"{request.method} {request.path_qs}")
        self.authorizations.append(request.headers.get("Authorization"))
        self.arrived.set()
        faults = self.faults
        if faults.only in request.path_qs:
            if faults.hang is not None:
                await faults.hang.wait()
            if faults.status is not None:
                return web.Response(status=faults.status, headers=faults.headers)
            if faults.cut_after is not None:
                return await self._cut(request, faults.cut_after)
        response: web.StreamResponse = await handler(request)
        return response

    async def _cut(self, request: web.Request, after: int) -> web.StreamResponse:
        """A response of git's kind that ends in the middle."""
        response = web.StreamResponse(headers={"Content-Type": "application/x-git-upload-pack-result"})
        response.content_length = after + 1000
        await response.prepare(request)
        await response.write(b"0" * after)
        assert request.transport is not None
        request.transport.abort()
        return response


class Repository(NamedTuple):
    """A bare repository on the host, changed as pushes would change it."""

    host: GitHost
    name: str
    url: str
    path: Path

    def commit(self, files: Mapping[str, bytes | None], message: str = "a change", branch: str = "main") -> str:
        return commit_files(self.path, branch, files, message)

    def rewrite(self, files: Mapping[str, bytes], branch: str = "main") -> str:
        """A force-push: a commit that does not descend from the branch's tip."""
        bare = pygit2.Repository(str(self.path))
        index = pygit2.Index()
        for path, data in files.items():
            index.add(pygit2.IndexEntry(path, bare.create_blob(data), pygit2.enums.FileMode.BLOB))
        tree = index.write_tree(bare)
        sha = bare.create_commit(None, SIGNATURE, SIGNATURE, "rewritten", tree, [])
        bare.references.create(f"refs/heads/{branch}", sha, force=True)
        return str(sha)

    def commit_modes(self, entries: Mapping[str, tuple[pygit2.enums.FileMode, bytes]]) -> str:
        """A root commit with links, executables and what else a tree may hold."""
        bare = pygit2.Repository(str(self.path))
        index = pygit2.Index()
        for path, (mode, data) in entries.items():
            index.add(pygit2.IndexEntry(path, bare.create_blob(data), mode))
        tree = index.write_tree(bare)
        return str(bare.create_commit(None, SIGNATURE, SIGNATURE, "modes", tree, []))

    def branch(self, name: str, sha: str) -> None:
        """Makes a branch at a commit that is there."""
        pygit2.Repository(str(self.path)).references.create(f"refs/heads/{name}", sha)

    def tag(self, name: str, sha: str, *, annotated: bool = False) -> None:
        """Makes or moves a tag."""
        bare = pygit2.Repository(str(self.path))
        if f"refs/tags/{name}" in bare.references:
            bare.references.delete(f"refs/tags/{name}")
        if annotated:
            bare.create_tag(name, sha, pygit2.enums.ObjectType.COMMIT, SIGNATURE, "a release")
        else:
            bare.references.create(f"refs/tags/{name}", sha)

    def ref(self, name: str, sha: str) -> None:
        """Makes or moves any ref."""
        pygit2.Repository(str(self.path)).references.create(name, sha, force=True)

    def delete(self, ref: str) -> None:
        pygit2.Repository(str(self.path)).references.delete(ref)


@asynccontextmanager
async def git_hosting(
    folder: Path,
    *,
    users: Mapping[str, str] | None = None,
    tls: ssl.SSLContext | None = None,
    webhook: Webhook | None = None,
    serves_shas: bool = True,
) -> AsyncIterator[GitHost]:
    host: GitHost

    @web.middleware
    async def watch(request: web.Request, handler: Any) -> web.StreamResponse:
        return await host.watch(request, handler)

    async with GitServer(
        folder, users=users, tls=tls, webhook=webhook, middlewares=[watch], serves_shas=serves_shas
    ) as server:
        host = GitHost(server)
        yield host


@pytest_asyncio.fixture
async def git_host(tmp_path: Path) -> AsyncIterator[GitHost]:
    async with git_hosting(tmp_path / "host") as host:
        yield host


class SshHost(NamedTuple):
    """`known_hosts`: the line that trusts it. `private_key`: what it lets in."""

    folder: Path
    port: int
    known_hosts: str
    private_key: str

    def url_of(self, name: str) -> str:
        return f"ssh://{getpass.getuser()}@127.0.0.1:{self.port}{self.folder / name}.git"


@pytest_asyncio.fixture
async def ssh_host(tmp_path: Path) -> AsyncIterator[SshHost]:
    """Debian's sshd, for the user that runs the tests."""
    host = _sshd_files(tmp_path / "ssh", reserved_port())
    process = await asyncio.create_subprocess_exec(
        "/usr/sbin/sshd", "-D", "-e", "-f", str(host.folder / "config"), stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr
    async with asyncio.timeout(DEADLINE):
        while b"listening" not in (line := await process.stderr.readline()):
            assert line, "sshd did not start"
    draining = asyncio.create_task(process.stderr.read())
    try:
        yield host
    finally:
        process.terminate()
        await process.wait()
        await draining


def _sshd_files(folder: Path, port: int) -> SshHost:
    folder.mkdir()
    Path("/run/sshd").mkdir(exist_ok=True)
    host_key, public_host_key = make_key()
    private_key, public_key = make_key()
    (folder / "host").write_text(host_key)
    (folder / "host").chmod(0o600)
    (folder / "keys").write_text(public_key)
    (folder / "config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/keys\n"
        "PasswordAuthentication no\nUsePAM no\nStrictModes no\nPidFile none\nPermitRootLogin prohibit-password\n"
    )
    return SshHost(folder, port, f"[127.0.0.1]:{port} {public_host_key}", private_key)


def make_key() -> tuple[str, str]:
    """A new SSH key: private (OpenSSH's PEM) and public."""
    key = ed25519.Ed25519PrivateKey.generate()
    formats = (serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption())
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return key.private_bytes(*formats).decode(), public.decode()
