"""Which Applications read which paths of which repository: the answer to "a push changed these paths, who cares?".

In: what a render read (paths, directory prefixes ending in "/"). Out: the Applications that a change touches.
The cost of a question is the number of changed paths times their depth, never the number of Applications.
Never: I/O, or a decision about what to do with the answer.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from services.reconciler.keys import AppKey


class Branch(NamedTuple):
    """One moving name in one repository: the normalised URL and a ref, such as `refs/heads/main`."""

    repo: str
    ref: str


class Reads(NamedTuple):
    """What one Application read from one branch. `paths` None: unknown, so every change may matter."""

    branch: Branch
    paths: tuple[str, ...] | None


def ancestors(path: str) -> Iterator[str]:
    """Give `path` itself, then each directory above it with its "/", then "" for the root."""
    yield path
    cut = path.rfind("/")
    while cut > 0:
        yield path[: cut + 1]
        cut = path.rfind("/", 0, cut)
    yield ""


class InputIndex:
    """(branch, path) -> Applications, updated when an Application renders."""

    def __init__(self) -> None:
        self._reads: dict[AppKey, tuple[Reads, ...]] = {}
        self._by_path: dict[Branch, dict[str, set[AppKey]]] = defaultdict(dict)
        self._always: dict[Branch, set[AppKey]] = defaultdict(set)

    def put(self, app: AppKey, reads: Iterable[Reads]) -> None:
        """Replace what is known of `app`."""
        self.drop(app)
        self._reads[app] = kept = tuple(reads)
        for branch, paths in kept:
            if paths is None:
                self._always[branch].add(app)
            for path in paths or ():
                self._by_path[branch].setdefault("" if path in {".", "/", "./"} else path, set()).add(app)

    def drop(self, app: AppKey) -> None:
        """Forget `app`."""
        for branch, paths in self._reads.pop(app, ()):
            self._always[branch].discard(app)
            for path in paths or ():
                self._forget_path(branch, "" if path in {".", "/", "./"} else path, app)
            if not self._always[branch] and not self._by_path[branch]:
                del self._always[branch], self._by_path[branch]

    def _forget_path(self, branch: Branch, path: str, app: AppKey) -> None:
        holders = self._by_path[branch].get(path)
        if holders is None:
            return
        holders.discard(app)
        if not holders:
            del self._by_path[branch][path]

    def branches(self) -> list[Branch]:
        """Give every branch that some Application reads."""
        return list({*self._by_path, *self._always})

    def readers(self, branch: Branch) -> set[AppKey]:
        """Give every Application that reads the branch, whatever the path."""
        found = set(self._always.get(branch, ()))
        return found.union(*self._by_path.get(branch, {}).values())

    def affected(self, branch: Branch, changed: Iterable[str] | None) -> set[AppKey]:
        """Give the Applications that these paths concern. None: it is unknown what changed, so all readers."""
        if changed is None:
            return self.readers(branch)
        found = set(self._always.get(branch, ()))
        by_path = self._by_path.get(branch, {})
        for path in changed:
            for place in ancestors(path):
                found |= by_path.get(place, set())
        return found
