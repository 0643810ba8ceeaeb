"""Trouble on order, in front of the real API server: a proxy that fails, delays, cuts and counts requests.

    async with faulty(cluster.kubeconfig) as proxy:
        connect(proxy.kubeconfig)                       # it adds the credentials of the real kubeconfig
        proxy.fail(r"/configmaps", status=503, times=2) # answers itself; retry_after=, reason=, message=
        proxy.reset(...), proxy.hang(...), proxy.swallow(...), proxy.keep(...), proxy.gone(...)
        proxy.delay(..., seconds=0.2)
        await proxy.cut(r"/configmaps")                 # ends the open watches, as a broken connection does
        await proxy.say(r"/configmaps", line)           # puts a line of ours into the open watches
        proxy.writes(), proxy.count("list", "configmaps")

A rule applies to requests whose "METHOD path?query" its pattern is found in, `times` times (None: until `cancel()`).
The newest rule that matches counts; a delay lets the other rules apply as well.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import aiohttp
from aiohttp import web
from yarl import URL

from shared.kube import credentials
from shared.kube.access import Access

_READS = frozenset({"get", "list", "watch", "head"})
_HOP = frozenset({"transfer-encoding", "connection", "keep-alive", "content-length", "host"})


class Seen(NamedTuple):
    """One request. `verb`: get list watch create update patch apply delete deletecollection, or `apply-dry-run` ..."""

    verb: str
    resource: str
    namespace: str
    name: str
    path: str


@dataclass(eq=False)
class Rule:
    pattern: re.Pattern[str]
    action: str
    times: int | None
    status: int = 500
    reason: str = ""
    message: str = ""
    retry_after: int | None = None
    seconds: float = 0.0
    hits: int = 0
    done: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def spent(self) -> bool:
        return self.times is not None and self.hits >= self.times

    def cancel(self) -> None:
        self.times = 0

    def applies(self, text: str) -> bool:
        return not self.spent and self.pattern.search(text) is not None


@dataclass(eq=False)
class _Open:
    """A watch that is being passed on."""

    text: str
    request: web.Request
    response: web.StreamResponse


@dataclass(eq=False)
class FaultProxy:
    kubeconfig: Path
    url: str
    seen: list[Seen] = field(default_factory=list)
    cut_off: list[Seen] = field(default_factory=list)  # whose sender was gone before it had the answer
    rules: list[Rule] = field(default_factory=list)
    _open: list[_Open] = field(default_factory=list)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def _add(self, pattern: str, action: str, times: int | None, **options: object) -> Rule:
        rule = Rule(re.compile(pattern), action, times, **options)  # type: ignore[arg-type]
        self.rules.insert(0, rule)
        return rule

    def fail(
        self,
        pattern: str,
        status: int = 500,
        *,
        times: int | None = None,
        reason: str = "",
        message: str = "",
        retry_after: int | None = None,
    ) -> Rule:
        """Answer with a Status of our own."""
        text = message or f"fault: {status}"
        return self._add(pattern, "fail", times, status=status, reason=reason, message=text, retry_after=retry_after)

    def gone(self, pattern: str, *, times: int | None = 1) -> Rule:
        """Answer that the resource version or continue token is too old."""
        return self.fail(pattern, 410, times=times, reason="Expired", message="too old resource version")

    def reset(self, pattern: str, *, times: int | None = None) -> Rule:
        """Cut the connection without an answer."""
        return self._add(pattern, "reset", times)

    def lose(self, pattern: str, *, times: int | None = None) -> Rule:
        """Let the server do it, then cut the connection: the client can't know."""
        return self._add(pattern, "lose", times)

    def swallow(self, pattern: str, *, times: int | None = None) -> Rule:
        """Let the server do it and never answer: the client waits, for whoever wants to kill it just then."""
        return self._add(pattern, "swallow", times)

    def keep(self, pattern: str, *, times: int | None = None) -> Rule:
        """Let the server do it, and answer when the rule is `released`."""
        return self._add(pattern, "keep", times)

    def hang(self, pattern: str, *, times: int | None = None) -> Rule:
        """Never answer."""
        return self._add(pattern, "hang", times)

    def delay(self, pattern: str, seconds: float, *, times: int | None = None) -> Rule:
        return self._add(pattern, "delay", times, seconds=seconds)

    def clear(self) -> None:
        self.rules.clear()

    def writes(self, resource: str = "") -> list[Seen]:
        """Give what would have changed the cluster; `resource` is a plural, `deployments` or `pods/status`."""
        return [
            one
            for one in self.seen
            if one.verb not in _READS and not one.verb.endswith("-dry-run") and resource in {"", one.resource}
        ]

    def count(self, verb: str, resource: str = "") -> int:
        return sum(one.verb == verb and resource in {"", one.resource} for one in self.seen)

    async def until(self, count: int, verb: str, resource: str = "", *, seconds: float = 60) -> None:
        """Wait for requests to have come."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(lambda: self.count(verb, resource) >= count)

    async def watched(self, pattern: str = "", *, seconds: float = 60) -> None:
        """Wait until a watch is open."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(lambda: bool(self._watches(pattern)))

    def _watches(self, pattern: str) -> list[_Open]:
        return [one for one in self._open if re.search(pattern, one.text)]

    async def cut(self, pattern: str = "") -> int:
        """Break the connections of open watches; gives how many."""
        found = self._watches(pattern)
        for one in found:
            if one.request.transport is not None:
                one.request.transport.abort()
            self._open.remove(one)
        return len(found)

    async def say(self, pattern: str, line: bytes) -> int:
        """Put a line into open watches; gives how many got it."""
        found = self._watches(pattern)
        for one in found:
            await one.response.write(line.rstrip(b"\n") + b"\n")
        return len(found)

    async def noted(self, seen: Seen) -> None:
        self.seen.append(seen)
        await self.turned()

    async def turned(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def opened(self, request: web.Request, response: web.StreamResponse) -> _Open:
        one = _Open(f"{request.method} {request.raw_path}", request, response)
        self._open.append(one)
        return one

    def closed(self, one: _Open) -> None:
        if one in self._open:
            self._open.remove(one)

    def ruling(self, text: str) -> tuple[float, Rule | None]:
        """Give the delay and the rule for a request, and count them."""
        found = [rule for rule in self.rules if rule.applies(text)]
        delays = [rule for rule in found if rule.action == "delay"]
        fault = next((rule for rule in found if rule.action != "delay"), None)
        for rule in (*delays, *([fault] if fault else ())):
            rule.hits += 1
        return sum(rule.seconds for rule in delays), fault


_PATH = re.compile(
    r"^/(?:api|apis/[^/]+)/[^/]+(?:/namespaces/(?P<namespace>[^/]+)(?=/.))?/(?P<plural>[^/]+)"
    r"(?:/(?P<name>[^/]+))?(?:/(?P<sub>.+))?$"
)


def seen(method: str, path: str, query: str, content_type: str) -> Seen:
    """Name what a request asks for, as the API server's audit log would."""
    match = _PATH.match(path)
    if match is None:
        return Seen(method.lower(), "", "", "", path)
    found = match.groupdict(default="")
    verb = {"POST": "create", "PUT": "update"}.get(method, method.lower())
    if method == "GET" and not found["name"]:
        verb = "watch" if "watch=" in query else "list"
    if method == "PATCH" and "apply-patch" in content_type:
        verb = "apply"
    if method == "DELETE" and not found["name"]:
        verb = "deletecollection"
    dry = "-dry-run" if "dryRun=" in query else ""
    resource = "/".join(part for part in (found["plural"], found["sub"]) if part)
    return Seen(verb + dry, resource, found["namespace"], found["name"], path)


def _status(rule: Rule) -> web.Response:
    body = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "reason": rule.reason,
        "message": rule.message,
        "code": rule.status,
    }
    headers = {} if rule.retry_after is None else {"Retry-After": str(rule.retry_after)}
    return web.json_response(body, status=rule.status, headers=headers)


