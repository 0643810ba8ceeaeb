"""services/stack/gitserver.py with the real git client: clone, push, logins, and the webhooks that follow a push."""

import asyncio
import hashlib
import hmac
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import psutil
from aiohttp import web

from services.stack.gitserver import GitServer, Webhook
from tests.parts.answering import answering

AS_ADA = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "init.defaultBranch=main")


async def git(*arguments: str, folder: Path, fails: bool = False) -> str:
    quiet = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_TERMINAL_PROMPT": "0"}
    process = await asyncio.create_subprocess_exec(
        "git",
        *AS_ADA,
        *arguments,
        cwd=folder,
        env=quiet,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert (process.returncode != 0) == fails, said.decode()
    return said.decode()


@asynccontextmanager
async def gateway() -> AsyncIterator[tuple[str, "asyncio.Queue[tuple[dict[str, str], bytes]]"]]:
    """Hears webhooks."""
    heard: asyncio.Queue[tuple[dict[str, str], bytes]] = asyncio.Queue()

    async def hear(request: web.Request) -> web.Response:
        heard.put_nowait((dict(request.headers), await request.read()))
        return web.Response(status=202)

    async with answering(hear) as url:
        yield f"{url}/api/webhook", heard


async def test_a_push_by_git_is_followed_by_a_signed_webhook(tmp_path: Path) -> None:
    async with gateway() as (url, heard), GitServer(tmp_path / "host", webhook=Webhook(url, "shared")) as server:
        server.create("team/apps")
        old = await server.commit("team/apps", {"a": b"1"}, "one")
        created = event(await asyncio.wait_for(heard.get(), 60))
        assert (created["before"], created["after"], created["created"]) == ("0" * 40, old, True)
        await git("clone", server.url_of("team/apps"), "work", folder=tmp_path)
        (tmp_path / "work" / "b").write_text("2")
        await git("add", "b", folder=tmp_path / "work")
        await git("commit", "-m", "two", folder=tmp_path / "work")
        await git("push", "origin", "HEAD:main", "HEAD:other", folder=tmp_path / "work")
        headers, body = await asyncio.wait_for(heard.get(), 60)
        signature = hmac.new(b"shared", body, hashlib.sha256).hexdigest()
        assert headers["X-Hub-Signature-256"] == f"sha256={signature}"
        assert headers["X-GitHub-Event"] == "push"
        pushed = json.loads(body)
        assert (pushed["ref"], pushed["before"]) == ("refs/heads/main", old)
        assert pushed["commits"][0]["modified"] == ["b"]
        assert pushed["repository"]["clone_url"] == server.url_of("team/apps")
        assert event(await asyncio.wait_for(heard.get(), 60))["ref"] == "refs/heads/other"
        await git("push", "origin", "--delete", "other", folder=tmp_path / "work")
        assert event(await asyncio.wait_for(heard.get(), 60))["deleted"] is True


async def test_only_those_who_log_in_may_read_or_push(tmp_path: Path) -> None:
    async with GitServer(tmp_path / "host", users={"ada": "word"}) as server:
        server.create("apps")
        await server.commit("apps", {"a": b"1"}, "one")
        url = server.url_of("apps")
        assert "uthentication" in await git("ls-remote", url.replace("//", "//ada:no@"), folder=tmp_path, fails=True)
        assert "refs/heads/main" in await git("ls-remote", url.replace("//", "//ada:word@"), folder=tmp_path)


async def test_nothing_outside_the_folder_is_served(tmp_path: Path) -> None:
    async with GitServer(tmp_path / "host") as server, aiohttp.ClientSession() as client:
        GitServer(tmp_path / "other").create("secret")
        for path in ("/%2e%2e/other/secret.git/info/refs", "/../other/secret.git/info/refs", "/none.git/info/refs"):
            async with client.get(f"{server.url}{path}?service=git-upload-pack") as response:
                assert response.status in {400, 403, 404}
        async with client.post(f"{server.url}/%2e%2e/other/secret.git/git-receive-pack", data=b"0000") as response:
            assert response.status == 404


async def test_a_client_that_leaves_in_the_middle_leaves_no_process_behind(tmp_path: Path) -> None:
    async with GitServer(tmp_path / "host") as server:
        url = server.create("apps")
        noise = b"".join(hashlib.sha256(number.to_bytes(4, "big")).digest() for number in range(200_000))
        sha = await server.commit("apps", {"noise": noise}, "one")
        want = f"want {sha} ofs-delta side-band-64k\n".encode()
        body = b"%04x%s00000009done\n" % (len(want) + 4, want)
        async with aiohttp.ClientSession() as client:
            headers = {"Content-Type": "application/x-git-upload-pack-request"}
            async with client.post(f"{url}/git-upload-pack", data=body, headers=headers) as response:
                assert response.status == 200
                await response.content.readexactly(64 * 1024)
                serving = [each for each in psutil.Process().children(recursive=True) if each.name() == "git"]
                assert serving
    _, alive = await asyncio.to_thread(psutil.wait_procs, serving, 60)
    assert alive == []


async def test_a_gateway_that_is_down_does_not_hold_up_a_push(tmp_path: Path) -> None:
    async with GitServer(tmp_path / "host", webhook=Webhook("http://127.0.0.1:1/api/webhook")) as server:
        server.create("apps")
        assert len(await server.commit("apps", {"a": b"1"}, "one")) == 40


def event(heard: tuple[dict[str, str], bytes]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(heard[1])
    return found
