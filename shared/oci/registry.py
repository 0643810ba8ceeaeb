"""A registry's repository, read with the OCI distribution protocol: tags, digests, manifests, blobs by digest.

In: a client session, a repository and the access to its host. Out: values and bytes whose digests were verified.
Tokens are kept per repository until shortly before they expire. Nothing is pushed.
"""

import asyncio
import hashlib
import time
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import aiohttp
import orjson
from yarl import URL

from shared.oci.access import ANONYMOUS, Access
from shared.oci.challenge import basic, read_challenge, token_url
from shared.oci.download import MIB, Answer, Method, get, post_form, succeeded
from shared.oci.errors import DigestMismatch, Malformed, NotFound, Refused, TooLarge, Unreachable
from shared.oci.links import next_page
from shared.oci.manifest import INDEX_TYPES, MANIFEST_TYPES, Layer, Manifest, checked_shape
from shared.oci.pacing import Pace
from shared.oci.reference import Repository, checked_reference, is_digest, is_tag

ACCEPT = ", ".join(MANIFEST_TYPES)
MAX_MANIFEST = 4 * MIB
MAX_CONFIG = 4 * MIB
MAX_TAGS = 100_000
MAX_PAGES = 1000
PAGE = 1000
LIST_SECONDS = 300.0
TOKEN_MARGIN_SECONDS = 10.0
TOKEN_DEFAULT_SECONDS = 60.0
DIGEST_HEADER = "Docker-Content-Digest"


class Token(NamedTuple):
    header: str
    until: float


class Found(NamedTuple):
    """What a tag means."""

    digest: str
    media_type: str

    @property
    def is_index(self) -> bool:
        return self.media_type in INDEX_TYPES


class Listing(NamedTuple):
    """A repository's tags in the registry's order. `dropped`: how many break the grammar, and are left out."""

    tags: tuple[str, ...]
    dropped: int = 0
    etag: str = ""


