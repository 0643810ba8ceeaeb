"""The way out for git over HTTP: libgit2 speaks plain HTTP to a loopback port, this speaks to the world.

What libgit2 lacks is here: client certificates, authorities for one host only, bearer tokens, noProxy, kept-alive TLS
connections (a push is fetched over the connection of the last poll), a byte cap, and failures with their HTTP status.
A ticket is a random path that lives as long as one operation; without one nothing is relayed. Credentials are added
here, go only to the host they are for, and never come near libgit2, a file or a message.
"""

import asyncio
import secrets
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import web
from yarl import URL

from shared.git.access import Access, proxy_for, shown, tls_context
from shared.git.errors import GitFailure, RepositoryTooLarge, RepositoryUnreachable
from shared.git.refusals import refusal, unreachable

CHUNK = 64 * 1024
MAX_REQUEST_BYTES = 256 * 1024 * 1024
MAX_REDIRECTS = 5
KEEP_ALIVE_SECONDS = 300
SERVICES = ("git-upload-pack", "git-receive-pack")
PASSED_ON = ("Accept", "Content-Type", "Content-Encoding", "Git-Protocol", "User-Agent")
PASSED_BACK = ("Content-Type", "Content-Encoding", "Content-Length")


class Ticket:
    """One operation on one repository: what the relay is allowed, and what went wrong."""

    def __init__(self, url: str, access: Access, *, max_bytes: int) -> None:
        self.access = access
        self.base = URL(url.removesuffix("/")).with_user(None)
        self.shown = shown(url)
        self.max_bytes = max_bytes
        self.received = 0
        self.local = ""
        self.failure: GitFailure | None = None
        self.connections: set[asyncio.Transport] = set()
        self._home = self.base.origin()

    @property
    def identity(self) -> Access:
        """Who we are where the address leads now: nobody, once it has left the host it names (or its TLS twin)."""
        origin = self.base.origin()
        upgraded = origin.scheme == "https" and origin.host == self._home.host and self._home.scheme == "http"
        at_home = origin == self._home or upgraded
        return self.access if at_home else Access(proxy=self.access.proxy, no_proxy=self.access.no_proxy)

    def redirect(self, location: str, tail: str) -> None:
        """Follows a moved repository; never from TLS to plain HTTP."""
        target = self.base.join(URL(location)).with_query(None)
        path = str(target).removesuffix(tail)
        if target.scheme not in ("http", "https") or (self.base.scheme == "https" and target.scheme == "http"):
            raise RepositoryUnreachable(f"{self.shown} redirects to a place without TLS: use the new address")
        self.base = URL(path)


