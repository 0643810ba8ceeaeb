"""Argo CD's Secrets as the command line writes and finds them: clusters, repositories, credentials for many of these.

Their values go in and never come out: what is shown is chosen field by field by who shows it.
"""

import base64
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from services.cli.errors import CliError
from services.cli.session import Session
from shared.kinds.secretdata import TYPE_LABEL, decoded
from shared.kube import AlreadyExists, Resource, verbs

Obj = dict[str, Any]
SECRETS = Resource("", "v1", "Secret", "secrets", namespaced=True)
MANAGED_BY = {"managed-by": "argocd.argoproj.io"}


def named_after(prefix: str, text: str) -> str:
    """A Secret's name for a URL; the same for the same."""
    return f"{prefix}-{blake2b(text.encode(), digest_size=5).hexdigest()}"


def secret(session: Session, kind: str, name: str, texts: Mapping[str, str]) -> Obj:
    """A Secret of Argo CD's; empty texts are left out."""
    metadata = {
        "name": name,
        "namespace": session.namespace,
        "labels": {TYPE_LABEL: kind},
        "annotations": dict(MANAGED_BY),
    }
    data = {key: base64.b64encode(text.encode()).decode() for key, text in texts.items() if text}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "data": data}


async def all_of(session: Session, kind: str) -> list[Obj]:
    """Every Secret of a kind, by name."""
    found = await verbs.list_(session.cluster, SECRETS, session.namespace, label_selector=f"{TYPE_LABEL}={kind}")
    return sorted(found, key=lambda obj: str(obj["metadata"]["name"]))


async def write(session: Session, obj: Obj, known: Obj | None, *, what: str, upsert: bool) -> None:
    """Create it, or with `upsert` put it in the place of the one that is known."""
    if known is None:
        try:
            await verbs.create(session.cluster, SECRETS, obj)
        except AlreadyExists as error:
            name = obj["metadata"]["name"]
            raise CliError(f"there is another Secret {name}", hint="delete it, or write yours with kubectl") from error
        return
    if not upsert:
        raise CliError(f"{what} is registered already", hint="--upsert replaces what is known of it")
    metadata = {**known["metadata"], "annotations": {**(known["metadata"].get("annotations") or {}), **MANAGED_BY}}
    await verbs.update(session.cluster, SECRETS, {**obj, "metadata": metadata})


async def change(session: Session, known: Obj, texts: Mapping[str, str], metadata: Obj) -> None:
    """Change some texts, labels and annotations of a Secret."""
    data = {key: base64.b64encode(text.encode()).decode() for key, text in texts.items()}
    body = {"metadata": {**metadata, "resourceVersion": known["metadata"]["resourceVersion"]}, "data": data}
    await verbs.patch(session.cluster, SECRETS, session.namespace, known["metadata"]["name"], body)


async def remove(session: Session, known: Obj) -> None:
    await verbs.delete(session.cluster, SECRETS, session.namespace, known["metadata"]["name"])


def texts_of(obj: Obj) -> dict[str, str]:
    """What a Secret holds; for deciding, not for showing."""
    return decoded(obj)
