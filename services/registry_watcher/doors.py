"""The registries in use, each repository as each somebody: one client session, one pace for each host.

In: a repository and a `Way`. Out: a `Registry`, which keeps its token for as long as the credentials are the same.
"""

import aiohttp

from services.registry_watcher.credentials import Credentials, base_of
from services.registry_watcher.interest import Way
from shared.oci.pacing import Pace
from shared.oci.reference import Repository
from shared.oci.registries import Registries
from shared.oci.registry import Registry

MOST = 20_000


class Doors:
    """One instance a process."""

    def __init__(self, client: aiohttp.ClientSession, credentials: Credentials) -> None:
        self._client, self._credentials = client, credentials
        self._open: dict[tuple[Repository, Way], Registry] = {}
        self._paces: dict[str, Pace] = {}

    @property
    def registries(self) -> Registries:
        return self._credentials.registries

    async def open(self, repository: Repository, way: Way) -> Registry:
        """Raises an `OciFailure` when the credentials can't be had."""
        access = await self._credentials.access(repository, way)
        settings = self.registries.of(repository)
        base = base_of(settings)
        known = self._open.get((repository, way))
        if known is not None and (known.access, known.base) == (access, base):
            return known
        if len(self._open) >= MOST:
            self._open.clear()
        pace = self._paces.setdefault(repository.host, Pace())
        pace.rate = settings.rate
        self._open[repository, way] = found = Registry(self._client, repository, access, pace, base)
        return found

    def refused(self, repository: Repository) -> None:
        """Its credentials are read anew the next time."""
        self._credentials.forget(repository)

    def changed(self, registries: Registries) -> None:
        """registries.conf says something else now."""
        self._credentials.registries = registries
        self.forget()

    def forget(self) -> None:
        self._credentials.forget()
        self._open.clear()
