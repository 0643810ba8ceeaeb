"""What the figures were measured on: cores, memory, the CPU's model, the commit, the day. Nothing that names the
machine.
"""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from shared.clock import now


@dataclass(frozen=True)
class Machine:
    cores: int
    memory_gb: float
    cpu: str
    commit: str
    date: str
    load: float

    def __str__(self) -> str:
        text = f"{self.cores} cores ({self.cpu}), {self.memory_gb:.0f} GB, commit {self.commit}, {self.date}"
        return f"{text}; other work on it before the start: load average {self.load:.1f}"


def describe() -> Machine:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return Machine(os.cpu_count() or 1, memory, _cpu(), _commit(), now().date().isoformat(), os.getloadavg()[0])


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return "unknown"


def _commit() -> str:
    found = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"
