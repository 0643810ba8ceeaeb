"""The measured registry: Debian's docker-registry on a free port, which tells the gateway of pushes."""

import asyncio
import hashlib
import re
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from services.stack.options import StackError
from shared import yamlio

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
_LISTENING = re.compile(r"listening on (127\.0\.0\.1:\d+)")


@dataclass(frozen=True)
class Registry:
    host: str
    folder: Path

    async def push(self, client: aiohttp.ClientSession, name: str, tag: str) -> None:
        """An image of one layer that is nothing but its name."""
        config = orjson.dumps({"os": "linux", "architecture": "amd64", "created": "2026-01-01T00:00:00Z", "tag": tag})
        parts = [await self._blob(client, name, data) for data in (config, b"layer")]
        described = [{"mediaType": CONFIG, "digest": digest, "size": size} for digest, size in parts]
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": described[0], "layers": described[1:]}
        url = f"http://{self.host}/v2/{name}/manifests/{tag}"
        async with client.put(url, data=orjson.dumps(manifest), headers={"Content-Type": MANIFEST}) as answer:
            answer.raise_for_status()

    async def _blob(self, client: aiohttp.ClientSession, name: str, data: bytes) -> tuple[str, int]:
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        async with client.post(f"http://{self.host}/v2/{name}/blobs/uploads/") as answer:
            answer.raise_for_status()
            location = answer.headers["Location"]
        async with client.put(f"{location}&digest={digest}", data=data) as answer:
            answer.raise_for_status()
        return digest, len(data)

    def multiply(self, names: Sequence[str], tags: int) -> None:
        """More tags of the same image, written into the registry's own storage: pushing them would take an hour."""
        root = self.folder / "data" / "docker" / "registry" / "v2" / "repositories"
        for name in names:
            known = root / name / "_manifests" / "tags"
            link = (known / "1.0.0" / "current" / "link").read_bytes()
            for number in range(tags - 1):
                folder = known / f"2.{number // 100}.{number % 100}" / "current"
                folder.mkdir(parents=True)
                (folder / "link").write_bytes(link)

    def requests(self) -> int:
        """How many it has answered since it runs, by its own log."""
        return (self.folder / "access.log").read_bytes().count(b"HTTP/1.1")


@asynccontextmanager
async def running(folder: Path, webhook: str, secret: str) -> AsyncIterator[Registry]:
    if shutil.which("docker-registry") is None:
        raise StackError("the benchmark of images needs docker-registry: install Debian's package of this name")
    await asyncio.to_thread(folder.mkdir, parents=True)
    endpoint = {"name": "tiphys", "url": webhook, "headers": {"Authorization": [secret]}, "timeout": "5s"}
    config: dict[str, Any] = {
        "version": 0.1,
        "log": {"level": "info"},
        "storage": {"filesystem": {"rootdirectory": str(folder / "data")}},
        "http": {"addr": "127.0.0.1:0"},
        "notifications": {"endpoints": [endpoint | {"threshold": 5, "backoff": "1s"}]},
    }
    (folder / "config.yml").write_text(yamlio.dump(config))
    with (folder / "access.log").open("wb") as log, (folder / "error.log").open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            "docker-registry", "serve", str(folder / "config.yml"), stdout=log, stderr=errors
        )
        try:
            yield Registry(await _listening(folder / "error.log"), folder)
        finally:
            process.terminate()
            await process.wait()


async def _listening(log: Path) -> str:
    async with asyncio.timeout(20):
        while True:
            if found := _LISTENING.search(await asyncio.to_thread(log.read_text)):
                return found[1]
            await asyncio.sleep(0.05)
