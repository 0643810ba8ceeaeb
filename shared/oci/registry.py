"""A registry's repository, read with the OCI distribution protocol: tags, manifests, blobs by digest.

In: a client session, a repository and the access to its host. Out: values and bytes whose digests were verified.
Tokens are kept per repository until shortly before they expire. Nothing is pushed.
"""

import hashlib
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import aiohttp
import orjson
from yarl import URL

from shared.oci.access import ANONYMOUS, Access
from shared.oci.challenge import basic, read_challenge, token_url
from shared.oci.download import MIB, Answer, get, succeeded
from shared.oci.errors import DigestMismatch, Malformed, Refused, TooLarge
from shared.oci.reference import Repository, checked_reference, is_digest

MANIFEST_TYPES = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
MAX_MANIFEST = 4 * MIB
MAX_TAGS = 100_000
MAX_PAGES = 1000
TOKEN_MARGIN_SECONDS = 10.0
TOKEN_DEFAULT_SECONDS = 60.0


class Token(NamedTuple):
    header: str
    until: float


class Layer(NamedTuple):
    """One blob that a manifest names."""

    digest: str
    media_type: str
    size: int
    title: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest, its digest verified against its bytes."""

    digest: str
    media_type: str
    document: Mapping[str, Any]

    @property
    def layers(self) -> tuple[Layer, ...]:
        return tuple(_layer(item) for item in self.document.get("layers") or ())

    @property
    def config_type(self) -> str:
        return str((self.document.get("config") or {}).get("mediaType", ""))


@dataclass(slots=True)
class Registry:
    """One repository of a registry, as somebody."""

    client: aiohttp.ClientSession
    repository: Repository
    access: Access = ANONYMOUS
    _token: Token = field(default=Token("", 0.0), repr=False)

    async def tags(self) -> list[str]:
        """Every tag; the registry's pages are followed on its own origin only."""
        return [tag async for page in self._tag_pages() for tag in page]

    async def manifest(self, reference: str) -> Manifest:
        """The manifest of a tag or digest."""
        url = self._url("manifests", checked_reference(reference))
        answer = await self._get(url, accept=", ".join(MANIFEST_TYPES), limit=MAX_MANIFEST)
        answer = succeeded(answer, f"{self.repository}:{reference}")
        digest = f"sha256:{hashlib.sha256(answer.body).hexdigest()}"
        if is_digest(reference) and digest != reference:
            raise DigestMismatch(f"{self.repository}@{reference}: the registry sent something else")
        document = _document(answer, str(self.repository))
        return Manifest(digest, answer.headers.get("Content-Type", str(document.get("mediaType", ""))), document)

    async def blob(self, digest: str, *, limit: int) -> bytes:
        """A blob's bytes, verified."""
        if not is_digest(digest):
            raise Malformed(f"{self.repository} names a blob {digest[:100]!r}: only sha256 digests are read")
        answer = await self._get(self._url("blobs", digest), accept="*/*", limit=limit)
        body = succeeded(answer, f"{self.repository}@{digest}").body
        if f"sha256:{hashlib.sha256(body).hexdigest()}" != digest:
            raise DigestMismatch(f"{self.repository}@{digest}: the registry sent something else")
        return body

    async def _tag_pages(self) -> AsyncIterator[list[str]]:
        url: URL | None = self._url("tags", "list")
        seen = 0
        for _ in range(MAX_PAGES):
            if url is None:
                return
            answer = succeeded(await self._get(url, accept="application/json", limit=16 * MIB), f"{self.repository}")
            page = [str(tag) for tag in _document(answer, str(self.repository)).get("tags") or ()]
            seen += len(page)
            if seen > MAX_TAGS:
                raise TooLarge(f"{self.repository} has more than {MAX_TAGS:,} tags")
            yield page
            url = _next_page(answer, url)

    def _url(self, *parts: str) -> URL:
        scheme = "http" if self.access.plain_http else "https"
        path = "/".join((self.repository.name, *parts))
        return URL(f"{scheme}://{self.repository.api_host}/v2/{path}", encoded=True)

    async def _get(self, url: URL, *, accept: str, limit: int) -> Answer:
        header = self._token.header if time.monotonic() < self._token.until else ""
        answer = await get(self.client, url, access=self.access, authorization=header, accept=accept, limit=limit)
        if answer.status != 401:
            return answer
        header = await self._authorize(answer, url)
        return await get(self.client, url, access=self.access, authorization=header, accept=accept, limit=limit)

    async def _authorize(self, answer: Answer, url: URL) -> str:
        """The header that the registry asks for, fetched when it is a token."""
        challenge = read_challenge(answer.headers.get("WWW-Authenticate", ""))
        if challenge.scheme == "basic":
            self._token = Token(basic(self.access), float("inf"))
        elif challenge.scheme == "bearer":
            self._token = await self._fetch_token(token_url(challenge, self._scope, self.access, url))
        if not self._token.header:
            raise Refused(f"{self.repository}: {url.host} wants credentials: add a repository Secret for it")
        return self._token.header

    @property
    def _scope(self) -> str:
        return f"repository:{self.repository.name}:pull"

    async def _fetch_token(self, url: URL) -> Token:
        answer = await get(self.client, url, access=self.access, authorization=basic(self.access), limit=MIB)
        document = _document(succeeded(answer, f"{self.repository}"), str(self.repository))
        token = document.get("token") or document.get("access_token")
        if not isinstance(token, str):
            raise Malformed(f"{url.host} answered without a token")
        lasts = document.get("expires_in")
        seconds = float(lasts) if isinstance(lasts, int | float) else TOKEN_DEFAULT_SECONDS
        return Token(f"Bearer {token}", time.monotonic() + max(0.0, seconds - TOKEN_MARGIN_SECONDS))


def _next_page(answer: Answer, url: URL) -> URL | None:
    link = answer.headers.get("Link", "")
    if 'rel="next"' not in link or "<" not in link:
        return None
    target = url.join(URL(link.partition("<")[2].partition(">")[0], encoded=True))
    if target.origin() != url.origin():
        raise Malformed(f"{url.host} continues its tags on another host")
    return target


def _layer(item: Any) -> Layer:
    if not isinstance(item, dict) or not isinstance(item.get("size"), int):
        raise Malformed("a manifest names a layer without a size")
    title = (item.get("annotations") or {}).get("org.opencontainers.image.title", "")
    return Layer(str(item.get("digest", "")), str(item.get("mediaType", "")), item["size"], str(title))


def _document(answer: Answer, what: str) -> dict[str, Any]:
    try:
        document = orjson.loads(answer.body)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"{what}: {answer.url.host} answered with something that is not JSON") from error
    if not isinstance(document, dict):
        raise Malformed(f"{what}: {answer.url.host} answered with JSON of another shape")
    return document
