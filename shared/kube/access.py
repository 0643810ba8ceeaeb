"""Credentials: from a kubeconfig, a pod's service account or an Argo CD cluster Secret to an address, TLS and a
header.

In: files, or a dict shaped like a kubeconfig. Out: `Access`, whose `authorization()` is renewed shortly before it
expires and when the server refuses it (exec plugins, token files, OIDC). kubernetes_asyncio does the reading; it is
imported only here and only when needed (0.5 s, 31 MB). Never: a request to the API server, a key that stays in a
temporary file.
"""

import asyncio
import logging
import os
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from shared import clock
from shared.kube.errors import NoCluster, Unauthorized
from shared.security import redact

RENEW_BEFORE = timedelta(minutes=2)
TOKEN_FILE_AGE = timedelta(minutes=1)
POD = "KUBERNETES_SERVICE_HOST"


class Grant(NamedTuple):
    """What one reading of the credentials gave."""

    server: str
    authorization: str
    tls: ssl.SSLContext | None
    server_name: str | None
    proxy: str | None
    expires: datetime | None


Read = Callable[[], Awaitable[Grant]]


@dataclass(slots=True)
class Access:
    """The way into one cluster. `grant` is replaced when it is renewed."""

    grant: Grant
    _read: Read
    _lock: asyncio.Lock

    @classmethod
    async def open(cls, read: Read) -> "Access":
        """Read the credentials once. Raises NoCluster."""
        return cls(await read(), read, asyncio.Lock())

    async def authorization(self) -> str:
        """Give the value of the Authorization header; empty for a client certificate."""
        expires = self.grant.expires
        if expires is not None and expires - RENEW_BEFORE <= clock.now():
            await self._renew(self.grant)
        return self.grant.authorization

    async def refused(self, authorization: str) -> bool:
        """Read the credentials again after a 401; True when there is something new to try."""
        if self.grant.authorization == authorization:
            await self._renew(self.grant)
        return self.grant.authorization != authorization

    async def _renew(self, known: Grant) -> None:
        async with self._lock:
            if self.grant is known:
                self.grant = (await self._again(known))._replace(tls=known.tls)

    async def _again(self, known: Grant) -> Grant:
        """Read once more; while the known grant still holds, a failure to read is none."""
        try:
            return await self._read()
        except NoCluster as error:
            if known.expires is not None and known.expires > clock.now():
                return known
            raise Unauthorized(
                f"the cluster's credentials could not be renewed: {error.message}", status=401
            ) from error


def _named(path: Path | None) -> str:
    """Give the files to merge, joined as $KUBECONFIG joins them. Raises NoCluster."""
    name = str(path or os.environ.get("KUBECONFIG") or Path("~/.kube/config"))
    files = [str(Path(one).expanduser()) for one in name.split(os.pathsep) if one]
    if not any(Path(one).is_file() for one in files):
        raise NoCluster(f"there is no kubeconfig at {name}: name an existing file")
    return os.pathsep.join(files)


async def from_kubeconfig(path: Path | None, context: str | None) -> Access:
    """Use a kubeconfig file (None: $KUBECONFIG or ~/.kube/config). Raises NoCluster."""
    name = _named(path)

    async def read() -> Grant:
        from kubernetes_asyncio.config import kube_config

        return await _load(lambda into: kube_config.load_kube_config(name, context, into, persist_config=False))

    return await Access.open(read)


async def from_dict(config: Mapping[str, Any]) -> Access:
    """Use a kubeconfig that is already a dict. Raises NoCluster."""

    async def read() -> Grant:
        from kubernetes_asyncio.config import kube_config

        return await _load(lambda into: kube_config.load_kube_config_from_dict(dict(config), None, into))

    return await Access.open(read)


async def from_pod() -> Access:
    """Use the service account of the pod we run in. Raises NoCluster."""

    async def read() -> Grant:
        from kubernetes_asyncio.config import incluster_config

        async def load(into: Any) -> None:
            incluster_config.load_incluster_config(into, try_refresh_token=False)  # type: ignore[no-untyped-call]

        grant = await _load(load)
        return grant._replace(expires=clock.now() + TOKEN_FILE_AGE + RENEW_BEFORE)

    return await Access.open(read)


async def _load(load: Callable[[Any], Awaitable[Any]]) -> Grant:
    from kubernetes_asyncio.client import Configuration
    from kubernetes_asyncio.config import ConfigException, kube_config

    logging.getLogger("kubernetes_asyncio.config.kube_config").setLevel(logging.CRITICAL)
    into = Configuration()
    try:
        loader = await load(into)
        tls = _tls(into) if str(into.host).startswith("https") else None
    except (ConfigException, OSError, ValueError, KeyError, TypeError, AssertionError) as error:
        reason = redact(str(error)) or type(error).__name__
        raise NoCluster(f"the cluster's credentials can't be used: {reason}") from error
    finally:
        kube_config._cleanup_temp_files()  # noqa: SLF001  # keys from the kubeconfig must not stay on disk
    return Grant(
        server=str(into.host).rstrip("/"),
        authorization=str(into.api_key.get("BearerToken") or "").strip(),
        tls=tls,
        server_name=into.tls_server_name,
        proxy=into.proxy or _environment_proxy(str(into.host)),
        expires=getattr(loader, "exec_plugin_expiry", None),
    )


def _environment_proxy(server: str) -> str | None:
    """The proxy of the environment, as curl and client-go read it."""
    url = urlsplit(server)
    return None if proxy_bypass(url.hostname or "") else getproxies().get(url.scheme)


def _tls(config: Any) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=config.ssl_ca_cert)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if config.cert_file:
        context.load_cert_chain(config.cert_file, keyfile=config.key_file)
    if not config.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def kubeconfig_of(server: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """Shape the `config` of an Argo CD cluster Secret as a kubeconfig. Pure. Raises NoCluster for AWS's own shape."""
    if config.get("awsAuthConfig"):
        raise NoCluster(
            "awsAuthConfig needs Argo CD's own helper: use execProviderConfig with `aws eks get-token` instead"
        )
    tls = config.get("tlsClientConfig") or {}
    cluster = {
        "server": server,
        "insecure-skip-tls-verify": tls.get("insecure"),
        "tls-server-name": tls.get("serverName"),
        "certificate-authority-data": tls.get("caData"),
        "proxy-url": config.get("proxyUrl"),
    }
    user = {
        "token": config.get("bearerToken"),
        "username": config.get("username"),
        "password": config.get("password"),
        "client-certificate-data": tls.get("certData"),
        "client-key-data": tls.get("keyData"),
        "exec": _exec(config.get("execProviderConfig") or {}),
    }
    return {
        "current-context": "it",
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        "clusters": [{"name": "it", "cluster": _without_empty(cluster)}],
        "users": [{"name": "it", "user": _without_empty(user)}],
    }


def _exec(config: Mapping[str, Any]) -> dict[str, Any] | None:
    if not config.get("command"):
        return None
    plugin = {
        "command": config["command"],
        "args": config.get("args"),
        "apiVersion": config.get("apiVersion") or "client.authentication.k8s.io/v1",
        "env": [{"name": name, "value": value} for name, value in (config.get("env") or {}).items()],
    }
    return _without_empty(plugin)


def _without_empty(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value}
