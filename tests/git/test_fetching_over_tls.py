"""HTTPS with authorities of one's own, client certificates, bearer tokens, moved repositories, proxies, GitHub Apps."""

import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from shared.clock import now, rfc3339
from shared.git.access import ANONYMOUS, Access, bypasses
from shared.git.errors import AuthenticationFailed, CertificateRejected
from shared.git.github_app import GitHubApp
from shared.git.mirrors import Mirrors
from shared.git.remote import RemoteRefs
from shared.security import Secret
from tests.parts.certificates import Pair, certificate
from tests.parts.gitserver import GitHost, git_hosting

NAME = "host/apps"
PEM = serialization.Encoding.PEM


def main(_seen: RemoteRefs) -> Iterable[str]:
    return ["refs/heads/main"]


def served(folder: Path, pair: Pair, clients: str = "") -> ssl.SSLContext:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pair.pem").write_text(pair.certificate + pair.key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "pair.pem")
    if clients:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=clients)
    return context


@pytest_asyncio.fixture
async def mirrors(tmp_path: Path) -> AsyncIterator[Mirrors]:
    async with Mirrors(tmp_path / "mirrors") as made:
        yield made


async def test_an_authority_of_its_own_is_trusted_for_this_host_only(tmp_path: Path, mirrors: Mirrors) -> None:
    pair = certificate()
    async with git_hosting(tmp_path / "host", tls=served(tmp_path / "tls", pair)) as host:
        repository = host.repository()
        sha = repository.commit({"a": b"1"})
        with pytest.raises(CertificateRejected, match="argocd-tls-certs-cm"):
            await mirrors.visit(NAME, repository.url, ANONYMOUS, main)
        with pytest.raises(CertificateRejected):
            await mirrors.visit(NAME, repository.url, Access(authorities=certificate().certificate), main)
        seen = await mirrors.visit(NAME, repository.url, Access(authorities=pair.certificate), main)
        assert seen.refs["refs/heads/main"] == sha


async def test_insecure_is_an_explicit_choice(tmp_path: Path, mirrors: Mirrors) -> None:
    async with git_hosting(tmp_path / "host", tls=served(tmp_path / "tls", certificate())) as host:
        repository = host.repository()
        repository.commit({"a": b"1"})
        assert (await mirrors.visit(NAME, repository.url, Access(insecure=True), main)).head == "refs/heads/main"


async def test_a_client_certificate_opens_the_door(tmp_path: Path, mirrors: Mirrors) -> None:
    server, client = certificate(), certificate()
    tls = served(tmp_path / "tls", server, clients=client.certificate)
    async with git_hosting(tmp_path / "host", tls=tls) as host:
        repository = host.repository()
        repository.commit({"a": b"1"})
        access = Access(authorities=server.certificate, certificate=client.certificate, key=Secret(client.key))
        assert (await mirrors.visit(NAME, repository.url, access, main)).head == "refs/heads/main"


async def test_certificates_that_are_none_are_named(mirrors: Mirrors) -> None:
    with pytest.raises(CertificateRejected, match="can't be read"):
        await mirrors.visit(NAME, "https://127.0.0.1:1/x", Access(authorities="nonsense"), main)


async def test_a_bearer_token_is_sent_as_one(git_host: GitHost, mirrors: Mirrors) -> None:
    repository = git_host.repository()
    repository.commit({"a": b"1"})
    await mirrors.visit(NAME, repository.url, Access(token=Secret("t0ken")), main)
    assert set(git_host.authorizations) == {"Bearer t0ken"}


async def test_credentials_do_not_follow_a_moved_repository_to_another_host(
    tmp_path: Path, git_host: GitHost, mirrors: Mirrors
) -> None:
    repository = git_host.repository()
    sha = repository.commit({"a": b"1"})
    async with git_hosting(tmp_path / "old") as old:
        old.faults.status, old.faults.headers = 301, {"Location": f"{repository.url}/info/refs?service=git-upload-pack"}
        seen = await mirrors.visit(NAME, old.server.url_of("apps"), Access("ada", Secret("word")), main)
        assert seen.refs["refs/heads/main"] == sha
        assert all(old.authorizations)
        assert set(git_host.authorizations) == {None}
        assert (git_host.looks, git_host.fetches) == (1, 1)


async def test_a_proxy_is_used_unless_the_host_is_excepted(git_host: GitHost, mirrors: Mirrors) -> None:
    repository = git_host.repository()
    repository.commit({"a": b"1"})
    proxied = Access(proxy=git_host.server.url)
    elsewhere = "http://git.example.invalid/apps.git"
    assert (await mirrors.visit(NAME, elsewhere, proxied, main)).head == "refs/heads/main"
    direct = Access(proxy="http://127.0.0.1:1", no_proxy="10.0.0.0/8, 127.0.0.0/8")
    assert (await mirrors.visit("host/direct", repository.url, direct, main)).head == "refs/heads/main"


@pytest.mark.parametrize(
    ("rules", "host", "direct"),
    [
        ("*", "git.example.com", True),
        ("example.com", "git.example.com", True),
        (".example.com", "example.com", False),
        ("*.example.com", "git.example.com", True),
        ("example.com:443", "example.com", True),
        ("ample.com", "example.com", False),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "git.example.com", False),
        ("", "git.example.com", False),
    ],
)
def test_no_proxy_rules_are_those_of_the_field(rules: str, host: str, direct: bool) -> None:
    assert bypasses(rules, host) is direct


class GitHubApi:
    """The two calls of GitHub's API for apps, as its documentation has them."""

    def __init__(self) -> None:
        self.exchanges = 0
        self.status = 201
        self.url = ""

    async def installation(self, request: web.Request) -> web.Response:
        return web.json_response({"id": 7, "account": {"login": request.match_info["owner"]}})

    async def token(self, request: web.Request) -> web.Response:
        self.exchanges += 1
        assert request.headers["Authorization"].startswith("Bearer ey")
        body = {"token": "ghs_installation_token", "expires_at": rfc3339(now() + timedelta(hours=1))}
        return web.json_response(body, status=self.status)


@asynccontextmanager
async def github_api() -> AsyncIterator[GitHubApi]:
    api, app = GitHubApi(), web.Application()
    app.router.add_get("/users/{owner}/installation", api.installation)
    app.router.add_post("/app/installations/7/access_tokens", api.token)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    api.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield api
    await runner.cleanup()


async def test_a_github_app_logs_in_with_a_token_that_is_kept(tmp_path: Path, mirrors: Mirrors) -> None:
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()).decode()
    users = {"x-access-token": "ghs_installation_token"}
    async with github_api() as api, git_hosting(tmp_path / "host", users=users) as host:
        repository = host.repository("team/apps")
        repository.commit({"a": b"1"})
        access = Access(app=GitHubApp("12", Secret(pem), api=api.url))
        for _ in range(2):
            assert (await mirrors.visit(NAME, repository.url, access, main)).head == "refs/heads/main"
        assert api.exchanges == 1


async def test_a_github_app_that_is_refused_says_which_keys_to_check(mirrors: Mirrors) -> None:
    async with github_api() as api:
        wrong = Access(app=GitHubApp("12", Secret("no key"), "7", api.url))
        with pytest.raises(AuthenticationFailed, match="githubAppPrivateKey"):
            await mirrors.visit(NAME, "http://127.0.0.1:1/team/apps", wrong, main)
