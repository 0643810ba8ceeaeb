"""What one run with N applications gave, and how it reads in docs/benchmarks.md. Pure."""

import re
from dataclasses import dataclass, field

from services.stack.bench.machine import Machine
from services.stack.bench.numbers import Spread, seconds
from services.stack.bench.usage import Usage

BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"


@dataclass
class Figures:
    count: int
    first_sync: tuple[float, float] | None = None
    bare_first: float | None = None
    push_live: Spread | None = None
    push_synced: Spread | None = None
    poll: tuple[float, float] | None = None
    healed: Spread | None = None
    all_changed: tuple[float, float] | None = None
    bare_all: float | None = None
    restart: tuple[float, float, int] | None = None
    usage: dict[str, Usage] = field(default_factory=dict)


def document(old: str, machine: Machine, all_figures: list[Figures]) -> str:
    """The file with its measured section replaced; a file without one gets it at the end."""
    return replaced(old, _section(machine, all_figures), BEGIN, END)


def replaced(old: str, text: str, begin: str, end: str) -> str:
    """The text between two marks put in another's place, or at the end."""
    section = f"{begin}\n{text}\n{end}"
    if begin in old and end in old:
        return re.sub(f"{begin}.*?{end}", lambda _match: section, old, flags=re.DOTALL)
    return f"{old.rstrip()}\n\n{section}\n".lstrip()


def _section(machine: Machine, all_figures: list[Figures]) -> str:
    header = ["", *(f"{figures.count:,} Applications" for figures in all_figures)]
    rows = [[name, *(write(figures) for figures in all_figures)] for name, write in _ROWS]
    table = [_row(header), _row(["---"] * len(header)), *(_row(row) for row in rows)]
    return "\n".join([f"Measured on {machine}.", "", *table])


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _pair(pair: tuple[float, float] | None) -> str:
    return f"{seconds(pair[0])} live, {seconds(pair[1])} Synced" if pair else "-"


def _floor(value: float | None) -> str:
    return seconds(value) if value is not None else "-"


def _restart(figures: Figures) -> str:
    if figures.restart is None:
        return "-"
    ready, writes, changed = figures.restart
    return f"ready after {seconds(ready)}; {writes:.0f} writing requests, {changed} objects changed"


def _memory(figures: Figures) -> str:
    parts = ", ".join(f"{name} {used.rss_mb:.0f}" for name, used in figures.usage.items())
    return f"{sum(used.rss_mb for used in figures.usage.values()):.0f} MB ({parts})"


def _cpu(figures: Figures) -> str:
    parts = ", ".join(f"{name} {used.cpu_s:.0f}" for name, used in figures.usage.items())
    return f"{sum(used.cpu_s for used in figures.usage.values()):.0f} s ({parts})"


_ROWS = (
    ("first sync of all", lambda f: _pair(f.first_sync)),
    ("&nbsp;&nbsp;a bare client that only applies these objects", lambda f: _floor(f.bare_first)),
    ("push with webhook, until live", lambda f: str(f.push_live or "-")),
    ("push with webhook, until status Synced", lambda f: str(f.push_synced or "-")),
    ("push without webhook", lambda f: _pair(f.poll)),
    ("drift to healed", lambda f: str(f.healed or "-")),
    ("one commit that changes all", lambda f: _pair(f.all_changed)),
    ("&nbsp;&nbsp;a bare client that only applies the changed objects", lambda f: _floor(f.bare_all)),
    ("restart with nothing changed", _restart),
    ("CPU time of all that", _cpu),
    ("memory after it", _memory),
)
