"""A real sshd: the key in memory, the host key known or refused."""

from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest
import pytest_asyncio

from shared.git.access import ANONYMOUS, Access
from shared.git.commits import commit_files, create_bare
from shared.git.errors import AuthenticationFailed, HostKeyMismatch, RepositoryNotFound
from shared.git.knownhosts import usable_lines
from shared.git.mirror import holds
from shared.git.mirrors import Limits, Mirrors
from shared.git.remote import RemoteRefs
from shared.security import Secret
from tests.parts.gitserver import SshHost, make_key

NAME = "host/apps"


def main(_seen: RemoteRefs) -> Iterable[str]:
    return ["refs/heads/main"]


@pytest_asyncio.fixture
async def mirrors(tmp_path: Path) -> AsyncIterator[Mirrors]:
    async with Mirrors(tmp_path / "mirrors", Limits(connect_seconds=60, idle_seconds=60)) as made:
        yield made


@pytest.fixture
def pushed(ssh_host: SshHost) -> str:
    create_bare(ssh_host.folder / "apps.git")
    return commit_files(ssh_host.folder / "apps.git", "main", {"a": b"1"}, "one")


async def test_a_known_host_and_the_right_key_give_the_commits(
    ssh_host: SshHost, mirrors: Mirrors, pushed: str
) -> None:
    mirrors.trust_hosts(f"# hosts\n@cert-authority * ssh-rsa AAAA\nnonsense\n{ssh_host.known_hosts}\n")
    access = Access(ssh_key=Secret(ssh_host.private_key))
    seen = await mirrors.visit(NAME, ssh_host.url_of("apps"), access, main)
    assert seen.refs["refs/heads/main"] == pushed
    assert holds(mirrors.path_of(NAME), pushed)


async def test_an_unknown_host_is_refused(ssh_host: SshHost, mirrors: Mirrors, pushed: str) -> None:
    with pytest.raises(HostKeyMismatch, match="argocd-ssh-known-hosts-cm"):
        await mirrors.visit(NAME, ssh_host.url_of("apps"), Access(ssh_key=Secret(ssh_host.private_key)), main)


async def test_a_host_with_another_key_is_refused(ssh_host: SshHost, mirrors: Mirrors, pushed: str) -> None:
    mirrors.trust_hosts(f"[127.0.0.1]:{ssh_host.port} {make_key()[1]}")
    with pytest.raises(HostKeyMismatch):
        await mirrors.visit(NAME, ssh_host.url_of("apps"), Access(ssh_key=Secret(ssh_host.private_key)), main)


async def test_ignoring_the_host_key_is_an_explicit_choice(ssh_host: SshHost, mirrors: Mirrors, pushed: str) -> None:
    access = Access(ssh_key=Secret(ssh_host.private_key), insecure=True)
    assert (await mirrors.visit(NAME, ssh_host.url_of("apps"), access, main)).refs["refs/heads/main"] == pushed


async def test_a_refused_key_says_what_to_do_and_shows_nothing(
    ssh_host: SshHost, mirrors: Mirrors, pushed: str
) -> None:
    mirrors.trust_hosts(ssh_host.known_hosts)
    wrong = make_key()[0]
    with pytest.raises(AuthenticationFailed, match="sshPrivateKey") as caught:
        await mirrors.visit(NAME, ssh_host.url_of("apps"), Access(ssh_key=Secret(wrong)), main)
    assert wrong.splitlines()[1] not in str(caught.value)
    with pytest.raises(AuthenticationFailed, match="add sshPrivateKey"):
        await mirrors.visit(NAME, ssh_host.url_of("apps"), ANONYMOUS, main)


async def test_a_key_that_is_no_key_is_refused(ssh_host: SshHost, mirrors: Mirrors, pushed: str) -> None:
    mirrors.trust_hosts(ssh_host.known_hosts)
    with pytest.raises(AuthenticationFailed):
        await mirrors.visit(NAME, ssh_host.url_of("apps"), Access(ssh_key=Secret("no key at all")), main)


async def test_a_missing_repository_is_named(ssh_host: SshHost, mirrors: Mirrors, pushed: str) -> None:
    mirrors.trust_hosts(ssh_host.known_hosts)
    access = Access(ssh_key=Secret(ssh_host.private_key))
    with pytest.raises(RepositoryNotFound):
        await mirrors.visit(NAME, ssh_host.url_of("none"), access, main)


def test_only_lines_that_can_be_read_are_kept() -> None:
    good = "github.com ssh-ed25519 AAAAC3Nz comment"
    assert usable_lines(f"\n# x\n{good}\n@revoked h ssh-rsa AAAA\nh ssh-dss AAAA\nh\n") == [good]