@dataclass(slots=True)
class Registry:
    """One repository of a registry, as somebody. `base` is where its API is, when not at the host itself."""

    client: aiohttp.ClientSession
    repository: Repository
    access: Access = ANONYMOUS
    pace: Pace = field(default_factory=Pace, repr=False)
    base: str = ""
    _token: Token = field(default=Token("", 0.0), repr=False)
    _authorizing: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    async def tags(self) -> list[str]:
        """Every tag; the registry's pages are followed on its own origin only."""
        listing = await self.listing()
        return list(listing.tags) if listing else []

    async def listing(self, etag: str = "") -> Listing | None:
        """Every tag; None when the registry says that nothing has changed since it gave this `etag`."""
        try:
            async with asyncio.timeout(LIST_SECONDS):
                return await self._listing(etag)
        except TimeoutError as error:
            raise Unreachable(f"{self.repository}: listing its tags takes longer than {LIST_SECONDS:.0f} s") from error

    async def head(self, reference: str) -> Found:
        """What a tag or digest means now: one HEAD, or a GET where the registry's HEAD doesn't say it."""
        url = self._url("manifests", checked_reference(reference))
        answer = await self._get(url, accept=ACCEPT, limit=0, method="HEAD")
        digest, media_type = answer.headers.get(DIGEST_HEADER, ""), _media_type(answer)
        if answer.status == 405 or (answer.status == 200 and not (is_digest(digest) and media_type in MANIFEST_TYPES)):
            manifest = await self.manifest(reference)
            return Found(manifest.digest, manifest.media_type)
        succeeded(answer, f"{self.repository}:{reference}")
        if is_digest(reference) and digest != reference:
            raise DigestMismatch(f"{self.repository}@{reference}: the registry says it is {digest}")
        return Found(digest, media_type)

    async def manifest(self, reference: str) -> Manifest:
        """The manifest of a tag or digest."""
        url = self._url("manifests", checked_reference(reference))
        answer = await self._get(url, accept=ACCEPT, limit=MAX_MANIFEST, counted=True)
        answer = succeeded(answer, f"{self.repository}:{reference}")
        digest = f"sha256:{hashlib.sha256(answer.body).hexdigest()}"
        said = answer.headers.get(DIGEST_HEADER, digest)
        if digest != (reference if is_digest(reference) else digest) or (is_digest(said) and said != digest):
            raise DigestMismatch(f"{self.repository}:{reference}: the registry sent something else than it says")
        document = _document(answer, str(self.repository))
        return checked_shape(Manifest(digest, _media_type(answer) or str(document.get("mediaType", "")), document))

    async def blob(self, digest: str, *, limit: int) -> bytes:
        """A blob's bytes, verified."""
        if not is_digest(digest):
            raise Malformed(f"{self.repository} names a blob {digest[:100]!r}: only sha256 digests are read")
        answer = await self._get(self._url("blobs", digest), accept="*/*", limit=limit)
        body = succeeded(answer, f"{self.repository}@{digest}").body
        if f"sha256:{hashlib.sha256(body).hexdigest()}" != digest:
            raise DigestMismatch(f"{self.repository}@{digest}: the registry sent something else")
        return body

    async def config(self, manifest: Manifest) -> dict[str, Any]:
        """The config of an image."""
        body = await self.blob(manifest.config_digest, limit=MAX_CONFIG)
        return _json(body, f"{self.repository}: the config of {manifest.digest}")

    async def referrers(self, digest: str, artifact_type: str) -> Manifest | None:
        """The index of what refers to a digest; None where the registry has no such list."""
        url = self._url("referrers", digest).update_query(artifactType=artifact_type)
        answer = await self._get(url, accept=MANIFEST_TYPES[2], limit=MAX_MANIFEST)
        try:
            document = _document(succeeded(answer, f"{self.repository}@{digest}"), str(self.repository))
        except (NotFound, Malformed):
            return None
        return Manifest("", MANIFEST_TYPES[2], document)

    async def _listing(self, etag: str) -> Listing | None:
        url: URL | None = self._url("tags", "list").with_query(n=PAGE)
        tags: dict[str, None] = {}
        seen: set[URL] = set()
        dropped, first = 0, ""
        while url is not None:
            more = {"If-None-Match": etag} if etag and not seen else {}
            answer = await self._get(url, accept="application/json", limit=16 * MIB, more=more)
            if answer.status == 304 and more:
                return None
            page = _tags(_document(succeeded(answer, f"{self.repository}"), str(self.repository)))
            tags.update(dict.fromkeys(tag for tag in page if is_tag(tag)))
            dropped += sum(not is_tag(tag) for tag in page)
            self._watch_size(len(tags) + dropped, seen, url)
            following = next_page(answer.headers.get("Link", ""), url)
            first = answer.headers.get("ETag", "") if not seen - {url} and following is None else ""
            url = following
        return Listing(tuple(tags), dropped, first)

    def _watch_size(self, count: int, seen: set[URL], url: URL) -> None:
        if url in seen:
            raise Malformed(f"{self.repository}: the registry's pages of tags go round in a circle")
        seen.add(url)
        if count > MAX_TAGS or len(seen) > MAX_PAGES:
            raise TooLarge(f"{self.repository} has more than {MAX_TAGS:,} tags or {MAX_PAGES:,} pages of them")

    def _url(self, *parts: str) -> URL:
        scheme = "http" if self.access.plain_http else "https"
        base = self.base.rstrip("/") or f"{scheme}://{self.repository.api_host}"
        path = "/".join((self.repository.name, *parts))
        return URL(f"{base}/v2/{path}", encoded=True)

    async def _get(
        self,
        url: URL,
        *,
        accept: str,
        limit: int,
        method: Method = "GET",
        counted: bool = False,
        more: dict[str, str] | None = None,
    ) -> Answer:
        """With the token that is known, and once more with the one that the registry then asks for."""
        header = self._token.header if time.monotonic() < self._token.until else basic(self.access, only_token=True)
        for attempt in (1, 2):
            await self.pace.turn(self.repository.host, counted=counted)
            answer = await get(
                self.client,
                url,
                access=self.access,
                authorization=header,
                accept=accept,
                limit=limit,
                method=method,
                more=more or {},
            )
            self.pace.told(answer.status, answer.headers)
            if answer.status != 401 or attempt == 2:
                break
            header = await self._authorize(answer, url, header)
        return answer

    async def _authorize(self, answer: Answer, url: URL, refused: str) -> str:
        """The header that the registry asks for, fetched when it is a token; many who need it fetch it once."""
        async with self._authorizing:
            if self._token.header not in ("", refused) and time.monotonic() < self._token.until:
                return self._token.header
            challenge = read_challenge(answer.headers.get("WWW-Authenticate", ""))
            if challenge.scheme == "basic":
                self._token = Token(basic(self.access), float("inf"))
            elif challenge.scheme == "bearer":
                self._token = await self._fetch_token(token_url(challenge, self._scope, self.access, url))
            if not self._token.header:
                raise Refused(
                    f"{self.repository}: {url.host} wants credentials: add a repository or pull Secret for it"
                )
            return self._token.header

    @property
    def _scope(self) -> str:
        return f"repository:{self.repository.name}:pull"

    async def _fetch_token(self, url: URL) -> Token:
        if self.access.identity:
            form = {"grant_type": "refresh_token", "client_id": "tiphys", **url.query}
            form["refresh_token"] = self.access.identity.reveal()
            answer = await post_form(self.client, url.with_query(None), form, access=self.access)
        else:
            answer = await get(self.client, url, access=self.access, authorization=basic(self.access), limit=MIB)
        document = _document(succeeded(answer, f"{self.repository}"), str(self.repository))
        token = document.get("token") or document.get("access_token")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise Malformed(f"{url.host} answered without a token")
        lasts = document.get("expires_in")
        seconds = float(lasts) if isinstance(lasts, int | float) else TOKEN_DEFAULT_SECONDS
        return Token(f"Bearer {token}", time.monotonic() + max(0.0, seconds - TOKEN_MARGIN_SECONDS))


def _tags(document: dict[str, Any]) -> list[str]:
    listed = document.get("tags") or ()
    if not isinstance(listed, list | tuple):
        raise Malformed("the registry's tags are no list")
    return [str(tag) for tag in listed]


def _media_type(answer: Answer) -> str:
    return answer.headers.get("Content-Type", "").partition(";")[0].strip()


def _document(answer: Answer, what: str) -> dict[str, Any]:
    if _media_type(answer) == "text/html":
        raise Malformed(f"{what}: {answer.url.host} answered with a web page, not as a registry: check the address")
    return _json(answer.body, f"{what}: {answer.url.host}")


def _json(body: bytes, what: str) -> dict[str, Any]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"{what} answered with something that is not JSON") from error
    if not isinstance(document, dict):
        raise Malformed(f"{what} answered with JSON of another shape")
    return document


__all__ = ["Found", "Layer", "Listing", "Manifest", "Registry"]
