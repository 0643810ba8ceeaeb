"""HTTP as metric providers may use it: to hosts that the operator allows, never to link-local addresses (a cloud's
metadata service), with a deadline, no redirects, and answers of a bounded size.

A tenant writes the address, the manager's network is used: that is why all of this stands in one place.
"""

import ipaddress
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from services.rollout_manager.analysis.providers.answer import ProviderError
from shared.kinds.globs import matches

LARGEST = 4 * 1024 * 1024
SHOWN = 200
NOTHING: Mapping[str, str] = {}


class PublicResolver(AbstractResolver):
    """Names that lead to link-local addresses lead nowhere."""

    def __init__(self) -> None:
        self._inner = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        return [one for one in found if not link_local(one["host"])]

    async def close(self) -> None:
        await self._inner.close()


def link_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_link_local
    except ValueError:
        return False


@dataclass(frozen=True)
class Response:
    status: int
    text: str

    def json(self) -> Any:
        """Raises ProviderError."""
        try:
            return json.loads(self.text)
        except ValueError as error:
            raise ProviderError(f"the answer is not JSON: {self.text[:SHOWN]!r}") from error


class WebAccess:
    """`hosts`: globs of what may be asked. Use as a context manager; one instance a process."""

    def __init__(self, hosts: tuple[str, ...]) -> None:
        self._hosts = hosts
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(limit_per_host=32, resolver=PublicResolver())
        self._session = aiohttp.ClientSession(connector=connector)
        return self

    async def __aexit__(self, *_error: object) -> None:
        assert self._session is not None
        await self._session.close()

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] = NOTHING,
        params: Mapping[str, str] = NOTHING,
        body: bytes | None = None,
        seconds: float = 30.0,
        insecure: bool = False,
        ok: bool = True,
    ) -> Response:
        """Raises ProviderError; with `ok` also for what is no 2xx."""
        target = self.checked(url)
        assert self._session is not None
        try:
            async with self._session.request(
                method,
                target,
                headers=dict(headers),
                params=dict(params) or None,
                data=body,
                timeout=aiohttp.ClientTimeout(total=seconds),
                ssl=not insecure,
                allow_redirects=False,
            ) as answer:
                found = Response(answer.status, await _read(answer))
        except (aiohttp.ClientError, TimeoutError) as error:
            why = "no answer in time" if isinstance(error, TimeoutError) else f"{type(error).__name__}: {error}"
            raise ProviderError(f"{target.host} can't be asked: {why}") from error
        if ok and not 200 <= found.status < 300:
            raise ProviderError(f"{target.host} answered {found.status}: {found.text[:SHOWN]}")
        return found

    def checked(self, url: str) -> URL:
        """Raises ProviderError for what is no web address, or one that may not be asked."""
        try:
            target = URL(url)
        except ValueError as error:
            raise ProviderError("the address is no URL") from error
        if target.scheme not in {"http", "https"} or not target.host:
            raise ProviderError("the address must begin with http:// or https:// and name a host")
        if link_local(target.host) or not any(matches(one, target.host) for one in self._hosts):
            raise ProviderError(f"{target.host} may not be asked: see TIPHYS_ROLLOUT_MANAGER_METRIC_HOSTS")
        return target


async def _read(answer: aiohttp.ClientResponse) -> str:
    found = bytearray()
    async for chunk in answer.content.iter_chunked(65536):
        found += chunk
        if len(found) > LARGEST:
            raise ProviderError(f"the answer is larger than {LARGEST // 1024 // 1024} MiB")
    return found.decode(errors="replace")
