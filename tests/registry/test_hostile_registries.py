"""Registries that lie, flood, loop, redirect or hang: each ends in one clear failure, and no credential goes astray."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from services.registry_watcher.signatures import verify
from shared.bus import Bus, RequestError
from shared.events import ListTags
from shared.oci.access import Access
from shared.oci.download import session
from shared.oci.errors import DigestMismatch, Malformed, OciFailure, RateLimited, Refused, TooLarge
from shared.oci.manifest import IMAGE_TYPES, INDEX_TYPES
from shared.oci.pacing import Pace
from shared.oci.reference import repository_of
from shared.oci.registry import Registry
from shared.security import Secret
from tests.parts.images import digest_of
from tests.parts.lying import Lying, lying
from tests.parts.registry import RunningRegistry
from tests.registry import signing
from tests.registry.watching import plain, watching

LOGIN = Access(username="puller", password=Secret("secret-of-the-puller"), plain_http=True)
IMAGE, INDEX = IMAGE_TYPES[0], INDEX_TYPES[0]
DIGEST = f"sha256:{'a' * 64}"


@pytest_asyncio.fixture
async def liar() -> AsyncIterator[Lying]:
    async with lying() as server:
        yield server


@pytest_asyncio.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with session() as opened:
        yield opened


def at(liar: Lying, client: aiohttp.ClientSession, access: Access = LOGIN) -> Registry:
    return Registry(client, repository_of(f"{liar.host}/acme/web"), access)


def next_page(url: str) -> dict[str, str]:
    return {"Link": f'<{url}>; rel="next"'}


async def test_tags_that_break_the_grammar_are_left_out_and_counted(liar: Lying, client: aiohttp.ClientSession) -> None:
    bad = ["", "--upload-pack=x", "$(reboot)", "{{.Values.x}}", "a\nb", "a\0", "\u202eb", "x" * 129, "a b", "a/b"]
    liar.tags("acme/web", "1.0", *bad, "1.1")
    listing = await at(liar, client).listing()
    assert listing is not None
    assert (listing.tags, listing.dropped) == (("1.0", "1.1"), len(bad))


@pytest.mark.parametrize(
    "link",
    ["http://127.0.0.1:1/v2/acme/web/tags/list", "https://evil.example.com/x", "ftp://x/y", "http://[", "//evil/x"],
)
async def test_pages_go_on_at_the_registry_itself_or_not_at_all(
    liar: Lying, client: aiohttp.ClientSession, link: str
) -> None:
    liar.tags("acme/web", "1.0", headers=next_page(link))
    with pytest.raises(Malformed, match="continues its tags"):
        await at(liar, client).tags()
    assert len(liar.asked) == 1


async def test_pages_in_a_circle_end(liar: Lying, client: aiohttp.ClientSession) -> None:
    liar.tags("acme/web", "1.0", headers=next_page("/v2/acme/web/tags/list?n=1000"))
    with pytest.raises(Malformed, match="circle"):
        await at(liar, client).tags()


async def test_pages_without_end_are_cut_off(liar: Lying, client: aiohttp.ClientSession) -> None:
    async def endless(request: web.BaseRequest) -> web.StreamResponse:
        last = int(request.query.get("last", "0"))
        tags = [f"{last}-{number}" for number in range(1000)]
        return web.json_response({"tags": tags}, headers=next_page(f"/v2/acme/web/tags/list?last={last + 1}"))

    liar.answers["/v2/acme/web/tags/list"] = endless
    with pytest.raises(TooLarge, match="more than 100,000 tags"):
        await at(liar, client).tags()


async def test_a_million_tags_are_too_many(liar: Lying, client: aiohttp.ClientSession) -> None:
    liar.says("/v2/acme/web/tags/list", b'{"tags":[' + b'"v1.0.0000000",' * 1_200_000 + b'"x"]}')
    with pytest.raises(TooLarge):
        await at(liar, client).tags()


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"<html>please log in</html>", "text/html"),
        (b'{"tags":["1.0"]}', "text/html; charset=utf-8"),
        (b"\x1f\x8b\x08\x00\x00\x00\x00\x00", "application/json"),
        (b"[" * 100_000, "application/json"),
        (b'["1.0"]', "application/json"),
        (b'{"tags":"1.0"}', "application/json"),
        (b'{"tags":{"1.0":1}}', "application/json"),
    ],
)
async def test_what_is_no_list_of_tags_is_said_to_be_none(
    liar: Lying, client: aiohttp.ClientSession, body: bytes, content_type: str
) -> None:
    liar.says("/v2/acme/web/tags/list", body, content_type=content_type)
    with pytest.raises(Malformed):
        await at(liar, client).tags()


@pytest.mark.parametrize("said", [DIGEST, "sha256:000", "md5:0123", "nonsense", None])
async def test_a_digest_is_what_the_bytes_say(liar: Lying, client: aiohttp.ClientSession, said: str | None) -> None:
    manifest = b'{"schemaVersion":2,"config":{},"layers":[]}'
    headers = {"Docker-Content-Digest": said} if said else {}
    liar.says("/v2/acme/web/manifests/1.0", manifest, content_type=IMAGE, headers=headers)
    registry = at(liar, client)
    if said == DIGEST:
        with pytest.raises(DigestMismatch):
            await registry.manifest("1.0")
        return
    assert (await registry.head("1.0")).digest == digest_of(manifest)
    assert [method for method, _, _ in liar.asked] == ["HEAD", "GET"]


async def test_a_manifest_asked_for_by_digest_must_be_it(liar: Lying, client: aiohttp.ClientSession) -> None:
    liar.says(f"/v2/acme/web/manifests/{DIGEST}", b'{"schemaVersion":2}', content_type=IMAGE)
    with pytest.raises(DigestMismatch):
        await at(liar, client).manifest(DIGEST)
    liar.says(
        f"/v2/acme/web/manifests/{DIGEST}",
        b"{}",
        content_type=IMAGE,
        headers={"Docker-Content-Digest": f"sha256:{'b' * 64}"},
    )
    with pytest.raises(DigestMismatch):
        await at(liar, client).head(DIGEST)


async def test_five_gigabytes_are_no_manifest(liar: Lying, client: aiohttp.ClientSession) -> None:
    async def huge(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": IMAGE, "Content-Length": str(5 * 1024**3)})
        await response.prepare(request)
        return response

    liar.answers["/v2/acme/web/manifests/1.0"] = huge
    with pytest.raises(TooLarge, match="5,368,709,120"):
        await at(liar, client).manifest("1.0")


@pytest.mark.parametrize(
    ("document", "content_type"),
    [
        ({"schemaVersion": 2, "manifests": [], "layers": []}, INDEX),
        ({"schemaVersion": 2, "mediaType": IMAGE, "manifests": []}, INDEX),
        ({"schemaVersion": 2}, INDEX),
    ],
)
async def test_what_may_be_read_in_two_ways_is_read_in_none(
    liar: Lying, client: aiohttp.ClientSession, document: object, content_type: str
) -> None:
    liar.says("/v2/acme/web/manifests/1.0", document, content_type=content_type)
    with pytest.raises(Malformed):
        await at(liar, client).manifest("1.0")


async def test_an_index_has_bounds_and_no_index_in_it(liar: Lying, client: aiohttp.ClientSession) -> None:
    nested = {"mediaType": INDEX, "digest": DIGEST, "size": 1, "platform": {"os": "linux", "architecture": "amd64"}}
    liar.says("/v2/acme/web/manifests/nested", {"manifests": [nested]}, content_type=INDEX)
    assert (await at(liar, client).manifest("nested")).children == ()
    liar.says("/v2/acme/web/manifests/many", {"manifests": [nested] * 1001}, content_type=INDEX)
    many = await at(liar, client).manifest("many")
    with pytest.raises(TooLarge):
        _ = many.children


@pytest.mark.parametrize(
    "realm",
    [
        "http://169.254.169.254/latest",
        "https://169.254.169.254/x",
        "https://metadata.google.internal/x",
        "file:///etc/passwd",
        "",
    ],
)
async def test_credentials_are_not_sent_where_a_registry_should_not_send_us(
    liar: Lying, client: aiohttp.ClientSession, realm: str
) -> None:
    challenge = {"WWW-Authenticate": f'Bearer realm="{realm}",service="x"'}
    liar.says("/v2/acme/web/tags/list", {}, status=401, headers=challenge)
    with pytest.raises(OciFailure) as failure:
        await at(liar, client).tags()
    assert "secret-of-the-puller" not in str(failure.value)
    assert [authorization for _, _, authorization in liar.asked] == [""]


async def test_credentials_that_are_refused_are_tried_once(liar: Lying, client: aiohttp.ClientSession) -> None:
    challenge = {"WWW-Authenticate": f'Bearer realm="{liar.url}/token",service="x"'}
    liar.says("/v2/acme/web/tags/list", {}, status=401, headers=challenge)
    liar.says("/token", {"token": "given"})
    registry = at(liar, client)
    with pytest.raises(Refused):
        await registry.tags()
    assert [path.partition("?")[0] for _, path, _ in liar.asked] == [
        "/v2/acme/web/tags/list",
        "/token",
        "/v2/acme/web/tags/list",
    ]
    liar.asked.clear()
    await asyncio.gather(*(registry.tags() for _ in range(10)), return_exceptions=True)
    assert sum(path.startswith("/token") for _, path, _ in liar.asked) <= 10


async def test_many_who_need_a_token_fetch_it_once(liar: Lying, client: aiohttp.ClientSession) -> None:
    async def tags(request: web.BaseRequest) -> web.StreamResponse:
        if request.headers.get("Authorization") == "Bearer given":
            return web.json_response({"tags": ["1.0"]})
        challenge = f'Basic realm="x", Bearer realm="{liar.url}/token",service="x",scope="repository:acme/web:pull"'
        return web.json_response({}, status=401, headers={"WWW-Authenticate": challenge})

    liar.answers["/v2/acme/web/tags/list"] = tags
    liar.says("/token", {"access_token": "given", "expires_in": 300})
    registry = at(liar, client)
    assert await asyncio.gather(*(registry.tags() for _ in range(20))) == [["1.0"]] * 20
    assert sum(path.startswith("/token") for _, path, _ in liar.asked) == 1


async def test_a_ready_token_is_sent_unasked_and_a_password_is_not(liar: Lying, client: aiohttp.ClientSession) -> None:
    liar.tags("acme/web", "1.0")
    await at(liar, client, Access(token=Secret("ready"), plain_http=True)).tags()
    await at(liar, client).tags()
    assert [authorization for _, _, authorization in liar.asked] == ["Bearer ready", ""]


async def test_an_identity_token_goes_into_a_form_to_the_token_server_alone(
    liar: Lying, client: aiohttp.ClientSession
) -> None:
    forms: list[str] = []

    async def token(request: web.BaseRequest) -> web.StreamResponse:
        forms.append((await request.read()).decode())
        return web.json_response({"access_token": "given"})

    async def tags(request: web.BaseRequest) -> web.StreamResponse:
        known = request.headers.get("Authorization") == "Bearer given"
        challenge = {"WWW-Authenticate": f'Bearer realm="{liar.url}/oauth2/token",service="acme.azurecr.io"'}
        return web.json_response({"tags": ["1.0"]}, status=200 if known else 401, headers=challenge)

    liar.answers |= {"/v2/acme/web/tags/list": tags, "/oauth2/token": token}
    registry = at(liar, client, Access(identity=Secret("refreshing"), plain_http=True))
    assert await registry.tags() == ["1.0"]
    assert all(part in forms[0] for part in ("grant_type=refresh_token", "refresh_token=refreshing", "service=acme"))
    liar.answers["/oauth2/token"] = web.Response(status=307, headers={"Location": "http://evil.example.com/"})
    with pytest.raises(Refused, match="elsewhere"):
        await at(liar, client, registry.access).tags()


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        (None, 25, 30),
        ("70", 60, 70),
        ("1000000000", 3500, 3600),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 1),
        ("soon", 25, 30),
    ],
)
async def test_a_registry_that_asks_to_slow_down_is_left_alone_for_as_long(
    liar: Lying, client: aiohttp.ClientSession, header: str | None, least: float, most: float
) -> None:
    headers = {"Retry-After": header} if header else {}
    liar.says("/v2/acme/web/tags/list", {}, status=429, headers=headers)
    registry = at(liar, client)
    with pytest.raises(RateLimited) as first:
        await registry.tags()
    assert least <= first.value.retry_after <= most
    if most > 3:
        with pytest.raises(RateLimited, match="left alone"):
            await registry.tags()
        assert len(liar.asked) == 1


async def test_the_last_pulls_of_an_allowance_are_left_to_the_nodes(liar: Lying, client: aiohttp.ClientSession) -> None:
    manifest = b'{"schemaVersion":2,"config":{},"layers":[]}'
    headers = {"ratelimit-limit": "100;w=21600", "ratelimit-remaining": "5;w=21600"}
    headers["Docker-Content-Digest"] = digest_of(manifest)
    liar.says("/v2/acme/web/manifests/1.0", manifest, content_type=IMAGE, headers=headers)
    registry = at(liar, client)
    await registry.manifest("1.0")
    with pytest.raises(RateLimited):
        await registry.manifest("1.0")
    assert (await registry.head("1.0")).digest == digest_of(manifest)


async def test_a_rate_is_kept(liar: Lying, client: aiohttp.ClientSession) -> None:
    liar.tags("acme/web", "1.0")
    registry = Registry(client, repository_of(f"{liar.host}/acme/web"), LOGIN, Pace(rate=20))
    begun = asyncio.get_running_loop().time()
    await asyncio.gather(*(registry.tags() for _ in range(30)))
    assert asyncio.get_running_loop().time() - begun >= 0.4


async def test_an_unchanged_list_costs_one_conditional_request(liar: Lying, client: aiohttp.ClientSession) -> None:
    async def tags(request: web.BaseRequest) -> web.StreamResponse:
        same = request.headers.get("If-None-Match") == '"one"'
        return web.Response(status=304) if same else web.json_response({"tags": ["1.0"]}, headers={"ETag": '"one"'})

    liar.answers["/v2/acme/web/tags/list"] = tags
    first = await at(liar, client).listing()
    assert first is not None
    assert await at(liar, client).listing(first.etag) is None


async def test_each_failure_has_its_reason_over_the_bus(own_bus: Bus, liar: Lying, tmp_path: Path) -> None:
    async with watching(own_bus, tmp_path / "known", plain(RunningRegistry(liar.host))) as watcher:

        async def reason(name: str) -> tuple[str, float | None]:
            with pytest.raises(RequestError) as failure:
                await watcher.bus.request(ListTags(image=f"{liar.host}/{name}"))
            return failure.value.reason, failure.value.retry_after

        liar.says("/v2/a/html/tags/list", b"<html>", content_type="text/html")
        liar.says("/v2/a/closed/tags/list", {}, status=403)
        liar.says("/v2/a/broken/tags/list", {}, status=502)
        liar.says("/v2/a/busy/tags/list", {}, status=429, headers={"Retry-After": "120"})
        assert await reason("a/html") == ("BadAnswer", None)
        assert await reason("a/closed") == ("Unauthorized", None)
        assert await reason("a/gone") == ("NotFound", None)
        assert await reason("a/broken") == ("Unreachable", None)
        busy, wait = await reason("a/busy")
        assert (busy, 100 < (wait or 0) <= 120) == ("RateLimited", True)
        asked = len(liar.asked)
        assert [(await reason(name))[0] for name in ("a/html", "a/closed", "a/busy")] == [
            "BadAnswer",
            "Unauthorized",
            "RateLimited",
        ]
        assert len(liar.asked) == asked


async def test_what_is_no_image_is_a_problem_of_its_tag(own_bus: Bus, liar: Lying, tmp_path: Path) -> None:
    image = f"{liar.host}/acme/web"
    old = {"schemaVersion": 1, "name": "acme/web", "fsLayers": []}
    liar.tags("acme/web", "old", "gone")
    liar.says(
        "/v2/acme/web/manifests/old", old, content_type="application/vnd.docker.distribution.manifest.v1+prettyjws"
    )
    async with watching(own_bus, tmp_path / "known", plain(RunningRegistry(liar.host))) as watcher:
        answer = await watcher.bus.request(ListTags(image=image, needs=("created",)))
        problems = {tag.name: tag.problem for tag in answer.tags}
        assert "is no image" in problems["old"]
        assert "does not have it" in problems["gone"]


async def test_a_registry_with_a_list_of_referrers_is_asked_for_it(liar: Lying, client: aiohttp.ClientSession) -> None:
    key = signing.new_key()
    good = signing.bundle(key, signing.statement(DIGEST))
    bundles = [signing.bundle(signing.new_key(), signing.statement(DIGEST)), good]
    manifests = [signing.bundle_manifest(content) for content in bundles]
    liar.says(f"/v2/acme/web/referrers/{DIGEST}", signing.index_of(*manifests), content_type=INDEX)
    for content, manifest in zip(bundles, manifests, strict=True):
        liar.says(f"/v2/acme/web/manifests/{digest_of(manifest)}", manifest, content_type=IMAGE)
        liar.says(f"/v2/acme/web/blobs/{digest_of(content)}", content, content_type="application/octet-stream")
    answer = await verify(at(liar, client), DIGEST, signing.pem(key))
    assert (answer.verified, answer.signatures) == (True, 2)
    liar.says(f"/v2/acme/web/blobs/{digest_of(good)}", b"something else", content_type="application/octet-stream")
    answer = await verify(at(liar, client), DIGEST, signing.pem(key))
    assert (answer.verified, answer.signatures) == (False, 1)


async def test_ten_thousand_signatures_are_not_all_looked_at(liar: Lying, client: aiohttp.ClientSession) -> None:
    content = signing.bundle(signing.new_key(), signing.statement(DIGEST))
    manifest = signing.bundle_manifest(content)
    liar.says(f"/v2/acme/web/referrers/{DIGEST}", signing.index_of(*[manifest] * 1000), content_type=INDEX)
    liar.says(f"/v2/acme/web/manifests/{digest_of(manifest)}", manifest, content_type=IMAGE)
    liar.says(f"/v2/acme/web/blobs/{digest_of(content)}", content, content_type="application/octet-stream")
    answer = await verify(at(liar, client), DIGEST, signing.pem(signing.new_key()))
    assert (answer.verified, answer.signatures) == (False, 100)
