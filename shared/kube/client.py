"""The connection to one API server: raw requests, and streams of lines for watches.

In: a method, a path, bytes. Out: bytes, or a typed ApiError. Retries only what is safe: a 429 or 503 that says when
to come back (nothing was done), and a broken connection or a 5xx where the caller or the method says that asking
twice is harmless. Every call has a deadline. Streams use connections of their own, so that watches never starve
requests. Never: Kubernetes' models, JSON, caches.
"""

import asyncio
import os
import random
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import lru_cache
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple
from urllib.parse import urlencode

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from shared.kinds.clusters import ClusterSecret
from shared.kube import credentials
from shared.kube.access import Access
from shared.kube.errors import ApiError, Fenced, NoCluster, ServerTimeout, Unavailable, from_status
from shared.kube.limits import Bucket
from shared.security import redact
from shared.telemetry import metrics

Params = Mapping[str, str]
JSON = "application/json"
ATTEMPTS = 5
LONGEST_WAIT = 30.0
BEGIN_WITHIN = 30.0  # a watch's headers come at once
_seconds = metrics.seconds("kube_request", "Requests to API servers that were answered", ("method", "status"))
_ASKING = frozenset({"GET", "HEAD"})


class _Call(NamedTuple):
    method: str
    url: URL
    what: str
    headers: dict[str, str]
    body: bytes | None


class Cluster:
    """One API server. Made by `connect` and `connect_secret`, which close it.

    `silent` is set when a call got no answer: whoever watches over the connection clears it.
    """

    def __init__(
        self,
        way: Access,
        requests: aiohttp.ClientSession,
        streams: aiohttp.ClientSession,
        bucket: Bucket | None = None,
        *,
        headers: tuple[tuple[str, str], ...] = (),
        silent: asyncio.Event | None = None,
        may_write: Callable[[], bool] = lambda: True,
    ) -> None:
        self.silent = silent or asyncio.Event()
        self._way = way
        self._requests = requests
        self._streams = streams
        self._bucket = bucket
        self._headers = headers
        self._may_write = may_write
        self.server = way.grant.server

    def __repr__(self) -> str:
        return f"Cluster({redact(self.server)})"

    def impersonating(self, user: str, groups: tuple[str, ...] = ()) -> "Cluster":
        """Give the same connection in somebody else's name; our own account needs the right to impersonate."""
        headers = (("Impersonate-User", user), *(("Impersonate-Group", group) for group in groups))
        return self._view(headers=headers)

    def fenced(self, may_write: Callable[[], bool]) -> "Cluster":
        """Give the same connection with a last look before each write: when `may_write` is false, it raises Fenced."""
        return self._view(may_write=may_write)

    def _view(self, **other: Any) -> "Cluster":
        same = {"headers": self._headers, "silent": self.silent, "may_write": self._may_write}
        return Cluster(self._way, self._requests, self._streams, self._bucket, **{**same, **other})

    def log_in_as(self, way: Access) -> None:
        """Use other credentials for the same server from the next call on; what is open stays open."""
        self._way.become(way)

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        body: bytes | None = None,
        content_type: str = JSON,
        accept: str = JSON,
        timeout: float = 30.0,  # noqa: ASYNC109
        idempotent: bool | None = None,
    ) -> bytes:
        """Do one call and give the answer's body; `timeout` includes the pauses between attempts. Raises ApiError."""
        deadline = monotonic() + timeout
        harmless = method in _ASKING if idempotent is None else idempotent
        headers = {"Accept": accept} if body is None else {"Accept": accept, "Content-Type": content_type}
        call = _Call(method, self._url(path, params), f"{method} {path}", headers, body)
        for attempt in range(1, ATTEMPTS + 1):
            if self._bucket is not None:
                await self._bucket.take()
            if method not in _ASKING and not self._may_write():
                raise Fenced(f"not sent, for another one may be working on it by now: {call.what}")
            try:
                return await self._once(call, deadline - monotonic())
            except ApiError as error:
                wait = _pause(error, attempt, harmless=harmless)
                if wait is None or monotonic() + wait >= deadline:
                    raise
                await asyncio.sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    async def _once(self, call: _Call, seconds: float) -> bytes:
        limits = aiohttp.ClientTimeout(total=max(seconds, 0.001), sock_connect=10)
        began = monotonic()
        async with _translated(self, call.what), self._send(self._requests, call, limits) as response:
            data = await response.read()
            _seconds.labels(call.method, response.status).observe(monotonic() - began)
            if response.status >= 300:
                raise from_status(data, response.status, _retry_after(response))
            return data

    @asynccontextmanager
    async def stream(
        self, path: str, *, params: Params | None = None, accept: str = JSON, idle: float = 120.0
    ) -> AsyncIterator[AsyncIterator[list[bytes]]]:
        """Open a stream of lines, in batches as they come. Raises ServerTimeout after `idle` seconds of silence."""
        limits = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=idle)
        call = _Call("GET", self._url(path, params), f"watch {path}", {"Accept": accept}, None)
        async with (
            _translated(self, call.what),
            asyncio.timeout(BEGIN_WITHIN) as beginning,
            self._send(self._streams, call, limits) as response,
        ):
            if response.status >= 300:
                raise from_status(await response.read(), response.status, _retry_after(response))
            beginning.reschedule(None)
            yield lines(response.content.iter_any())

    @asynccontextmanager
    async def _send(
        self, session: aiohttp.ClientSession, call: _Call, limits: aiohttp.ClientTimeout
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send it; when the credentials were refused and there are new ones, once more."""
        if session.closed:
            raise Unavailable(f"the connection to {redact(self.server)} was closed: its cluster is used no more")
        for last in (False, True):
            grant = await self._way.current()
            identity = (("Authorization", grant.authorization),) if grant.authorization else ()
            async with session.request(
                call.method,
                call.url,
                headers=CIMultiDict((*call.headers.items(), *identity, *(self._headers or grant.headers))),
                data=call.body,
                timeout=limits,
                allow_redirects=False,
                proxy=grant.proxy,
                server_hostname=grant.server_name,
                ssl=grant.tls or True,
            ) as response:
                if response.status == 401 and not last and await self._way.refused(grant):
                    continue
                yield response
                return

    def _url(self, path: str, params: Params | None) -> URL:
        query = _query(tuple(params.items())) if params else ""
        return URL(f"{self.server}{path}{query}", encoded=True)


@lru_cache(1024)
def _query(params: tuple[tuple[str, str], ...]) -> str:
    return f"?{urlencode(params)}"


def _pause(error: ApiError, attempt: int, *, harmless: bool) -> float | None:
    """Give the seconds to wait before asking again; None: don't. Pure but for the jitter."""
    if attempt >= ATTEMPTS:
        return None
    if error.retry_after is not None and error.status in {429, 503}:
        return float(min(max(error.retry_after, 0.05), LONGEST_WAIT)) * random.uniform(1.0, 1.2)  # noqa: S311
    if harmless and attempt < 3 and isinstance(error, Unavailable) and error.status in {0, 502, 503}:
        return 0.05 * (1 << attempt) * random.uniform(0.5, 1.5)  # noqa: S311
    return None


def _retry_after(response: aiohttp.ClientResponse) -> float | None:
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isdigit() else None


async def lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[list[bytes]]:
    """Cut a stream into lines of any length; what follows the last line end is none."""
    rest: list[bytes] = []
    async for chunk in chunks:
        if b"\n" not in chunk:
            rest.append(chunk)
            continue
        found = chunk.split(b"\n")
        found[0] = b"".join((*rest, found[0]))
        rest = [found.pop()]
        yield found


@asynccontextmanager
async def _translated(cluster: Cluster, what: str) -> AsyncIterator[None]:
    """Turn aiohttp's errors into ours."""
    try:
        yield
    except TimeoutError as error:
        cluster.silent.set()
        raise ServerTimeout(f"the API server {redact(cluster.server)} did not answer in time: {what}") from error
    except aiohttp.ClientConnectorCertificateError as error:
        raise Unavailable(
            f"the certificate of {redact(cluster.server)} is not trusted: correct the cluster's CA or its server name"
        ) from error
    except (aiohttp.ClientError, ConnectionError, ssl.SSLError) as error:
        cluster.silent.set()
        text = redact(str(error)) or type(error).__name__
        raise Unavailable(f"the API server {redact(cluster.server)} can't be reached ({what}): {text}") from error


@asynccontextmanager
async def _opened(way: Access, connections: int, rate: float | None, burst: int) -> AsyncIterator[Cluster]:
    async with AsyncExitStack() as stack:

        async def session(limit: int) -> aiohttp.ClientSession:
            connector = aiohttp.TCPConnector(limit=limit, keepalive_timeout=60)
            made = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": "tiphys", "Accept-Encoding": "identity"},
                read_bufsize=2**20,
            )
            return await stack.enter_async_context(made)

        yield Cluster(way, await session(connections), await session(0), Bucket(rate, burst) if rate else None)


