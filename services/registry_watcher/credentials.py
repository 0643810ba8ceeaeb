"""As whom, and how, a repository is asked: a pull secret, registries.conf, the docker config file, or as nobody.

In: a repository and a `Way`. Out: an `Access`, kept for a while; raises an `OciFailure` that says what to do.
Secrets are read when they are needed, one by one: this service watches none.
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from services.registry_watcher.interest import Way
from services.registry_watcher.references import Allowed, FromScript, InEnvironment, InSecret, Reference, check, read
from services.registry_watcher.settings import RegistryWatcherSettings
from shared import kube
from shared.kinds.secretdata import InvalidSecret, decoded
from shared.oci.access import ANONYMOUS, Access
from shared.oci.dockerconfig import BadCredentials, ConfigFile, choose, pair, read_config
from shared.oci.errors import Unreachable
from shared.oci.reference import Repository
from shared.oci.registries import Registries, RegistrySettings
from shared.security import register

ReadSecret = Callable[[str, str], Awaitable[Mapping[str, Any]]]
"""(namespace, name) -> the Secret object; raises KubeError."""
DOCKER_CONFIG = ".dockerconfigjson"
SCRIPT_SECONDS = 10.0
SCRIPT_BYTES = 64 * 1024


class Credentials:
    """One instance a process. `registries` and `authorities` are set when they change."""

    def __init__(self, read_secret: ReadSecret, settings: RegistryWatcherSettings, config: ConfigFile | None) -> None:
        self.registries = Registries()
        self.authorities: Mapping[str, str] = {}
        self._read_secret, self._config = read_secret, config
        self._allowed = allowed_of(settings.secret_namespaces, settings.environment, settings.scripts)
        self._folder, self._keep_seconds = settings.authorities, settings.credentials_seconds
        self._kept: dict[tuple[Repository, Way], tuple[float, Access]] = {}

    def forget(self, repository: Repository | None = None) -> None:
        """They were refused, or may have changed: read anew the next time."""
        for key in [key for key in self._kept if repository in (None, key[0])]:
            del self._kept[key]

    async def access(self, repository: Repository, way: Way) -> Access:
        at = time.monotonic()
        until, access = self._kept.get((repository, way), (0.0, ANONYMOUS))
        if at < until:
            return access
        settings = self.registries.of(repository)
        login = await self._login(repository, way, settings)
        _register(login)
        access = await self._reached(login, repository, settings)
        keep = settings.credsexpire if settings.credsexpire and not way.pull_secret else self._keep_seconds
        self._kept[repository, way] = (at + keep, access)
        return access

    async def _login(self, repository: Repository, way: Way, settings: RegistrySettings) -> Access:
        if way.pull_secret:
            reference = read(way.pull_secret)
            check(reference, way.namespace, self._allowed)
            return await self._referred(reference, repository)
        if settings.credentials:
            return await self._referred(read(settings.credentials), repository)
        return (await self._config.login(repository) if self._config else None) or ANONYMOUS

    async def _referred(self, reference: Reference, repository: Repository) -> Access:
        match reference:
            case InSecret():
                return await self._from_secret(reference, repository)
            case InEnvironment(variable):
                return pair(os.environ.get(variable, ""), f"the variable {variable}")
            case FromScript(path):
                return pair(await _run(path), f"what {path} writes")

    async def _from_secret(self, reference: InSecret, repository: Repository) -> Access:
        name = f"Secret {reference.namespace}/{reference.name}"
        try:
            data = decoded(await self._read_secret(reference.namespace, reference.name))
        except (kube.NotFound, kube.Forbidden) as error:
            raise BadCredentials(f"{name} is not there, or may not be read") from error
        except kube.KubeError as error:
            raise Unreachable(f"{name} can't be read now: {type(error).__name__}") from error
        except InvalidSecret as error:
            raise BadCredentials(str(error)) from error
        key = reference.field or DOCKER_CONFIG
        if key not in data:
            raise BadCredentials(f"{name} has no key {key!r}")
        if reference.field:
            return pair(data[key], f"{name}, key {key!r},")
        try:
            found = choose(read_config(data[key]), repository)
        except BadCredentials as error:
            raise BadCredentials(f"{name}: {error}") from error
        if found is None:
            raise BadCredentials(f"{name} has no login for {repository.host}")
        return found

    async def _reached(self, login: Access, repository: Repository, settings: RegistrySettings) -> Access:
        """The same login with the way to the host."""
        given = [settings.ca_data, self.authorities.get(repository.host.partition(":")[0], "")]
        given += await asyncio.to_thread(_authorities, settings.ca_file, self._folder, repository.host)
        return replace(
            login,
            plain_http=settings.api_url.startswith("http://"),
            insecure=settings.insecure,
            authorities="\n".join(text for text in given if text),
        )


def base_of(settings: RegistrySettings) -> str:
    """Where the API is: what `api_url` says, unless that is where it would be anyway."""
    return settings.api_url.rstrip("/").removesuffix("/v2")


def allowed_of(namespaces: str, variables: str, scripts: Path | None) -> Allowed:
    return Allowed(_names(namespaces), _names(variables), scripts)


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip() for name in text.split(",") if name.strip())


def _register(login: Access) -> None:
    register(*(secret.reveal() for secret in (login.password, login.token, login.identity) if secret))


def _authorities(file: str, folder: Path, host: str) -> list[str]:
    """On a thread."""
    found = []
    if file:
        try:
            found.append(Path(file).read_text())
        except (OSError, UnicodeDecodeError) as error:
            raise BadCredentials(f"ca_file {file} of registries.conf can't be read") from error
    for name in (host, host.partition(":")[0]):
        own = folder / name
        if own.is_file():
            found.append(own.read_text())
            break
    return found


async def _run(path: Path) -> str:
    """What a script of the operator's writes; it gets no arguments, and ten seconds."""
    try:
        process = await asyncio.create_subprocess_exec(
            str(path),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError as error:
        raise BadCredentials(f"{path} can't be run: {error.strerror}") from error
    assert process.stdout is not None
    try:
        async with asyncio.timeout(SCRIPT_SECONDS):
            written = await process.stdout.read(SCRIPT_BYTES)
            status = await process.wait()
    except TimeoutError as error:
        raise BadCredentials(f"{path} takes longer than {SCRIPT_SECONDS:.0f} s") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if status:
        raise BadCredentials(f"{path} ends with status {status}")
    return written.decode(errors="replace")
