"""Where credentials come from: a kubeconfig, a pod's service account, an Argo CD cluster Secret.

In: files or a Secret. Out: an `Access`. What needs a plugin (exec, OIDC) or several files is read by
kubernetes_asyncio, imported only here and only then; the rest by logins.py. Never: a key that stays in a file, a
secret in an error.
"""

import asyncio
import hashlib
import logging
import os
import ssl
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import yaml

from shared import clock
from shared.kinds.clusters import AWSAuth, ClusterConfig, ClusterSecret, ExecProvider
from shared.kube import eks
from shared.kube.access import Access, Grant
from shared.kube.errors import NoCluster
from shared.kube.logins import login, stand_in
from shared.security import redact

POD = "KUBERNETES_SERVICE_HOST"
SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
TOKEN_FILE_AGE = timedelta(minutes=1)
PLUGIN_SECONDS = 60.0
_MALFORMED = (OSError, ValueError, LookupError, TypeError, AssertionError, AttributeError)
USED_UP = 0.8  # of a credential's life; then it is renewed


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
        parsed = _parsed(name)
        if plain := _plain(parsed, context, Path(name).parent):
            return plain
        from kubernetes_asyncio.config import kube_config

        headers = stand_in(parsed, context)
        grant = await _load(lambda into: kube_config.load_kube_config(name, context, into, persist_config=False))
        return grant._replace(headers=headers)

    return Access(await read(), read)


async def from_secret(secret: ClusterSecret) -> Access:
    """Use an Argo CD cluster Secret. Raises NoCluster."""
    config = kubeconfig_of(secret.server, secret.config)
    aws = secret.config.aws_auth_config

    async def read() -> Grant:
        if aws is not None:
            return await _of_aws(config, aws)
        if plain := _plain(config, None, Path()):
            return plain
        from kubernetes_asyncio.config import kube_config

        return await _load(lambda into: kube_config.load_kube_config_from_dict(config, None, into))

    return Access(await read(), read)


async def _of_aws(config: dict[str, Any], auth: AWSAuth) -> Grant:
    """The cluster of a Secret, by a token of AWS. Raises NoCluster."""
    token = await eks.bearer(auth, os.environ, clock.now())
    user = {**config["users"][0]["user"], "token": token.text}
    plain = _plain({**config, "users": [{"name": "it", "user": user}]}, None, Path())
    if plain is None:
        raise NoCluster("the cluster Secret has awsAuthConfig and another login beside it: leave one away")
    return plain._replace(renew_at=token.renew_at, expires=token.expires)


async def from_pod(environment: Mapping[str, str], folder: Path = SERVICE_ACCOUNT) -> Access:
    """Use the service account of the pod we run in. Raises NoCluster."""
    host, port = environment[POD], environment.get("KUBERNETES_SERVICE_PORT", "443")
    server = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
    cluster = {"server": server, "certificate-authority": "ca.crt"}

    async def read() -> Grant:
        if plain := _plain(_one_context(cluster, {"tokenFile": "token"}), None, folder):
            return plain
        raise NoCluster(f"the pod's service account can't be used: look at {folder}")

    return Access(await read(), read)


def _parsed(name: str) -> Mapping[str, Any]:
    """Read a kubeconfig. Several of them, or one that is odd, are left to kubernetes_asyncio."""
    try:
        found = {} if os.pathsep in name else yaml.load(Path(name).read_bytes(), yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError, OSError):
        return {}
    return found if isinstance(found, Mapping) else {}


def _plain(config: Mapping[str, Any], context: str | None, folder: Path) -> Grant | None:
    """Give the grant of a login that needs no plugin. Raises NoCluster."""
    try:
        found = login(config, context, folder)
        return found and Grant(
            server=found.server,
            authorization=found.authorization,
            tls=found.tls(),
            server_name=found.server_name,
            proxy=found.proxy or _environment_proxy(found.server),
            identity=found.identity,
            headers=found.headers,
            renew_at=clock.now() + TOKEN_FILE_AGE if found.changing else None,
        )
    except (OSError, ValueError) as error:
        raise NoCluster(f"the cluster's credentials can't be used: {redact(str(error))}") from error


async def _load(load: Callable[[Any], Awaitable[Any]]) -> Grant:
    from kubernetes_asyncio.client import Configuration
    from kubernetes_asyncio.config import ConfigException, kube_config

    logging.getLogger("kubernetes_asyncio.config.kube_config").setLevel(logging.CRITICAL)
    into = Configuration()
    try:
        async with asyncio.timeout(PLUGIN_SECONDS):
            loader = await load(into)
        tls, identity = _tls(into), _identity(into)
    except (ConfigException, yaml.YAMLError, *_MALFORMED) as error:
        reason = redact(str(error)) or type(error).__name__
        raise NoCluster(f"the cluster's credentials can't be used: {reason}") from error
    finally:
        kube_config._cleanup_temp_files()  # noqa: SLF001  # keys from the kubeconfig must not stay on disk
    expires, now = getattr(loader, "exec_plugin_expiry", None), clock.now()
    return Grant(
        server=str(into.host).rstrip("/"),
        authorization=str(into.api_key.get("BearerToken") or "").strip(),
        tls=tls,
        server_name=into.tls_server_name,
        proxy=into.proxy or _environment_proxy(str(into.host)),
        identity=identity,
        renew_at=expires and now + (expires - now) * USED_UP,
        expires=expires,
    )


def _environment_proxy(server: str) -> str | None:
    """The proxy of the environment, as curl and client-go read it."""
    url = urlsplit(server)
    return None if proxy_bypass(url.hostname or "") else getproxies().get(url.scheme)


def _tls(config: Any) -> ssl.SSLContext | None:
    if not str(config.host).startswith("https"):
        return None
    context = ssl.create_default_context(cafile=config.ssl_ca_cert)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if config.cert_file:
        context.load_cert_chain(config.cert_file, keyfile=config.key_file)
    if not config.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _identity(config: Any) -> bytes:
    """A digest of who we are to the server."""
    digest = hashlib.sha256(str(config.api_key.get("BearerToken") or "").encode())
    if config.cert_file:
        digest.update(Path(config.cert_file).read_bytes())
    return digest.digest()


def kubeconfig_of(server: str, config: ClusterConfig) -> dict[str, Any]:
    """Shape an Argo CD cluster Secret as a kubeconfig; what `awsAuthConfig` says becomes no part of it. Pure."""
    tls = config.tls_client_config
    cluster = {
        "server": server,
        "insecure-skip-tls-verify": tls.insecure,
        "tls-server-name": tls.server_name,
        "certificate-authority-data": "" if tls.insecure else tls.ca_data,
        "proxy-url": config.proxy_url,
    }
    user = {
        "token": config.bearer_token.reveal(),
        "username": config.username,
        "password": config.password.reveal(),
        "client-certificate-data": tls.cert_data,
        "client-key-data": tls.key_data.reveal(),
        "exec": _exec(config.exec_provider_config),
    }
    return _one_context(_without_empty(cluster), _without_empty(user))


def _one_context(cluster: Mapping[str, Any], user: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "current-context": "it",
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        "clusters": [{"name": "it", "cluster": dict(cluster)}],
        "users": [{"name": "it", "user": dict(user)}],
    }


def _exec(plugin: ExecProvider | None) -> dict[str, Any] | None:
    if plugin is None or not plugin.command:
        return None
    env = [{"name": name, "value": value} for name, value in plugin.env.items()]
    return _without_empty(
        {"command": plugin.command, "args": list(plugin.args), "apiVersion": plugin.api_version, "env": env}
    )


def _without_empty(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value}