class _Relay:
    """Passes requests on."""

    def __init__(self, proxy: FaultProxy, way: Access, session: aiohttp.ClientSession) -> None:
        self._proxy = proxy
        self._way = way
        self._session = session

    async def handle(self, request: web.Request) -> web.StreamResponse:
        asked = seen(request.method, request.path, request.query_string, request.content_type)
        await self._proxy.noted(asked)
        try:
            return await self._ruled(request)
        except asyncio.CancelledError:
            self._proxy.cut_off.append(asked)
            raise

    async def _ruled(self, request: web.Request) -> web.StreamResponse:
        delay, rule = self._proxy.ruling(f"{request.method} {request.raw_path}")
        if delay:
            await asyncio.sleep(delay)
        if rule is not None and rule.action == "fail":
            return _status(rule)
        if rule is not None and rule.action == "hang":
            await _silence()
        if rule is not None and rule.action == "reset":
            return _aborted(request)
        return await self._forward(request, rule)

    async def _forward(self, request: web.Request, rule: Rule | None) -> web.StreamResponse:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP}
        grant = await self._way.current()
        if "Authorization" not in headers and grant.authorization:
            headers["Authorization"] = grant.authorization
        async with self._session.request(
            request.method,
            URL(f"{self._way.grant.server}{request.raw_path}", encoded=True),
            headers=headers,
            data=await request.read() or None,
            timeout=aiohttp.ClientTimeout(total=None),
            allow_redirects=False,
        ) as answer:
            if rule is not None:
                await answer.read()
                rule.done.set()
            if rule is not None and rule.action == "keep":
                await rule.released.wait()
            elif rule is not None:
                return _aborted(request) if rule.action == "lose" else await _silence()
            return await self._pass(request, answer)

    async def _pass(self, request: web.Request, answer: aiohttp.ClientResponse) -> web.StreamResponse:
        headers = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP}
        if "watch" not in request.query:
            return web.Response(status=answer.status, headers=headers, body=await answer.read())
        response = web.StreamResponse(status=answer.status, headers=headers)
        await response.prepare(request)
        one = self._proxy.opened(request, response)
        await self._proxy.turned()
        try:
            async for chunk in answer.content.iter_any():
                await response.write(chunk)
        except ConnectionError:
            return response
        finally:
            self._proxy.closed(one)
        return response


