"""GitHub Apps: a signed statement of who we are becomes a token for one installation, kept until it nearly ends."""

import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

import aiohttp
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from shared.clock import epoch_ms, now, parse_rfc3339
from shared.git.errors import AuthenticationFailed, RepositoryUnreachable
from shared.security import Secret, register

EARLY = timedelta(minutes=5)
STATEMENT_SECONDS = 540
PUBLIC_API = "https://api.github.com"


@dataclass(frozen=True, slots=True)
class GitHubApp:
    """`installation` empty: the one of the repository's owner. `api` empty: github.com."""

    app_id: str
    key: Secret
    installation: str = ""
    api: str = ""


class Installations:
    """Tokens by installation; concurrent questions share one exchange."""

    def __init__(self, timeout: aiohttp.ClientTimeout) -> None:
        self._timeout = timeout
        self._tokens: dict[tuple[GitHubApp, str], tuple[Secret, float]] = {}
        self._locks: defaultdict[tuple[GitHubApp, str], asyncio.Lock] = defaultdict(asyncio.Lock)

    async def token(self, app: GitHubApp, url: str) -> Secret:
        """Raises AuthenticationFailed or RepositoryUnreachable."""
        owner = urlsplit(url).path.strip("/").partition("/")[0]
        name = (app, "" if app.installation else owner)
        async with self._locks[name]:
            token, until = self._tokens.get(name, (Secret(""), 0.0))
            if not token or until < time.monotonic():
                token, until = await self._exchange(app, owner)
                self._tokens[name] = (token, until)
        return token

    async def _exchange(self, app: GitHubApp, owner: str) -> tuple[Secret, float]:
        api = (app.api or PUBLIC_API).rstrip("/")
        headers = {"Authorization": f"Bearer {statement(app)}", "Accept": "application/vnd.github+json"}
        try:
            async with aiohttp.ClientSession(headers=headers, timeout=self._timeout, trust_env=True) as session:
                installation = app.installation or await _installation(session, api, owner)
                url = f"{api}/app/installations/{installation}/access_tokens"
                answer = await _answer(session, "POST", url)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise RepositoryUnreachable("GitHub's API can't be reached for a token: it is tried again") from error
        token = Secret(str(answer["token"]))
        register(token.reveal())
        left = parse_rfc3339(str(answer["expires_at"])) - EARLY - now()
        return token, time.monotonic() + left.total_seconds()


def statement(app: GitHubApp) -> str:
    """What GitHub asks for: the app's id, signed with its key, valid for some minutes."""
    issued = epoch_ms() // 1000 - 60
    claims = {"iat": issued, "exp": issued + STATEMENT_SECONDS, "iss": app.app_id}
    try:
        return jwt.encode({"alg": "RS256"}, claims, RSAKey.import_key(app.key.reveal()))
    except (JoseError, ValueError) as error:
        raise AuthenticationFailed("githubAppPrivateKey can't be read: put the app's PEM key there") from error


async def _installation(session: aiohttp.ClientSession, api: str, owner: str) -> str:
    answer = await _answer(session, "GET", f"{api}/users/{owner}/installation")
    return str(answer["id"])


async def _answer(session: aiohttp.ClientSession, method: str, url: str) -> dict[str, object]:
    async with session.request(method, url) as response:
        if response.status >= 500 or response.status == 429:
            raise RepositoryUnreachable(f"GitHub's API answers with HTTP {response.status}: it is tried again")
        if response.status >= 300:
            raise AuthenticationFailed(
                f"GitHub gives no token to app installation (HTTP {response.status}): "
                "check githubAppID, githubAppInstallationID and the key"
            )
        answer: dict[str, object] = await response.json()
        return answer
