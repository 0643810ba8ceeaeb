"""The few requests that starting a cluster takes: is it ready, make the node. Everything else uses shared.kube."""

import base64
import json
import ssl
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

Obj = dict[str, Any]


class Api:
    """One cluster's API, by its kubeconfig, for the length of an `async with`."""

    def __init__(self, kubeconfig: Path) -> None:
        document = json.loads(kubeconfig.read_text())
        cluster, user = document["clusters"][0]["cluster"], document["users"][0]["user"]
        self._server: str = cluster["server"]
        connector = aiohttp.TCPConnector(ssl=_ssl_context(cluster, user))
        self._session = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=10))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def request(self, method: str, path: str, body: Obj | None = None) -> tuple[int, bytes]:
        async with self._session.request(method, self._server + path, json=body) as response:
            return response.status, await response.read()

    async def get(self, path: str) -> Obj | None:
        """An object, or None when it isn't there or the API server isn't."""
        try:
            status, body = await self.request("GET", path)
        except (aiohttp.ClientError, TimeoutError):
            return None
        return dict(json.loads(body)) if status == 200 else None

    async def answers(self, path: str) -> bool:
        try:
            return (await self.request("GET", path))[0] == 200
        except (aiohttp.ClientError, TimeoutError):
            return False


def _ssl_context(cluster: Obj, user: Obj) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
    with tempfile.NamedTemporaryFile() as file:
        for field in ("client-certificate-data", "client-key-data"):
            file.write(base64.b64decode(user[field]))
        file.flush()
        context.load_cert_chain(file.name)
    return context
