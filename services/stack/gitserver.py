"""A git host for a laptop: a folder of bare repositories over smart HTTP, with webhooks as GitHub sends them.

Comes in: git clients (fetch and push) and `commit`, which the demo and the benchmark use. Goes out: `git
http-backend`'s answers, and after every push one signed push event to the gateway. It never listens beyond the
address it is given.
"""

import asyncio
import hashlib
import hmac
import os
import signal
import ssl
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import aiohttp
import orjson
from aiohttp import web
from aiohttp.helpers import BasicAuth

from shared.git.changes import changed_paths
from shared.git.commits import TIPHYS, Author, commit_files, create_bare
from shared.git.errors import GitFailure
from shared.git.mirror import heads_of
from shared.telemetry.log import get_logger

NOTHING = "0" * 40
CHUNK = 64 * 1024
WEBHOOK_SECONDS = 10
log = get_logger()


class Webhook(NamedTuple):
    url: str
    secret: str = ""


class GitServer:
    """`async with GitServer(folder) as server: server.create("apps"); server.url_of("apps")`."""

    def __init__(
        self,
        folder: Path,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        users: Mapping[str, str] | None = None,
        webhook: Webhook | None = None,
        middlewares: Sequence[Any] = (),
        tls: ssl.SSLContext | None = None,
        serves_shas: bool = True,
    ) -> None:
        self.folder = folder
        self.webhook = webhook
        self._host, self._port, self._tls = host, port, tls
        self._users, self._serves_shas = users, serves_shas
        self._announcing: set[asyncio.Task[None]] = set()
        app = web.Application(middlewares=[*middlewares, self._authenticate])
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)

    async def __aenter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port, ssl_context=self._tls)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self._client = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=WEBHOOK_SECONDS))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*self._announcing)
        await self._client.close()
        await self._runner.cleanup()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://{self._host}:{self._port}"

    def url_of(self, name: str) -> str:
        return f"{self.url}/{name}.git"

    def path_of(self, name: str) -> Path:
        return self.folder / f"{name}.git"

    def create(self, name: str, branch: str = "main") -> str:
        """Makes an empty repository; answers its URL."""
        create_bare(self.path_of(name), branch)
        return self.url_of(name)

    async def commit(
        self,
        name: str,
        files: Mapping[str, bytes | None],
        message: str,
        *,
        branch: str = "main",
        author: Author = TIPHYS,
    ) -> str:
        """A commit as if it had been pushed: the webhook goes out when the branch has moved."""
        bare = self.path_of(name)
        before = await asyncio.to_thread(heads_of, bare)
        sha = await asyncio.to_thread(commit_files, bare, branch, files, message, author)
        await self._announce(name, before)
        return sha

    @web.middleware
    async def _authenticate(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if self._users is not None and not _knows(self._users, request.headers.get("Authorization", "")):
            return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="git"'})
        response: web.StreamResponse = await handler(request)
        return response

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        pushing = request.method == "POST" and request.path.endswith("/git-receive-pack")
        if not pushing:
            return await self._backend(request)
        name = request.path.removesuffix("/git-receive-pack").strip("/").removesuffix(".git")
        if not self.path_of(name).resolve().is_relative_to(self.folder.resolve()) or not self.path_of(name).is_dir():
            return web.Response(status=404)
        before = await asyncio.to_thread(heads_of, self.path_of(name))
        response = await self._backend(request)
        task = asyncio.create_task(self._announce(name, before))
        self._announcing.add(task)
        task.add_done_callback(self._announcing.discard)
        return response

    async def _backend(self, request: web.Request) -> web.StreamResponse:
        """One CGI call; both bodies are streamed, and the child dies with the request."""
        process = await asyncio.create_subprocess_exec(
            "git",
            "http-backend",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=self._environment(request),
            limit=CHUNK * 4,
            start_new_session=True,
        )
        assert process.stdin
        assert process.stdout
        feeding = asyncio.create_task(_feed(request, process.stdin))
        try:
            return await _answer(request, process.stdout)
        finally:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)
            await _end(process, process.stdout)

    def _environment(self, request: web.Request) -> dict[str, str]:
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "GIT_PROJECT_ROOT": str(self.folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_COUNT": "3",
            "GIT_CONFIG_KEY_0": "http.receivepack",
            "GIT_CONFIG_VALUE_0": "true",
            "GIT_CONFIG_KEY_1": "uploadpack.allowAnySHA1InWant",
            "GIT_CONFIG_VALUE_1": "true" if self._serves_shas else "false",
            "GIT_CONFIG_KEY_2": "safe.directory",
            "GIT_CONFIG_VALUE_2": "*",
            "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
            "REQUEST_METHOD": request.method,
            "PATH_INFO": request.path,
            "QUERY_STRING": request.query_string,
            "CONTENT_TYPE": request.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": request.headers.get("Content-Length", ""),
            "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
            "REMOTE_USER": "git",
            "REMOTE_ADDR": request.remote or "",
        }

    async def _announce(self, name: str, before: Mapping[str, str]) -> None:
        """Tells the webhook about every ref that differs from `before`."""
        if self.webhook is None:
            return
        after = await asyncio.to_thread(heads_of, self.path_of(name))
        for ref in sorted(ref for ref in before.keys() | after.keys() if before.get(ref) != after.get(ref)):
            body = await asyncio.to_thread(self._push_event, name, ref, before.get(ref), after.get(ref))
            await self._send(self.webhook, body)

    async def _send(self, webhook: Webhook, body: bytes) -> None:
        signature = hmac.new(webhook.secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "X-GitHub-Event": "push",
            "X-GitHub-Delivery": str(uuid.uuid4()),
            **({"X-Hub-Signature-256": f"sha256={signature}"} if webhook.secret else {}),
        }
        try:
            async with self._client.post(webhook.url, data=body, headers=headers) as response:
                if response.status >= 300:
                    log.warning("the gateway refused a webhook: the poll will find the push", status=response.status)
        except (aiohttp.ClientError, TimeoutError) as error:
            log.warning("the gateway can't be reached: the poll will find the push", why=type(error).__name__)

    def _push_event(self, name: str, ref: str, old: str | None, new: str | None) -> bytes:
        try:
            changed = changed_paths(self.path_of(name), old, new) if old and new else None
        except GitFailure:
            changed = None  # a tag on something that is no commit
        commits: list[dict[str, Any]] = (
            [] if changed is None else [{"id": new, "added": [], "removed": [], "modified": changed}]
        )
        url = self.url_of(name)
        return orjson.dumps(
            {
                "ref": ref,
                "before": old or NOTHING,
                "after": new or NOTHING,
                "created": old is None,
                "deleted": new is None,
                "repository": {
                    "name": name.rpartition("/")[2],
                    "full_name": name,
                    "html_url": url.removesuffix(".git"),
                    "clone_url": url,
                    "default_branch": "main",
                },
                "commits": commits,
                "head_commit": commits[-1] if commits else None,
            }
        )


