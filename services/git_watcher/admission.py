"""Whether a project may read a repository that another project's credentials fetch: with its own, or with none.

A mirror is shared by all who use the repository. Where a project would not use the same credentials as the mirror, the
remote is asked whether it lets the project in; its yes holds until the next poll. Nothing is fetched for it.
"""

import time
from collections.abc import Callable

from services.git_watcher.repositories import Lookup, Repositories
from services.git_watcher.repository import Repository
from shared.git.access import Access
from shared.git.mirrors import Mirrors

MOST = 10_000


class Admission:
    """One instance a process."""

    def __init__(
        self, repositories: Repositories, mirrors: Mirrors, lookup: Lookup, fresh_seconds: Callable[[], float]
    ) -> None:
        self._repositories, self._mirrors, self._lookup = repositories, mirrors, lookup
        self._fresh_seconds = fresh_seconds
        self._admitted: dict[tuple[str, Access], float] = {}

    async def check(self, repository: Repository, url: str, project: str) -> None:
        """Raises GitFailure when the remote does not let the project in. Our own services ask for no project."""
        own = self._lookup(url, project)
        if not project or own == self._repositories.way(repository.name).access:
            return
        key = (repository.name, own)
        if self._admitted.get(key, float("-inf")) + self._fresh_seconds() > time.monotonic():
            return
        await self._ask(f"{repository.name}#{project}", url, own)
        self._admitted[key] = time.monotonic()
        while len(self._admitted) > MOST:
            del self._admitted[next(iter(self._admitted))]

    async def _ask(self, place: str, url: str, own: Access) -> None:
        """In a place of its own, so that a project which is not let in slows down nobody else."""
        try:
            await self._mirrors.visit(place, url, own, lambda _seen: ())
        finally:
            await self._mirrors.discard(place)
