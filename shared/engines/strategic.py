"""Strategic merge patches for the kinds that are built into Kubernetes: the merge keys are those of its own types.

Objects and patches are JSON. Reasons: UnknownKind (use a merge patch), PatchInvalid.
"""

from typing import NamedTuple

from shared.engines.client import Engines


class Kind(NamedTuple):
    """A built-in kind; the core group is ""."""

    group: str
    version: str
    kind: str


async def apply(engines: Engines, kind: Kind, original: bytes, patch: bytes) -> bytes:
    """The object with the patch applied."""
    found: bytes = await engines.call("strategic.apply", {**kind._asdict(), "original": original, "patch": patch})
    return found


async def diff(engines: Engines, kind: Kind, original: bytes, modified: bytes) -> bytes:
    """The patch that turns one object into the other."""
    args = {**kind._asdict(), "original": original, "modified": modified}
    found: bytes = await engines.call("strategic.diff", args)
    return found


async def three_way(engines: Engines, kind: Kind, applied: bytes, wanted: bytes, live: bytes) -> bytes:
    """The patch of a client-side `kubectl apply`: last applied, wanted, live."""
    args = {**kind._asdict(), "original": applied, "modified": wanted, "current": live}
    found: bytes = await engines.call("strategic.three_way", args)
    return found