def _knows(users: Mapping[str, str], header: str) -> bool:
    try:
        given = BasicAuth.decode(header, encoding="utf-8")
    except ValueError:
        return False
    expected = users.get(given.login)
    return expected is not None and hmac.compare_digest(expected.encode(), given.password.encode())


async def _end(process: asyncio.subprocess.Process, stdout: asyncio.StreamReader) -> None:
    """The backend and all that it started; its pipe is emptied, because the wait is over only when that is closed."""
    if not stdout.at_eof():
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        while await stdout.read(CHUNK):
            pass
    await process.wait()


async def _feed(request: web.Request, stdin: asyncio.StreamWriter) -> None:
    try:
        async for chunk in request.content.iter_chunked(CHUNK):
            stdin.write(chunk)
            await stdin.drain()
    except (BrokenPipeError, ConnectionResetError):
        return  # the backend has heard enough: its answer says why
    finally:
        stdin.close()


async def _answer(request: web.Request, stdout: asyncio.StreamReader) -> web.StreamResponse:
    headers = {}
    while line := (await stdout.readline()).strip():
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip()] = value.strip()
    response = web.StreamResponse(status=int(headers.pop("Status", "200").split()[0]), headers=headers)
    with suppress(ConnectionResetError):  # the client has left: nobody to tell
        await response.prepare(request)
        async for chunk in _chunks(stdout):
            await response.write(chunk)
        await response.write_eof()
    return response


async def _chunks(stdout: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while chunk := await stdout.read(CHUNK):
        yield chunk
