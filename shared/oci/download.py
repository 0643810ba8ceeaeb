"""One request, bounded in bytes, time and redirects; credentials stay with the origin they were given for.

In: a URL, the access for its origin, a limit. Out: status, headers, body; or an `OciFailure`.
A redirect to another origin goes on as nobody, and never from https to http; a form is not sent anywhere else.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Literal, NamedTuple

import aiohttp
from yarl import URL

from shared.oci.access import ANONYMOUS, Access, tls_context
from shared.oci.errors import (
    Malformed,
    NotFound,
    RateLimited,
    Refused,
    TooLarge,
    Unreachable,
    UnsupportedAddress,
)
from shared.oci.pacing import retry_after

MAX_REDIRECTS = 5
TIMEOUT = aiohttp.ClientTimeout(total=60, connect=10, sock_read=20)
MIB = 1024 * 1024
REDIRECTS = frozenset({301, 302, 303, 307, 308})
NOTHING: Mapping[str, str] = MappingProxyType({})
Method = Literal["GET", "HEAD"]


class Answer(NamedTuple):
    """What a server said; `url` is where it was found in the end. Only a 200 has its body."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: URL


@asynccontextmanager
async def session(*, per_host: int = 0) -> AsyncIterator[aiohttp.ClientSession]:
    """A session that keeps no cookies and decompresses nothing by itself, so that limits count what arrives.

    `per_host`: connections that are kept to one host at most; 0 for no limit.
    """
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit_per_host=per_host),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=TIMEOUT,
        auto_decompress=False,
        headers={"User-Agent": "tiphys"},
    ) as opened:
        yield opened


async def get(
    client: aiohttp.ClientSession,
    address: str | URL,
    *,
    access: Access = ANONYMOUS,
    authorization: str = "",
    accept: str = "*/*",
    limit: int = 16 * MIB,
    method: Method = "GET",
    more: Mapping[str, str] = NOTHING,
) -> Answer:
    """GET or HEAD with redirects followed by hand; any status that isn't a redirect is an answer."""
    url = checked(address)
    for _ in range(MAX_REDIRECTS + 1):
        headers = {"Accept": accept, "Accept-Encoding": "identity", **more}
        if authorization:
            headers["Authorization"] = authorization
        answer = await _once(client, method, url, access, headers=headers, limit=limit)
        if answer.status not in REDIRECTS:
            return answer
        target = redirected(url, answer.headers.get("Location", ""))
        if target.origin() != url.origin():
            authorization, access = "", access.without_credentials()
        url = target
    raise Malformed(f"{shown(url)} redirects more than {MAX_REDIRECTS} times")


async def post_form(
    client: aiohttp.ClientSession, address: str | URL, form: Mapping[str, str], *, access: Access, limit: int = MIB
) -> Answer:
    """A form, which may hold credentials: it goes to this address or nowhere."""
    url = checked(address)
    answer = await _once(client, "POST", url, access, headers={"Accept": "application/json"}, limit=limit, form=form)
    if answer.status in REDIRECTS:
        raise Refused(f"{shown(url)} wants a form with credentials sent elsewhere: that is refused")
    return answer


def checked(address: str | URL) -> URL:
    """An http(s) URL with a host and without userinfo."""
    try:
        url = URL(address)
    except ValueError as error:
        raise UnsupportedAddress("an address is no URL: check the repository's settings") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise UnsupportedAddress(f"the scheme {url.scheme or '(none)'} is not served here: use https")
    if url.user or url.password:
        raise UnsupportedAddress(f"{shown(url)} carries credentials: put them into a repository Secret")
    return url


def redirected(url: URL, location: str) -> URL:
    """Where a redirect leads; leaving TLS is refused."""
    if not location:
        raise Malformed(f"{shown(url)} redirects to nowhere")
    target = checked(url.join(URL(location)))
    if url.scheme == "https" and target.scheme != "https":
        raise Refused(f"{shown(url)} redirects from https to http: that is refused")
    return target


def shown(url: URL) -> str:
    """A URL as people may see it: without userinfo, query and fragment."""
    return str(url.with_user(None).with_query(None).with_fragment(None))


def succeeded(answer: Answer, what: str) -> Answer:
    """The answer when it is a 200; else the failure that its status means."""
    match answer.status:
        case 200:
            return answer
        case 401 | 403:
            raise Refused(f"{what}: {answer.url.host} refused access: check the repository's credentials")
        case 404:
            raise NotFound(f"{what}: {answer.url.host} does not have it")
        case 429:
            seconds = retry_after(answer.headers)
            raise RateLimited(f"{what}: {answer.url.host} asks to slow down, for {seconds:.0f} s", seconds)
        case status if status >= 500:
            raise Unreachable(f"{what}: {answer.url.host} answered {status}")
        case status:
            raise Malformed(f"{what}: {answer.url.host} answered {status}")


async def _once(
    client: aiohttp.ClientSession,
    method: Literal["GET", "HEAD", "POST"],
    url: URL,
    access: Access,
    *,
    headers: Mapping[str, str],
    limit: int,
    form: Mapping[str, str] | None = None,
) -> Answer:
    context = tls_context(access) if url.scheme == "https" else True
    try:
        async with client.request(
            method, url, headers=headers, data=form, allow_redirects=False, ssl=context, proxy=access.proxy or None
        ) as response:
            wanted = response.status == 200 and method != "HEAD"
            body = await _bounded(response, limit, url) if wanted else b""
            return Answer(response.status, response.headers, body, url)
    except (aiohttp.ClientSSLError, aiohttp.ClientConnectorCertificateError) as error:
        raise Refused(
            f"{shown(url)}: its certificate is not trusted: add the authority to argocd-tls-certs-cm"
        ) from error
    except (aiohttp.ClientError, TimeoutError, asyncio.IncompleteReadError, OSError) as error:
        raise Unreachable(f"{shown(url)} can't be reached: {type(error).__name__}") from error


async def _bounded(response: aiohttp.ClientResponse, limit: int, url: URL) -> bytes:
    length = response.content_length
    if length is not None and length > limit:
        raise TooLarge(f"{shown(url)} is {length:,} bytes, allowed are {limit:,}")
    body = bytearray()
    async for chunk in response.content.iter_chunked(256 * 1024):
        body += chunk
        if len(body) > limit:
            raise TooLarge(f"{shown(url)} sends more than {limit:,} bytes")
    return bytes(body)
