"""Which commit a target revision means, given what a remote has. Pure.

In Argo CD's order: a full SHA is itself; a version range is looked up among the tags; then HEAD, a full ref name, a
branch, a tag; and last a shortened SHA, which only the mirror can complete.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple

from shared.git.remote import SHA, RemoteRefs

Highest = Callable[[str, Sequence[str]], Awaitable[str | None]]
"""The highest of these versions that satisfies a range; None when none does or it is no range. Others are ignored."""

HEADS, TAGS = "refs/heads/", "refs/tags/"
_SHORT_SHA = re.compile(r"[0-9a-f]{4,39}")
_RANGE = re.compile(r"[*<>=^~|,]|\s|(?:^|\.)[xX](?:\.|$)")


class Resolved(NamedTuple):
    """`ref` is empty for a commit that was named by its SHA."""

    revision: str
    ref: str = ""


def is_sha(target: str) -> bool:
    return SHA.fullmatch(target) is not None


def is_short_sha(target: str) -> bool:
    return _SHORT_SHA.fullmatch(target) is not None


def is_range(target: str) -> bool:
    """It may be a version range; whether it is one, the engine says."""
    return _RANGE.search(target) is not None


def find_ref(target: str, seen: RemoteRefs) -> Resolved | None:
    """The ref of this name: HEAD (empty means the same), `refs/...`, a branch, a tag."""
    if target in ("", "HEAD"):
        name = seen.head if seen.head in seen.refs else "HEAD"
        return Resolved(seen.refs[name], name) if name in seen.refs else None
    for name in (target, f"{HEADS}{target}", f"{TAGS}{target}"):
        if name in seen.refs:
            return Resolved(seen.refs[name], name)
    return None


def versions(refs: Mapping[str, str], tag_prefix: str = "") -> dict[str, str]:
    """Version text of each tag (the prefix taken off) with its ref."""
    start = f"{TAGS}{tag_prefix}"
    return {ref.removeprefix(start): ref for ref in refs if ref.startswith(start)}


async def find_version(target: str, tag_prefix: str, seen: RemoteRefs, highest: Highest) -> Resolved | None:
    """The tag with the highest version in the range."""
    known = versions(seen.refs, tag_prefix)
    best = await highest(target, sorted(known)) if known else None
    return None if best is None else Resolved(seen.refs[known[best]], known[best])
