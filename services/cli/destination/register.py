"""`cluster add`, `set`, `rm`, `rotate-auth`: one Secret in Argo's namespace, one account in the destination.

`add` reads the person's own kubeconfig, but only the context that was named; what is written is tried first.
"""

import base64
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import yaml

from services.cli import argosecret
from services.cli.destination import known
from services.cli.destination.tokens import Account, Token, account_of, drop_token, make_account, make_token
from services.cli.errors import CliError, Exit
from services.cli.options import Where
from services.cli.output import note
from services.cli.session import Session, open_cluster
from shared.kinds.application import IN_CLUSTER
from shared.kinds.clusters import ClusterConfig, ClusterSecret
from shared.kube import Cluster, Discovery, KubeError, connect, connect_secret

Obj = dict[str, Any]


@dataclass(frozen=True)
class Wish:
    """What a person said of the cluster to add."""

    context: str
    kubeconfig: Path | None = None
    name: str = ""
    namespaces: tuple[str, ...] = ()
    cluster_resources: bool = False
    project: str = ""
    labels: tuple[str, ...] = ()
    annotations: tuple[str, ...] = ()
    account: str = ""
    system_namespace: str = "kube-system"
    in_cluster: bool = False
    upsert: bool = False


class Entry(NamedTuple):
    """How a kubeconfig reaches a context's cluster."""

    insecure: bool
    server_name: str
    authority: bytes
    proxy: str


async def add(where: Where, wish: Wish) -> None:
    """Make the account in the destination, try its token, and write the Secret."""
    path = wish.kubeconfig or own_kubeconfig()
    entry = entry_of(path, wish.context)
    account = Account(wish.system_namespace, wish.account) if wish.account else Account(wish.system_namespace)
    async with open_cluster(where) as session, connect(path, wish.context) as target:
        server = IN_CLUSTER if wish.in_cluster else target.server
        before = await known.find(session, server)
        if before is not None and not wish.upsert:
            raise CliError(f"cluster {server} is registered already", hint="--upsert replaces what is known of it")
        if not wish.account:
            await make_account(target, account, wish.namespaces)
        token = await make_token(target, account)
        config = config_of(entry, token)
        version = await tried(target.server, config)
        obj = argosecret.secret(session, known.KIND, secret_name(server), texts(wish, server, config))
        obj["metadata"]["labels"] |= pairs(wish.labels, "--label")
        obj["metadata"]["annotations"] |= pairs(wish.annotations, "--annotation")
        await argosecret.write(session, obj, before.obj if before else None, what=server, upsert=wish.upsert)
    note(f"cluster {server} added as {wish.name or wish.context} (Kubernetes {version})")


def own_kubeconfig() -> Path:
    """Kubectl's own choice of file; only the context that was named is used."""
    return Path(os.environ.get("KUBECONFIG", "").split(os.pathsep)[0] or "~/.kube/config").expanduser()


def texts(wish: Wish, server: str, config: Obj) -> dict[str, str]:
    return {
        "name": wish.name or wish.context,
        "server": server,
        "namespaces": ",".join(wish.namespaces),
        "clusterResources": "true" if wish.cluster_resources else "",
        "project": wish.project,
        "config": json.dumps(config),
    }


def entry_of(path: Path, context: str) -> Entry:
    """Read what a kubeconfig says of a context's cluster."""
    try:
        found = yaml.load(path.read_bytes(), yaml.CSafeLoader)
        name = next(one["context"]["cluster"] for one in found["contexts"] if one["name"] == context)
        cluster: Obj = next(one["cluster"] for one in found["clusters"] if one["name"] == name)
    except OSError as error:
        raise CliError(f"{path} can't be read: {error.strerror}", code=Exit.NOT_FOUND) from error
    except (StopIteration, KeyError, TypeError, yaml.YAMLError) as error:
        hint = "`kubectl config get-contexts` lists them"
        raise CliError(f"{path} has no usable context {context!r}", hint=hint, code=Exit.NOT_FOUND) from error
    file, data = cluster.get("certificate-authority"), cluster.get("certificate-authority-data")
    authority = base64.b64decode(data) if data else (path.parent / file).read_bytes() if file else b""
    insecure = bool(cluster.get("insecure-skip-tls-verify"))
    return Entry(insecure, cluster.get("tls-server-name") or "", authority, cluster.get("proxy-url") or "")


def config_of(entry: Entry, token: Token) -> Obj:
    """The Secret's `config`. The kubeconfig's CA goes before the cluster's own: there may be a balancer between."""
    authority = base64.b64encode(entry.authority or token.authority).decode()
    tls: Obj = {"insecure": entry.insecure} | ({} if entry.insecure else {"caData": authority})
    tls |= {"serverName": entry.server_name} if entry.server_name else {}
    proxy = {"proxyUrl": entry.proxy} if entry.proxy else {}
    return {"bearerToken": token.text, "tlsClientConfig": tls, **proxy}


async def tried(server: str, config: Obj) -> str:
    """The version that the cluster gives to these credentials."""
    secret = ClusterSecret(server=server, config=ClusterConfig.model_validate(config, by_name=False))
    try:
        async with connect_secret(secret) as cluster:
            return await Discovery(cluster).version()
    except KubeError as error:
        raise CliError(f"the new credentials don't work, nothing was written: {error.message}") from error


def secret_name(server: str) -> str:
    host = (urlsplit(server).hostname or "cluster").lower()
    return argosecret.named_after(f"cluster-{host.replace(':', '-')}", server)


def pairs(given: tuple[str, ...], option: str) -> dict[str, str]:
    """KEY=VALUE, several times."""
    wrong = [one for one in given if "=" not in one]
    if wrong:
        raise CliError(f"{option} {wrong[0]!r} is not KEY=VALUE", code=Exit.USAGE)
    return dict(one.split("=", 1) for one in given)


async def change(where: Where, word: str, *, name: str, namespaces: tuple[str, ...] | None, metadata: Obj) -> None:
    async with open_cluster(where) as session:
        found = await known.get(session, word)
        wanted = {"name": name} if name else {}
        wanted |= {} if namespaces is None else {"namespaces": ",".join(namespaces)}
        await argosecret.change(session, found.obj, wanted, metadata)
    note(f"cluster {found.secret.server} changed")


async def remove(where: Where, word: str) -> None:
    async with open_cluster(where) as session:
        found = await known.get(session, word)
        await argosecret.remove(session, found.obj)
    account = account_of(found.secret.config.bearer_token.reveal())
    left = f"; its ServiceAccount {account.namespace}/{account.name} stays there" if account else ""
    note(f"cluster {found.secret.server} removed; what was delivered to it stays{left}")


async def rotate(where: Where, word: str) -> None:
    """A new token, tried and written; then the old one is made worthless."""
    async with open_cluster(where) as session:
        found = await known.get(session, word)
        account = account_of(found.secret.config.bearer_token.reveal())
        if account is None:
            hint = "renew them where they come from, and write them into the Secret"
            raise CliError(f"the credentials of {found.secret.server} are no ServiceAccount's token", hint=hint)
        async with connect_secret(found.secret) as target:
            await exchange(session, found, target, account)
    note(f"the token of {found.secret.server} is renewed")


async def exchange(session: Session, found: known.Registered, target: Cluster, account: Account) -> None:
    token = await make_token(target, account)
    config: Obj = json.loads(argosecret.texts_of(found.obj)["config"]) | {"bearerToken": token.text}
    await tried(found.secret.server, config)
    await argosecret.change(session, found.obj, {"config": json.dumps(config)}, {})
    await drop_token(target, account)
