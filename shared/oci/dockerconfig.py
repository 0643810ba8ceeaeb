"""Logins as docker keeps them: the `auths` of a pull Secret (pure), and config files with credential helpers.

A pull Secret is somebody else's text: only its `auths` are read, never a helper's name. The operator's own config file
may name helpers (ECR, GCR, ACR have theirs): `docker.auth` runs them, on threads of their own because they block.
"""

import asyncio
import base64
import binascii
import fnmatch
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import docker.auth
import orjson
from docker.errors import DockerException

from shared.oci.access import Access
from shared.oci.errors import OciFailure
from shared.oci.reference import DOCKER_HUB, Repository
from shared.security import Secret

HELPER_SECONDS = 20.0
HELPERS_AT_ONCE = 4
LARGEST = 1024 * 1024


class BadCredentials(OciFailure):
    """What holds the credentials can't be read; the text never holds what is in it."""


class Login(NamedTuple):
    """`path`: the part of the host's repositories that it is for; empty for all."""

    host: str
    path: str
    access: Access


def read_config(text: str) -> tuple[Login, ...]:
    """The logins of a `.dockerconfigjson`; raises `BadCredentials`."""
    try:
        document = orjson.loads(text) if len(text) <= LARGEST else None
    except orjson.JSONDecodeError:
        document = None
    auths = document.get("auths", document) if isinstance(document, dict) else None
    if not isinstance(auths, dict):
        raise BadCredentials('it is no docker config: expected {"auths": {"<host>": {"auth": "..."}}}')
    return tuple(_login(str(key), entry) for key, entry in auths.items() if isinstance(entry, dict) and entry)


def choose(logins: tuple[Login, ...], repository: Repository) -> Access | None:
    """The login for a repository: the whole host must match (`*` stands for one label), the longest path counts."""
    fitting = [login for login in logins if _same_host(login.host, repository.host) and _below(login.path, repository)]
    best = max(fitting, key=lambda login: ("*" not in login.host, len(login.path)), default=None)
    return best.access if best else None


def pair(text: str, what: str) -> Access:
    """`user:password`."""
    user, colon, password = text.strip().partition(":")
    if not (user and colon and password):
        raise BadCredentials(f"{what} holds no user:password")
    return Access(username=user, password=Secret(password))


def _login(key: str, entry: Mapping[str, Any]) -> Login:
    host, _, path = key.partition("://")[2].partition("/") if "://" in key else key.partition("/")
    path = "" if path.strip("/") in ("v1", "v2") else path.strip("/")
    return Login(_plain_host(host), path, _access(key, entry))


def _plain_host(host: str) -> str:
    return "docker.io" if host.lower() in DOCKER_HUB else host.lower()


def _access(key: str, entry: Mapping[str, Any]) -> Access:
    identity, token = entry.get("identitytoken"), entry.get("registrytoken")
    if isinstance(token, str) and token:
        return Access(token=Secret(token))
    if isinstance(identity, str) and identity:
        return Access(identity=Secret(identity))
    auth = entry.get("auth")
    if isinstance(auth, str) and auth:
        try:
            return pair(base64.b64decode(auth, validate=True).decode(), f"auths of {key[:200]!r}")
        except (binascii.Error, ValueError):
            raise BadCredentials(f"auths of {key[:200]!r}: auth is no base64 of user:password") from None
    return pair(f"{entry.get('username') or ''}:{entry.get('password') or ''}", f"auths of {key[:200]!r}")


def _same_host(pattern: str, host: str) -> bool:
    if "*" not in pattern:
        return pattern == host
    labels, wanted = host.split("."), pattern.split(".")
    pairs = zip(labels, wanted, strict=False)
    return len(labels) == len(wanted) and all(fnmatch.fnmatchcase(label, each) for label, each in pairs)


def _below(path: str, repository: Repository) -> bool:
    return not path or repository.name == path or repository.name.startswith(f"{path}/")


class ConfigFile:
    """The operator's docker config file; `login` asks the helper that it names for the host, if it names one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = ThreadPoolExecutor(HELPERS_AT_ONCE, thread_name_prefix="docker-login")

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def login(self, repository: Repository) -> Access | None:
        """Raises `BadCredentials` when the file or the helper fails."""
        asking = asyncio.get_running_loop().run_in_executor(self._threads, _from_file, self._path, repository.host)
        try:
            async with asyncio.timeout(HELPER_SECONDS):
                return await asking
        except TimeoutError as error:
            raise BadCredentials(f"the credential helper for {repository.host} does not answer") from error


def _from_file(path: Path, host: str) -> Access | None:
    """On a thread."""
    if not path.is_file():
        return None
    try:
        found = docker.auth.resolve_authconfig(docker.auth.load_config(str(path)), host)
    except (DockerException, OSError, ValueError, UserWarning) as error:
        raise BadCredentials(f"{path}: no login for {host}: {_first_line(error)}") from error
    given = {name.lower(): value for name, value in (found or {}).items() if isinstance(value, str) and value}
    if "identitytoken" in given:
        return Access(identity=Secret(given["identitytoken"]))
    if "username" in given and "password" in given:
        return Access(username=given["username"], password=Secret(given["password"]))
    return None


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]
