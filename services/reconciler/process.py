"""Which process a heartbeat came from, and whether that process is known to be gone: then nobody has to wait for its
leases to end.

Only processes that this one could see are judged: same boot of the same machine, same process namespace.
"""

import os
from functools import cache
from pathlib import Path

import msgspec

STARTED = 19  # the field of /proc/PID/stat after the command's name


class Process(msgspec.Struct, frozen=True):
    """`place`: the boot and the process namespace; empty where that can't be told."""

    place: str = ""
    pid: int = 0
    started: str = ""


@cache
def place() -> str:
    """Name what process ids mean here."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def started(pid: int) -> str:
    """Give when a process began, in the kernel's own ticks; empty when there is no such process, or only its corpse."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in {"Z", "X"} else fields[STARTED]


@cache
def this_process() -> Process:
    """Give ourselves."""
    return Process(place(), os.getpid(), started(os.getpid()))


def is_dead(process: Process) -> bool:
    """Tell whether a process is known to have ended."""
    if not process.place or process.place != place() or not process.started:
        return False
    return started(process.pid) != process.started
