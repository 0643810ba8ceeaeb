"""A Helm chart repository as a plain file server: an index and archives."""

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field

import pytest_asyncio
import yaml
from aiohttp import web

from tests.parts.registry import serving
from tests.render.tools import Content, chart, packed


@dataclass
class Shop:
    """A chart repository as a plain file server; remembers what was asked, and may want a password."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)
    authorization: str = ""

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.asked.append(request.path)
        self.headers.append(request.headers.get("Authorization", ""))
        if self.authorization and self.headers[-1] != self.authorization:
            return web.Response(status=401)
        data = self.files.get(request.path.strip("/"))
        return web.Response(status=404) if data is None else web.Response(body=data)

    def publish(
        self,
        name: str,
        versions: Sequence[str],
        *,
        digest: str | None = None,
        base: str = "",
        files: Mapping[str, Content] | None = None,
    ) -> None:
        entries = []
        for version in versions:
            data = packed(chart(name, files, version=version))
            self.files[f"{name}-{version}.tgz"] = data
            real = digest or hashlib.sha256(data).hexdigest()
            entries.append({"name": name, "version": version, "urls": [f"{base}{name}-{version}.tgz"], "digest": real})
        index = yaml.safe_load(self.files.get("index.yaml", b"{}")) or {}
        index.setdefault("entries", {})[name] = entries
        self.files["index.yaml"] = yaml.safe_dump({"apiVersion": "v1", **index}).encode()


@pytest_asyncio.fixture
async def shop() -> AsyncIterator[Shop]:
    made = Shop()
    async with serving(made.answer) as url:
        made.url = url
        yield made
