"""shared.oci against real registries: open, with a password, with tokens. Redirects and limits: small servers."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from shared.oci.access import Access
from shared.oci.download import get, session
from shared.oci.errors import Malformed, NotFound, Refused, TooLarge, Unreachable, UnsupportedAddress
from shared.oci.reference import repository_of
from shared.oci.registry import Registry
from shared.security import Secret
from tests.parts.registry import (
    PASSWORD,
    USER,
    RunningRegistry,
    registry_with_password,
    registry_with_tokens,
    serving,
)

OPEN = Access(plain_http=True)
KNOWN = Access(username=USER, password=Secret(PASSWORD), plain_http=True)


@pytest_asyncio.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with session() as opened:
        yield opened


async def test_tags_manifest_and_blob_come_back_as_they_were_pushed(
    registry: RunningRegistry, client: aiohttp.ClientSession, unique: str
) -> None:
    digest = await registry.push(f"charts/{unique}", "1.0.0", b"content")
    await registry.push(f"charts/{unique}", "1.1.0", b"other")
    repository = Registry(client, repository_of(f"oci://{registry.host}/charts/{unique}"), OPEN)
    manifest = await repository.manifest("1.0.0")
    assert sorted(await repository.tags()) == ["1.0.0", "1.1.0"]
    assert manifest.digest == digest
    assert await repository.blob(manifest.layers[0].digest, limit=100) == b"content"
    assert (await repository.manifest(digest)).digest == digest


async def test_what_is_not_there_is_not_found(
    registry: RunningRegistry, client: aiohttp.ClientSession, unique: str
) -> None:
    repository = Registry(client, repository_of(f"{registry.host}/{unique}"), OPEN)
    with pytest.raises(NotFound):
        await repository.manifest("1.0.0")
    with pytest.raises(NotFound):
        await repository.blob(f"sha256:{'0' * 64}", limit=10)


async def test_a_password_is_given_when_the_registry_asks_for_one(
    client: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with registry_with_password(tmp_path) as running:
        await running.push("charts/web", "1.0.0", b"content")
        name = repository_of(f"{running.host}/charts/web")
        assert await Registry(client, name, KNOWN).tags() == ["1.0.0"]
        for access in (OPEN, Access(username=USER, password=Secret("wrong"), plain_http=True)):
            with pytest.raises(Refused, match="credentials") as refused:
                await Registry(client, name, access).tags()
            assert "wrong" not in str(refused.value)


async def test_a_token_is_fetched_once_and_used_again(client: aiohttp.ClientSession, tmp_path: Path) -> None:
    async with registry_with_tokens(tmp_path) as (running, tokens):
        await running.push("charts/web", "1.0.0", b"content")
        repository = Registry(client, repository_of(f"{running.host}/charts/web"), KNOWN)
        manifest = await repository.manifest("1.0.0")
        assert await repository.blob(manifest.layers[0].digest, limit=100) == b"content"
        assert await repository.tags() == ["1.0.0"]
        assert len(tokens.asked) == 1


async def test_a_token_server_that_refuses_is_named_as_refused_access(
    client: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with registry_with_tokens(tmp_path) as (running, _):
        with pytest.raises(Refused):
            await Registry(client, repository_of(f"{running.host}/charts/web"), OPEN).tags()


async def test_credentials_stay_with_their_origin_when_redirected(client: aiohttp.ClientSession) -> None:
    seen: list[str | None] = []

    async def elsewhere(request: web.BaseRequest) -> web.StreamResponse:
        seen.append(request.headers.get("Authorization"))
        return web.Response(body=b"found")

    async with serving(elsewhere) as target:

        async def redirecting(request: web.BaseRequest) -> web.StreamResponse:
            raise web.HTTPFound(f"{target}/there")

        async with serving(redirecting) as url:
            answer = await get(client, f"{url}/here", authorization="Basic c2VjcmV0")
    assert (answer.body, seen) == (b"found", [None])


async def test_redirects_in_a_circle_end(client: aiohttp.ClientSession) -> None:
    async def circle(request: web.BaseRequest) -> web.StreamResponse:
        raise web.HTTPFound("/again")

    async with serving(circle) as url:
        with pytest.raises(Malformed, match="redirects more than"):
            await get(client, url)


async def test_a_body_over_the_limit_is_cut_off(client: aiohttp.ClientSession) -> None:
    async def endless(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(1000):
            await response.write(b"x" * 65536)
        return response

    async with serving(endless) as url:
        with pytest.raises(TooLarge):
            await get(client, url, limit=100_000)


async def test_nobody_there_is_worth_another_try(client: aiohttp.ClientSession) -> None:
    with pytest.raises(Unreachable) as failure:
        await get(client, "http://127.0.0.1:1/index.yaml")
    assert failure.value.retriable


@pytest.mark.parametrize(
    "address", ["file:///etc/passwd", "ftp://example.org/x", "https://user:pw@example.org/x", "http:///x"]
)
async def test_only_plain_web_addresses_are_asked(client: aiohttp.ClientSession, address: str) -> None:
    with pytest.raises(UnsupportedAddress) as failure:
        await get(client, address)
    assert "pw" not in str(failure.value)


@pytest.mark.parametrize("name", ["host", "host/UPPER", "host/../x", "host/a//b", "ho st/a", "host/a?b", "host/a:tag"])
def test_names_outside_the_grammar_never_reach_a_url(name: str) -> None:
    with pytest.raises(UnsupportedAddress):
        repository_of(name)
