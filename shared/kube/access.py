"""A way into one cluster that stays open: credentials that are read again before they expire and when they are refused.

In: a function that reads credentials (credentials.py). Out: the `Grant` to use for the next request.
While a grant still holds, a failure to read a new one is none. Never: where credentials come from.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from time import monotonic
from typing import NamedTuple

from shared import clock
from shared.kube.errors import NoCluster, Unauthorized

TRY_AGAIN = timedelta(seconds=10)
REFUSED_INTERVAL = 5.0


class Grant(NamedTuple):
    """What one reading of the credentials gave. `identity` tells whether another reading gave the same."""

    server: str
    authorization: str
    tls: ssl.SSLContext | None
    server_name: str | None
    proxy: str | None
    identity: bytes
    headers: tuple[tuple[str, str], ...] = ()
    renew_at: datetime | None = None
    expires: datetime | None = None


Read = Callable[[], Awaitable[Grant]]


class Access:
    """Gives the grant that holds now."""

    def __init__(self, grant: Grant, read: Read) -> None:
        self.grant = grant
        self._read = read
        self._lock = asyncio.Lock()
        self._refused_at = float("-inf")

    def become(self, other: "Access") -> None:
        """Take over another way into the same cluster."""
        self.grant, self._read = other.grant, other._read  # noqa: SLF001  # of the same class
        self._refused_at = float("-inf")

    async def current(self) -> Grant:
        """Give the grant, renewed if it is time. Raises Unauthorized when it has expired and can't be renewed."""
        if self.grant.renew_at is not None and self.grant.renew_at <= clock.now():
            await self._renew(self.grant)
        return self.grant

    async def refused(self, grant: Grant) -> bool:
        """Read the credentials again after a 401, not too often; True when there is something new to try."""
        if self.grant is grant and monotonic() - self._refused_at >= REFUSED_INTERVAL:
            self._refused_at = monotonic()
            await self._renew(grant)
        return self.grant.identity != grant.identity

    async def _renew(self, known: Grant) -> None:
        async with self._lock:
            if self.grant is known:
                fresh = await self._again(known)
                same = fresh.identity == known.identity
                self.grant = fresh._replace(tls=known.tls) if same or fresh.authorization else fresh

    async def _again(self, known: Grant) -> Grant:
        try:
            return await self._read()
        except NoCluster as error:
            if known.expires is None or known.expires > clock.now():
                return known._replace(renew_at=known.renew_at and clock.now() + TRY_AGAIN)
            message = f"the cluster's credentials could not be renewed: {error.message}"
            raise Unauthorized(message, status=401) from error
