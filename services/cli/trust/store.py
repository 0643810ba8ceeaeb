"""Argo CD's ConfigMaps of hosts, certificates and keys: read, and written only on what was read."""

from collections.abc import Callable

from services.cli.errors import CliError, Exit
from services.cli.session import Session
from shared.kube import Conflict, NotFound, verbs

Data = dict[str, str]
LABELS = {"app.kubernetes.io/part-of": "argocd"}


async def read(session: Session, name: str) -> Data:
    """Give a ConfigMap's data; empty when there is no such ConfigMap."""
    resource = await session.discovery.resource("", "ConfigMap")
    try:
        found = await verbs.get(session.cluster, resource, session.namespace, name)
    except NotFound:
        return {}
    return dict(found.get("data") or {})


async def edit(session: Session, name: str, change: Callable[[Data], Data]) -> None:
    """Change a ConfigMap's data; it is made when there is none."""
    resource = await session.discovery.resource("", "ConfigMap")
    metadata = {"name": name, "namespace": session.namespace}
    try:
        found = await verbs.get(session.cluster, resource, session.namespace, name)
    except NotFound:
        obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {**metadata, "labels": LABELS}}
        await verbs.create(session.cluster, resource, {**obj, "data": change({})})
        return
    before = dict(found.get("data") or {})
    after = change(before)
    patch = {key: after.get(key) for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    if not patch:
        return
    version = {"resourceVersion": found["metadata"]["resourceVersion"]}
    try:
        await verbs.patch(session.cluster, resource, session.namespace, name, {"metadata": version, "data": patch})
    except Conflict as error:
        raise CliError(f"somebody else changed {name} meanwhile", hint="try again") from error


def text_of(source: str) -> str:
    """Read a file that the person names, or standard input for `-`."""
    import sys
    from pathlib import Path

    if source == "-":
        return sys.stdin.read()
    try:
        return Path(source).expanduser().read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise CliError(f"{source} can't be read: {error}", code=Exit.USAGE) from error
