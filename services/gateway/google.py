"""Tokens that Google signs for Pub/Sub pushes: who they are from, for whom, and for which account.

In: a token, the audience and the account that are agreed. Out: whether it is good; `KeysUnavailable` when that can't be
known now. The public keys are fetched from one fixed address, kept for an hour, and fetched anew for a key that is not
among them, at most once a minute.
"""

import time
from typing import Any

import aiohttp
import orjson
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from shared.clock import epoch_ms
from shared.security import hmac_equal

ISSUERS = ("https://accounts.google.com", "accounts.google.com")
KEEP_SECONDS, AGAIN_SECONDS = 3600.0, 60.0
LARGEST = 256 * 1024
LONGEST_TOKEN = 16 * 1024
TIMEOUT = aiohttp.ClientTimeout(total=10)


class KeysUnavailable(Exception):
    """Google's public keys can't be had now."""


class GoogleTokens:
    """One instance a process."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._keys: KeySet | None = None
        self._fetched = float("-inf")

    async def good(self, token: str, audience: str, email: str) -> bool:
        if not token or len(token) > LONGEST_TOKEN:
            return False
        try:
            claims = await self._claims(token)
        except (JoseError, ValueError):
            return False
        return fits(claims, audience, email)

    async def _claims(self, token: str) -> dict[str, Any]:
        keys = await self._known(KEEP_SECONDS)
        try:
            return dict(jwt.decode(token, keys, algorithms=["RS256"]).claims)
        except InvalidKeyIdError:
            keys = await self._known(AGAIN_SECONDS)
        return dict(jwt.decode(token, keys, algorithms=["RS256"]).claims)

    async def _known(self, oldest: float) -> KeySet:
        if self._keys is None or time.monotonic() - self._fetched > oldest:
            self._keys = await self._fetch()
            self._fetched = time.monotonic()
        return self._keys

    async def _fetch(self) -> KeySet:
        try:
            async with (
                aiohttp.ClientSession(timeout=TIMEOUT) as client,
                client.get(self._url, allow_redirects=False) as response,
            ):
                body = await response.content.read(LARGEST)
                if response.status != 200:
                    raise KeysUnavailable(f"the address of Google's keys answers {response.status}")
            return KeySet.import_key_set(orjson.loads(body))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, KeyError, TypeError, JoseError) as error:
            raise KeysUnavailable(f"Google's keys can't be fetched: {type(error).__name__}") from error


def fits(claims: dict[str, Any], audience: str, email: str) -> bool:
    """Every claim must fit; all are looked at."""
    until, at = claims.get("exp"), epoch_ms() / 1000
    audiences = claims.get("aud")
    checks = (
        claims.get("iss") in ISSUERS,
        hmac_equal(audience, audiences if isinstance(audiences, str) else ""),
        hmac_equal(email, str(claims.get("email", ""))),
        claims.get("email_verified") is True,
        isinstance(until, int | float) and until > at,
    )
    return bool(audience and email) and all(checks)