async def _silence() -> web.Response:
    await asyncio.Event().wait()
    raise AssertionError("nothing sets it")


def _aborted(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


@asynccontextmanager
async def faulty(kubeconfig: Path) -> AsyncIterator[FaultProxy]:
    """Run a proxy in front of the cluster of a kubeconfig."""
    way = await credentials.from_kubeconfig(kubeconfig, None)
    tls = way.grant.tls if way.grant.tls is not None else True
    connector = aiohttp.TCPConnector(limit=0, ssl=tls)
    with TemporaryDirectory(prefix="tiphys-faults-") as folder:
        async with aiohttp.ClientSession(connector=connector, auto_decompress=False, read_bufsize=2**20) as session:
            proxy = FaultProxy(Path(folder) / "kubeconfig", "")
            app = web.Application(client_max_size=2**28)
            app.router.add_route("*", "/{path:.*}", _Relay(proxy, way, session).handle)
            runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1, access_log=None)
            await runner.setup()
            try:
                site = web.TCPSite(runner, "127.0.0.1", 0)
                await site.start()
                port = runner.addresses[0][1]
                proxy.url = f"http://127.0.0.1:{port}"
                proxy.kubeconfig.write_text(json.dumps(_kubeconfig(proxy.url)))
                yield proxy
            finally:
                await runner.cleanup()


def _kubeconfig(url: str) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "faulty",
        "contexts": [{"name": "faulty", "context": {"cluster": "faulty", "user": "faulty"}}],
        "clusters": [{"name": "faulty", "cluster": {"server": url}}],
        "users": [{"name": "faulty", "user": {}}],
    }
