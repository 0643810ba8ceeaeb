"""What is known of a repository's refs, on disk beside its mirror, and what a fresh look says has moved. No network.

The file is written after the movements in it have been announced: a crash in between announces them again, and none is
lost. It survives the mirror, which can be fetched anew at any time.
"""

from pathlib import Path
from typing import NamedTuple

import msgspec

from shared.git.remote import RemoteRefs
from shared.git.revisions import TAGS


class Known(msgspec.Struct, frozen=True):
    """`refs`: every ref as last announced; `tracked`: those that something uses."""

    url: str
    refs: dict[str, str]
    head: str = ""
    tracked: frozenset[str] = frozenset()

    @property
    def seen(self) -> RemoteRefs:
        return RemoteRefs(self.refs, self.head)


class Movement(NamedTuple):
    ref: str
    old: str | None
    new: str | None


def movements(known: Known | None, seen: RemoteRefs, tracked: frozenset[str]) -> tuple[Movement, ...]:
    """Tracked refs and tags that differ; at the first look all tracked refs, for those who knew them before us."""
    before = known.refs if known else {}
    tags = () if known is None else (name for name in before.keys() | seen.refs.keys() if name.startswith(TAGS))
    both = (Movement(name, before.get(name), seen.refs.get(name)) for name in sorted({*tracked, *tags}))
    return tuple(move for move in both if move.old != move.new)


def load(file: Path) -> Known | None:
    """None when nothing is known, or when what is there can't be read."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Known)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def remove(file: Path) -> None:
    file.unlink(missing_ok=True)


def save(file: Path, known: Known) -> None:
    fresh = file.with_suffix(".new")
    fresh.write_bytes(msgspec.json.encode(known))
    fresh.replace(file)
