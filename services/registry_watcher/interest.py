"""Which repositories matter to whom: what owners said with `registry.watch`, and what was asked about lately. Pure.

A webhook about anything else costs nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from shared.oci.reference import Repository


class Way(NamedTuple):
    """As whom a repository is asked: a reference to a pull secret, and the namespace that uses it."""

    pull_secret: str = ""
    namespace: str = ""


class Want(NamedTuple):
    """`tags`: those whose movement matters; `list_tags`: whether new ones do."""

    way: Way
    tags: frozenset[str] = frozenset()
    list_tags: bool = True


class Interest:
    """One instance a process. `asked_seconds`: how long a question counts."""

    def __init__(self, asked_seconds: float) -> None:
        self._asked_seconds = asked_seconds
        self._owned: dict[str, Mapping[Repository, tuple[Want, ...]]] = {}
        self._asked: defaultdict[Repository, dict[Way, float]] = defaultdict(dict)
        self._owners: defaultdict[Repository, set[str]] = defaultdict(set)
        self._by_path: defaultdict[str, set[Repository]] = defaultdict(set)

    def set(self, owner: str, wants: Mapping[Repository, tuple[Want, ...]]) -> None:
        """Everything that this owner is interested in."""
        for repository in self._owned.pop(owner, {}):
            self._owners[repository].discard(owner)
            self._forget_if_idle(repository)
        if wants:
            self._owned[owner] = wants
        for repository in wants:
            self._owners[repository].add(owner)
            self._by_path[repository.name].add(repository)

    def asked(self, repository: Repository, way: Way, at: float) -> None:
        self._asked[repository][way] = at
        self._by_path[repository.name].add(repository)

    def wants(self, repository: Repository, at: float) -> tuple[Want, ...]:
        """Owners first; what was asked about too long ago is forgotten on the way."""
        asked = self._asked.get(repository, {})
        for way in [way for way, when in asked.items() if at - when > self._asked_seconds]:
            del asked[way]
        owned = [want for owner in sorted(self._owners.get(repository, ())) for want in self._owned[owner][repository]]
        found = (*dict.fromkeys(owned), *(Want(way) for way in asked))
        self._forget_if_idle(repository)
        return found

    def meant_by(self, host: str, path: str) -> list[Repository]:
        """The repositories that a sender may mean. Hosts have several names: if none fits, the path decides."""
        named = self._by_path.get(path, set())
        exact = [repository for repository in named if repository.host == host]
        return exact or sorted(named)

    def repositories(self) -> Iterator[Repository]:
        return iter({repository for named in self._by_path.values() for repository in named})

    def _forget_if_idle(self, repository: Repository) -> None:
        if self._owners.get(repository) or self._asked.get(repository):
            return
        self._owners.pop(repository, None)
        self._asked.pop(repository, None)
        left = self._by_path.get(repository.name, set())
        left.discard(repository)
        if not left:
            self._by_path.pop(repository.name, None)


def tags_of(wants: Iterable[Want]) -> frozenset[str]:
    return frozenset(tag for want in wants for tag in want.tags)
