"""A commit that was built in the mirror reaches a branch of the remote, signed if asked, or it is said why not."""

import asyncio
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from services.stack.gitserver import GitServer
from shared.git.access import ANONYMOUS, Access
from shared.git.commits import Author, Draft, Sign, commit_on
from shared.git.errors import AuthenticationFailed, BranchMoved, PushRefused, SigningFailed
from shared.git.mirror import heads_of
from shared.git.mirrors import Mirrors
from shared.git.push import Push
from shared.git.signing import signer
from shared.git.tree import GitTree
from shared.kinds.urls import normalise_url
from shared.security import Secret

ME = Author("Ada", "ada@example.org")


class Writing:
    def __init__(self, server: GitServer, mirrors: Mirrors, access: Access = ANONYMOUS) -> None:
        self.server, self.mirrors, self.access = server, mirrors, access
        self.url = server.create("apps")
        self.name = normalise_url(self.url)

    async def tip(self) -> str:
        seen = await self.mirrors.visit(self.name, self.url, self.access, lambda _refs: ["refs/heads/main"])
        return seen.refs["refs/heads/main"]

    def commit(self, parent: str, text: str, sign: Sign | None = None) -> str:
        files = {"a/new.yaml": text.encode()}
        return commit_on(self.mirrors.path_of(self.name), parent, Draft(files, "Change\n", ME, sign))

    async def push(self, commit: str, branch: str = "main", *, force: bool = False) -> None:
        await self.mirrors.push(self.name, self.url, self.access, Push(commit, branch, force))

    def at(self, branch: str = "main") -> str:
        return heads_of(self.server.path_of("apps"))[f"refs/heads/{branch}"]


@pytest_asyncio.fixture
async def writing(tmp_path: Path) -> AsyncIterator[Writing]:
    async with GitServer(tmp_path / "git") as server, Mirrors(tmp_path / "mirrors") as mirrors:
        made = Writing(server, mirrors)
        await server.commit("apps", {"a/x.yaml": b"x: 1\n"}, "Begin")
        yield made


async def test_a_commit_arrives_with_what_was_there(writing: Writing) -> None:
    commit = writing.commit(await writing.tip(), "y: 1\n")
    await writing.push(commit)
    assert writing.at() == commit
    tree = GitTree(writing.server.path_of("apps"), commit)
    assert (tree.read("a/x.yaml"), tree.read("a/new.yaml")) == (b"x: 1\n", b"y: 1\n")


async def test_the_same_tree_is_no_commit(writing: Writing) -> None:
    tip = await writing.tip()
    assert commit_on(writing.mirrors.path_of(writing.name), tip, Draft({"a/x.yaml": b"x: 1\n"}, "Again")) == tip


async def test_whoever_pushed_meanwhile_wins(writing: Writing) -> None:
    commit = writing.commit(await writing.tip(), "y: 1\n")
    theirs = await writing.server.commit("apps", {"z": b"1"}, "Theirs")
    with pytest.raises(BranchMoved):
        await writing.push(commit)
    assert writing.at() == theirs


async def test_a_branch_of_ours_may_be_moved(writing: Writing) -> None:
    tip = await writing.tip()
    for text in ("1", "2"):
        await writing.push(writing.commit(tip, text), "ours", force=True)
    assert GitTree(writing.server.path_of("apps"), writing.at("ours")).read("a/new.yaml") == b"2"


async def test_a_rule_of_the_host_is_told_in_its_words(writing: Writing) -> None:
    hook = writing.server.path_of("apps") / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(PushRefused, match=r"hook declined.*pull request"):
        await writing.push(writing.commit(await writing.tip(), "y"))


async def test_credentials_are_needed_where_the_host_wants_them(tmp_path: Path) -> None:
    async with GitServer(tmp_path / "git", users={"bot": "right"}) as server, Mirrors(tmp_path / "mirrors") as mirrors:
        good = Writing(server, mirrors, Access(username="bot", password=Secret("right")))
        await server.commit("apps", {"a": b"1"}, "Begin")
        commit = good.commit(await good.tip(), "y")
        with pytest.raises(AuthenticationFailed):
            await mirrors.push(good.name, good.url, ANONYMOUS, Push(commit, "main"))
        await good.push(commit)
        assert good.at() == commit


@pytest.mark.parametrize("make", [ed25519.Ed25519PrivateKey.generate, lambda: rsa.generate_private_key(65537, 2048)])
async def test_ssh_signatures_are_gits(writing: Writing, tmp_path: Path, make: object) -> None:
    key = make()  # type: ignore[operator]
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    commit = writing.commit(await writing.tip(), "y", signer("ssh", Secret(private)))
    signers = tmp_path / "signers"
    signers.write_text(f"{ME.email} {public}\n")
    words = ["-c", "gpg.format=ssh", "-c", f"gpg.ssh.allowedSignersFile={signers}", "verify-commit", commit]
    checked = await git(writing, *words)
    assert checked.returncode == 0, checked.stderr
    assert "Good" in checked.stderr


@pytest.fixture
def gnupg_home() -> Iterator[Path]:
    """A short name, because the agent's sockets lie in it."""
    with tempfile.TemporaryDirectory(prefix="tg", ignore_cleanup_errors=True) as home:
        yield Path(home)


async def test_openpgp_signatures_are_gits(writing: Writing, gnupg_home: Path) -> None:
    home = gnupg_home
    gpg = ["gpg", "--homedir", str(home), "--batch", "--passphrase", "", "--pinentry-mode", "loopback"]
    await ran([*gpg, "--quick-generate-key", f"Ada <{ME.email}>", "ed25519", "sign", "never"])
    key = (await ran([*gpg, "--armor", "--export-secret-keys"])).stdout
    commit = writing.commit(await writing.tip(), "y", signer("openpgp", Secret(key)))
    checked = await git(writing, "verify-commit", commit, home=home)
    await ran(["gpgconf", "--homedir", str(home), "--kill", "all"])
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("method", ["ssh", "openpgp", "x509"])
async def test_a_key_that_is_none_is_said_without_showing_it(writing: Writing, method: str) -> None:
    with pytest.raises(SigningFailed) as failed:
        writing.commit(await writing.tip(), "y", signer(method, Secret("no-key-at-all")))
    assert "no-key-at-all" not in str(failed.value)


async def ran(command: list[str], home: Path | None = None) -> subprocess.CompletedProcess[str]:
    env = {"PATH": "/usr/bin:/bin", **({"GNUPGHOME": str(home)} if home else {})}
    return await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False, env=env)


async def git(writing: Writing, *words: str, home: Path | None = None) -> subprocess.CompletedProcess[str]:
    return await ran(["git", "-C", str(writing.mirrors.path_of(writing.name)), *words], home)
