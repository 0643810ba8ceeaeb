"""All repositories that somebody uses, by normalised URL: those of Applications, and those asked about lately."""

import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable

from services.git_watcher import measures
from services.git_watcher.repository import Repository, Way
from services.git_watcher.usage import Usage, Use
from shared.events import Event
from shared.git.access import Access
from shared.git.mirrors import Mirrors
from shared.kinds.secrets import normalise_url, split_url

ASKED_ABOUT_SECONDS = 24 * 3600.0
Lookup = Callable[[str, str], Access]
"""How to reach an address for a project."""


class Repositories:
    """One instance a process."""

    def __init__(
        self, mirrors: Mirrors, usage: Usage, lookup: Lookup, publish: Callable[[Event], Awaitable[object]]
    ) -> None:
        self.usage = usage
        self._mirrors, self._lookup, self._publish = mirrors, lookup, publish
        self._all: dict[str, Repository] = {}
        self._asked: dict[str, Use] = {}
        self._by_place: defaultdict[tuple[str, str], set[str]] = defaultdict(set)

    def of(self, url: str, project: str = "") -> Repository:
        """The repository at an address as somebody wrote it, from now on known."""
        name = normalise_url(url)
        self._asked[name] = Use(url, "", project)
        repository = self.named(name)
        repository.asked_at = time.monotonic()
        return repository

    def named(self, name: str) -> Repository:
        if name not in self._all:
            self._all[name] = Repository(name, self._mirrors, lambda: self.way(name), self._publish)
            self._by_place[_place(f"https://{name}")].add(name)
            measures.repositories.set(len(self._all))
        return self._all[name]

    def meant_by(self, urls: Iterable[str]) -> list[Repository]:
        """The repositories in use that a provider's addresses mean, whatever their scheme, port or case."""
        names = {name for url in urls for name in self._by_place.get(_place(url), ())}
        return [self._all[name] for name in sorted(names)]

    def in_use(self, repository: Repository) -> bool:
        asked = time.monotonic() - repository.asked_at < ASKED_ABOUT_SECONDS
        return bool(self.usage.uses(repository.name)) or (asked and repository.name in self._asked)

    async def forget(self, repository: Repository) -> None:
        self._all.pop(repository.name, None)
        self._asked.pop(repository.name, None)
        self._by_place[_place(f"https://{repository.name}")].discard(repository.name)
        measures.repositories.set(len(self._all))
        await repository.erase()

    async def tidy(self, repository: Repository) -> None:
        await self._mirrors.tidy(repository.name)

    def release(self) -> None:
        """Credentials have changed: whoever failed may try again at once."""
        for repository in self._all.values():
            repository.release()

    def failing(self) -> list[str]:
        return [name for name, repository in self._all.items() if repository.failure is not None]

    def way(self, name: str) -> Way:
        """The first use that has credentials; the projects of the same repository may have different ones."""
        uses = (*self.usage.uses(name), *filter(None, [self._asked.get(name)])) or (Use(f"https://{name}", "", ""),)
        places = dict.fromkeys((use.url, use.project) for use in uses)
        ways = ((url, self._lookup(url, project)) for url, project in places)
        url, access = next(ways)
        if not access.has_credentials:
            url, access = next((way for way in ways if way[1].has_credentials), (url, access))
        return Way(url, access, self.usage.targets(name))


def _place(url: str) -> tuple[str, str]:
    found = split_url(url)
    return found.host, found.path.lower()
