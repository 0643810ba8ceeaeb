"""CPU seconds and resident memory of processes, read from /proc. A process tree is its root and all that it started."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Usage:
    cpu_s: float
    rss_mb: float

    def since(self, earlier: "Usage") -> "Usage":
        """CPU since then; memory as it is now."""
        return Usage(self.cpu_s - earlier.cpu_s, self.rss_mb)


def of(pids: Iterable[int]) -> Usage:
    each = [one for pid in pids if (one := _of(pid))]
    return Usage(sum(one.cpu_s for one in each), sum(one.rss_mb for one in each))


def _of(pid: int) -> Usage | None:
    """A process that has just gone counts for nothing."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return None
    return Usage((int(fields[11]) + int(fields[12])) / _TICK, pages * os.sysconf("SC_PAGE_SIZE") / 1e6)


def tree(root: int) -> dict[int, str]:
    """The root and its descendants, each with its program's name."""
    parents = {pid: found for pid in _pids() if (found := _parent(pid))}
    members = {root}
    for _ in parents:
        grown = members | {pid for pid, (parent, _name) in parents.items() if parent in members}
        if grown == members:
            break
        members = grown
    return {pid: parents[pid][1] for pid in members if pid in parents}


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _parent(pid: int) -> tuple[int, str] | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    name = stat[stat.index("(") + 1 : stat.rindex(")")]
    return int(stat.rpartition(")")[2].split()[1]), name
