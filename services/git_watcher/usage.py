"""Which repositories the Applications use, at which target revisions: an index, so a push asks for one entry. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from shared.kinds.secrets import normalise_url

Key = tuple[str, str]


class Use(NamedTuple):
    """One source of one Application: the address as it is written there, the project it may need credentials for."""

    url: str
    target: str
    project: str = ""


def uses_of(spec: Mapping[str, Any]) -> frozenset[Use]:
    """The git sources of an Application's spec; charts and OCI artifacts are not ours."""
    sources = [*(spec.get("sources") or ()), spec.get("source"), *_hydrated(spec.get("sourceHydrator") or {})]
    project = str(spec.get("project") or "default")
    return frozenset(
        Use(str(source["repoURL"]), str(source.get("targetRevision") or "HEAD"), project)
        for source in sources
        if source and source.get("repoURL") and not source.get("chart") and not source["repoURL"].startswith("oci://")
    )


def _hydrated(hydrator: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Where the dry source is, and the branch that holds what it becomes."""
    dry, synced = hydrator.get("drySource") or {}, hydrator.get("syncSource") or {}
    return [dry, {"repoURL": synced.get("repoURL") or dry.get("repoURL"), "targetRevision": synced.get("targetBranch")}]


class Usage:
    """One instance a process. `put` tells which repositories became used."""

    def __init__(self) -> None:
        self._by_application: dict[Key, frozenset[Use]] = {}
        self._by_repository: defaultdict[str, Counter[Use]] = defaultdict(Counter)

    def put(self, application: Key, uses: Iterable[Use]) -> set[str]:
        before, after = self._by_application.get(application, frozenset()), frozenset(uses)
        fresh = {normalise_url(use.url) for use in after} - self._by_repository.keys()
        for use in before - after:
            self._drop(use)
        for use in after - before:
            self._by_repository[normalise_url(use.url)][use] += 1
        if after:
            self._by_application[application] = after
        else:
            self._by_application.pop(application, None)
        return fresh

    def _drop(self, use: Use) -> None:
        url = normalise_url(use.url)
        left = self._by_repository[url]
        left[use] -= 1
        if left[use] <= 0:
            del left[use]
        if not left:
            del self._by_repository[url]

    def repositories(self) -> Iterable[str]:
        return tuple(self._by_repository)

    def uses(self, repository: str) -> tuple[Use, ...]:
        return tuple(self._by_repository.get(repository, ()))

    def targets(self, repository: str) -> frozenset[str]:
        return frozenset(use.target for use in self._by_repository.get(repository, ()))
