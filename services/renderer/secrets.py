"""Repository Secrets and trusted authorities of Argo's namespace, watched; always the newest view as one value.

In: two informers. Out: `current`, a `KnownRepositories`, built anew only when something changed. A Secret that can't be
read is logged by its name and left out. Every secret value is told to the redaction, so that no message can carry it.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import msgspec

from services.renderer.repositories import ChartRepository, KnownRepositories
from shared.kinds.secrets import (
    TYPE_LABEL,
    Credentials,
    InvalidSecret,
    RepositoryCredentials,
    RepositorySecret,
    secret_type,
)
from shared.kube import Cluster, Informer, Resource
from shared.run import Health
from shared.security import Secret, register
from shared.telemetry import get_logger

log = get_logger()
Obj = dict[str, Any]
T = TypeVar("T", bound=RepositoryCredentials)

SECRETS = Resource("", "v1", "Secret", "secrets", True, frozenset({"list", "watch"}))
CONFIG_MAPS = Resource("", "v1", "ConfigMap", "configmaps", True, frozenset({"list", "watch"}))
AUTHORITIES = "argocd-tls-certs-cm"
TYPES = "repository,repo-creds"


class RepositoryWatch:
    """`run` keeps it current; `current` and `lookup` may be used from the loop at any time after `listed`."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self._secrets = Informer(
            cluster, SECRETS, _decode, namespace=namespace, label_selector=f"{TYPE_LABEL} in ({TYPES})"
        )
        self._authorities = Informer(
            cluster, CONFIG_MAPS, _decode, namespace=namespace, field_selector=f"metadata.name={AUTHORITIES}"
        )
        self._known: KnownRepositories | None = None

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._secrets.run(self._changed))
            tasks.create_task(self._authorities.run(self._changed))

    async def listed(self, health: Health) -> None:
        """Ready when both lists were read once."""
        health.set_ready("repositories", False, "repository Secrets are not read yet")
        await asyncio.gather(self._secrets.listed(), self._authorities.listed())
        health.set_ready("repositories", True)

    @property
    def current(self) -> KnownRepositories:
        if self._known is None:
            self._known = known_repositories(self._secrets.store.values(), self._authorities.store.values())
        return self._known

    def lookup(self, url: str, project: str) -> ChartRepository:
        return self.current.lookup(url, project)

    def _changed(self, *_event: object) -> None:
        self._known = None


def known_repositories(secrets: Iterable[Obj], authorities: Iterable[Obj]) -> KnownRepositories:
    """One view of all the objects; secret values are registered for redaction on the way."""
    objects = list(secrets)
    found = KnownRepositories(
        repositories=tuple(_read(objects, "repository", RepositorySecret.from_secret)),
        templates=tuple(_read(objects, "repo-creds", RepositoryCredentials.from_secret)),
        authorities={host: text for each in authorities for host, text in (each.get("data") or {}).items()},
    )
    register(*(value for each in (*found.repositories, *found.templates) for value in _secret_values(each)))
    return found


def _read(objects: Iterable[Obj], kind: str, read: Callable[[Obj], T]) -> Iterator[T]:
    for obj in objects:
        if secret_type(obj) != kind:
            continue
        try:
            yield read(obj)
        except InvalidSecret as error:
            log.warning("repository Secret left out", problem=str(error))


def _secret_values(given: Credentials) -> Iterator[str]:
    for name in type(given).model_fields:
        value = getattr(given, name)
        if isinstance(value, Secret) and value:
            yield value.reveal()


def _decode(raw: bytes) -> Obj:
    found: Obj = msgspec.json.decode(raw)
    return found