@asynccontextmanager
async def connect(
    kubeconfig: Path | None = None,
    context: str | None = None,
    *,
    connections: int = 64,
    rate: float | None = None,
    burst: int = 100,
) -> AsyncIterator[Cluster]:
    """Connect with a kubeconfig or a context of it; with neither, as the pod we run in. Raises NoCluster.

    `rate` limits our own calls to so many a second; without it the API server's priority and fairness decides.
    """
    if kubeconfig is None and context is None and not os.environ.get(credentials.POD):
        raise NoCluster("no cluster was named, and this is no pod: give a kubeconfig file or a context")
    in_pod = kubeconfig is None and context is None
    way = await (credentials.from_pod(os.environ) if in_pod else credentials.from_kubeconfig(kubeconfig, context))
    async with _opened(way, connections, rate, burst) as cluster:
        yield cluster


@asynccontextmanager
async def connect_secret(
    secret: ClusterSecret,
    *,
    connections: int = 64,
    rate: float | None = None,
    burst: int = 100,
) -> AsyncIterator[Cluster]:
    """Connect as an Argo CD cluster Secret says. Raises NoCluster."""
    way = await credentials.from_secret(secret)
    async with _opened(way, connections, rate, burst) as cluster:
        yield cluster


async def log_in(cluster: Cluster, secret: ClusterSecret) -> None:
    """Use a Secret's present credentials from the next call on. Raises NoCluster."""
    cluster.log_in_as(await credentials.from_secret(secret))


__all__ = ["JSON", "Cluster", "Params", "connect", "connect_secret", "log_in"]
