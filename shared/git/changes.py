"""What differs between two commits of a mirror: the paths, and whether history was rewritten.

Equal subtrees are skipped by their object id, so the cost follows the change; a bomb of nested trees stops at the cap.
A rename counts as both of its paths.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import pygit2
from pygit2.enums import ReferenceFilter

from shared.git.mirror import commit_of, open_mirror

MAX_CHANGED = 10_000
MAX_CHANGED_CHARACTERS = 400_000  # an event has to fit into a message


class Commit(NamedTuple):
    author: str
    committed_at: datetime
    subject: str
    message: str


def changed_paths(mirror: Path, old: str, new: str, *, cap: int = MAX_CHANGED) -> tuple[str, ...] | None:
    """Every path that differs, sorted; None for too many to tell. `RevisionNotFound` when the mirror lacks a commit."""
    repository = open_mirror(mirror)
    before, after = commit_of(repository, old).tree, commit_of(repository, new).tree
    paths = list(islice(_differences("", before, after), cap + 1))
    if len(paths) > cap or sum(map(len, paths)) > MAX_CHANGED_CHARACTERS:
        return None
    return tuple(sorted(set(paths)))


def forced(mirror: Path, old: str, new: str) -> bool:
    """True when the old commit is not in the new one's history. A shallow mirror can't tell: False."""
    repository = open_mirror(mirror)
    return old != new and not repository.is_shallow and not repository.descendant_of(new, old)


def describe(mirror: Path, revision: str) -> Commit:
    commit = commit_of(open_mirror(mirror), revision)
    zone = timezone(timedelta(minutes=commit.commit_time_offset))
    moment = datetime.fromtimestamp(commit.commit_time, zone).astimezone(UTC)
    message = commit.raw_message.decode(errors="replace")
    author = f"{commit.author.name} <{commit.author.email}>"
    return Commit(author, moment, message.strip().partition("\n")[0], message)


def tags_at(mirror: Path, revision: str) -> tuple[str, ...]:
    """The tags of the mirror itself that point to a commit."""
    repository = open_mirror(mirror)
    tags = repository.references.iterator(ReferenceFilter.TAGS)
    return tuple(sorted(tag.shorthand for tag in tags if str(tag.peel(pygit2.Commit).id) == revision))


def _differences(path: str, old: pygit2.Object | None, new: pygit2.Object | None) -> Iterator[str]:
    if not isinstance(old, pygit2.Tree) and not isinstance(new, pygit2.Tree):
        yield path
        return
    if (old is not None and not isinstance(old, pygit2.Tree)) or (new is not None and not isinstance(new, pygit2.Tree)):
        yield path  # a file became a folder, or the other way round: the file's own path, then everything inside
    before, after = _children(old), _children(new)
    for name in before.keys() | after.keys():
        left, right = before.get(name), after.get(name)
        if left is None or right is None or left.id != right.id or left.filemode != right.filemode:
            yield from _differences(f"{path}/{name}" if path else name, left, right)


def _children(node: pygit2.Object | None) -> dict[str, pygit2.Object]:
    if not isinstance(node, pygit2.Tree):
        return {}
    return {(child.raw_name or b"").decode(errors="surrogateescape"): child for child in node}