class Relay:
    """`async with Relay() as relay: with relay.ticket(url, access) as ticket: <libgit2 works on ticket.local>`."""

    def __init__(self, *, connect_seconds: float = 10, idle_seconds: float = 25) -> None:
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=connect_seconds, sock_read=idle_seconds)
        self._tickets: dict[str, Ticket] = {}
        self._sessions: dict[ssl.SSLContext, aiohttp.ClientSession] = {}
        app = web.Application(client_max_size=MAX_REQUEST_BYTES)
        app.router.add_get("/{ticket}/info/refs", self._serve)
        app.router.add_post("/{ticket}/{service}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()
        for session in self._sessions.values():
            await session.close()

    @contextmanager
    def ticket(self, url: str, access: Access, *, max_bytes: int) -> Iterator[Ticket]:
        ticket = Ticket(url, access, max_bytes=max_bytes)
        name = secrets.token_urlsafe(24)
        ticket.local = f"http://127.0.0.1:{self._runner.addresses[0][1]}/{name}"
        self._tickets[name] = ticket
        try:
            yield ticket
        finally:
            del self._tickets[name]
            self.abort(ticket)

    def abort(self, ticket: Ticket) -> None:
        """Cuts libgit2 off, so that its thread comes back at once."""
        for connection in ticket.connections:
            connection.abort()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        ticket = self._tickets.get(request.match_info["ticket"])
        service = request.match_info.get("service") or request.query.get("service", "")
        if ticket is None or service not in SERVICES or not isinstance(request.transport, asyncio.Transport):
            return web.Response(status=404)
        connection = request.transport
        ticket.connections.add(connection)
        response = web.StreamResponse()
        response.force_close()  # libgit2 writes headers and body apart: on a used connection Nagle holds the body 40 ms
        try:
            await self._forward(ticket, request, response)
        except _HungUpError:
            return response
        except GitFailure as failure:
            ticket.failure = failure
        except (aiohttp.ClientError, TimeoutError, ssl.SSLError, OSError) as error:
            ticket.failure = unreachable(ticket.shown, error)
        if ticket.failure is not None and response.prepared:
            connection.abort()
        return response if response.prepared else web.Response(status=502)

    async def _forward(self, ticket: Ticket, request: web.Request, response: web.StreamResponse) -> None:
        tail = f"/{request.path.split('/', 2)[2]}"
        body = await request.read() if request.method == "POST" else None
        headers = {name: request.headers[name] for name in PASSED_ON if name in request.headers}
        for _ in range(MAX_REDIRECTS):
            async with self._ask(ticket, request, tail, headers, body) as answer:
                if answer.status in (301, 302, 303, 307, 308) and "Location" in answer.headers:
                    ticket.redirect(answer.headers["Location"], tail)
                    continue
                await self._hand_back(ticket, request, answer, response)
                return
        raise RepositoryUnreachable(f"{ticket.shown} redirects in a circle: check the address")

    def _ask(
        self, ticket: Ticket, request: web.Request, tail: str, headers: dict[str, str], body: bytes | None
    ) -> aiohttp.client._RequestContextManager:
        url = URL(f"{ticket.base}{tail}").with_query(request.query)
        identity = ticket.identity
        credentials = _authorization(identity)
        return self._session(identity).request(
            request.method,
            url,
            data=body,
            headers={**headers, **({"Authorization": credentials} if credentials else {})},
            skip_auto_headers=("Accept-Encoding",),
            proxy=proxy_for(identity, url),
            allow_redirects=False,
        )

    async def _hand_back(
        self, ticket: Ticket, request: web.Request, answer: aiohttp.ClientResponse, response: web.StreamResponse
    ) -> None:
        if refused := refusal(ticket.shown, answer, has_credentials=ticket.access.has_credentials):
            raise refused
        response.headers.update({name: answer.headers[name] for name in PASSED_BACK if name in answer.headers})
        with _listening():
            await response.prepare(request)
        async for chunk in answer.content.iter_chunked(CHUNK):
            ticket.received += len(chunk)
            if ticket.received > ticket.max_bytes:
                raise too_large(ticket.shown, ticket.max_bytes)
            with _listening():
                await response.write(chunk)
        with _listening():
            await response.write_eof()

    def _session(self, access: Access) -> aiohttp.ClientSession:
        context = tls_context(access)
        if context not in self._sessions:
            connector = aiohttp.TCPConnector(ssl=context, keepalive_timeout=KEEP_ALIVE_SECONDS)
            self._sessions[context] = aiohttp.ClientSession(
                connector=connector, timeout=self._timeout, auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()
            )
        return self._sessions[context]


def _authorization(access: Access) -> str | None:
    if access.token:
        return f"Bearer {access.token.reveal()}"
    if access.password or access.username:
        return aiohttp.encode_basic_auth(access.username, access.password.reveal(), "utf-8")
    return None


class _HungUpError(Exception):
    """libgit2 has left: it has what it wanted, or was called off."""


@contextmanager
def _listening() -> Iterator[None]:
    try:
        yield
    except ConnectionResetError as error:
        raise _HungUpError from error


def too_large(name: str, allowed: int) -> RepositoryTooLarge:
    return RepositoryTooLarge(
        f"{name} sends more than the allowed {allowed:,} bytes: raise the limit, or fetch less history with a depth"
    )
