"""What is known of a repository: its tags, what they mean, what images are made of; and its file on disk. No network.

A tag that was found and is not announced yet is `pending`, so that a crash in between loses none. What a digest holds
never changes, so it is kept for as long as a tag means it.
"""

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

SUFFIX = ".msgpack"


class Part(msgspec.Struct, frozen=True):
    """One image of an index. `created`: where the index says it."""

    digest: str
    platform: str
    created: datetime | None = None


class Facts(msgspec.Struct, frozen=True):
    """What a digest means: an index with its parts, or one image."""

    media_type: str
    index: bool = False
    parts: tuple[Part, ...] = ()
    platform: str = ""
    created: datetime | None = None
    labels: dict[str, str] = {}


class Known(msgspec.Struct):
    """`tags` are those of the last list; None: it was never listed. `digests`: by tag, as last seen."""

    image: str
    tags: tuple[str, ...] | None = None
    dropped: int = 0
    seen_at: datetime | None = None
    told_at: datetime | None = None
    digests: dict[str, str] = {}
    pending: set[str] = set()
    facts: dict[str, Facts] = {}

    @property
    def size(self) -> tuple[int, int]:
        """How much is known; it only ever grows between two lists."""
        return len(self.digests), len(self.facts)

    def take_list(self, tags: tuple[str, ...], dropped: int, kept: frozenset[str]) -> set[str]:
        """A new list; gives the tags that were not in the one before, none at the first. `kept`: watched tags."""
        fresh = set(tags).difference(self.tags) if self.tags is not None else set()
        self.tags, self.dropped = tags, dropped
        self.pending |= fresh
        there = {*tags, *kept}
        self.digests = {tag: digest for tag, digest in self.digests.items() if tag in there}
        self.pending &= there
        self.forget_facts()
        return fresh

    def set(self, tag: str, digest: str) -> None:
        """What a tag means now; it need not be in the last list. An empty digest: unknown again."""
        if not digest:
            self.digests.pop(tag, None)
            return
        self.digests[tag] = digest
        if self.tags is not None and tag not in self.tags:
            self.tags = tuple(sorted((*self.tags, tag)))

    def forget_facts(self) -> None:
        """Facts that no tag means any more."""
        used = set(self.digests.values())
        used |= {part.digest for digest in used if digest in self.facts for part in self.facts[digest].parts}
        self.facts = {digest: facts for digest, facts in self.facts.items() if digest in used}


class Files:
    """One file for each repository in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, image: str) -> Known:
        """What is known; nothing, when nothing is there or it can't be read."""
        try:
            known = msgspec.msgpack.decode(self._path(image).read_bytes(), type=Known)
        except (FileNotFoundError, msgspec.DecodeError):
            return Known(image)
        return known if known.image == image else Known(image)

    def save(self, image: str, data: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._path(image)
        fresh = path.with_suffix(".new")
        fresh.write_bytes(data)
        fresh.replace(path)

    def remove(self, image: str) -> None:
        self._path(image).unlink(missing_ok=True)

    def _path(self, image: str) -> Path:
        return self._folder / f"{hashlib.sha256(image.encode()).hexdigest()[:32]}{SUFFIX}"


def encode(known: Known) -> bytes:
    encoded: Any = msgspec.msgpack.encode(known)
    return bytes(encoded)
