"""Keeping a mirror quick: every fetch leaves a pack, and a lookup asks pack after pack. Many become one.

Open handles go on: what they have open stays readable, and what they miss they look up anew (libgit2 refreshes).
"""

from pathlib import Path

from shared.git.mirror import open_mirror

MANY_PACKS = 50
MAX_BYTES = 256 * 1024 * 1024


def consolidate(mirror: Path, *, many: int = MANY_PACKS, max_bytes: int = MAX_BYTES) -> bool:
    """Writes one pack of all objects, removes the others; not in a large mirror, where it costs more than it saves."""
    packs = list(mirror.glob("objects/pack/*.pack"))
    if len(packs) < many or sum(pack.stat().st_size for pack in packs) > max_bytes:
        return False
    repository = open_mirror(mirror)
    try:
        repository.pack()
    finally:
        repository.free()
    fresh = set(mirror.glob("objects/pack/*.pack")) - set(packs)
    for pack in packs if fresh else ():
        pack.with_suffix(".idx").unlink(missing_ok=True)
        pack.unlink()
    return bool(fresh)
