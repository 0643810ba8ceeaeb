"""What the parts gave, and how it reads in docs/benchmarks.md. Pure."""

from dataclasses import dataclass

from services.stack.bench.figures import replaced
from services.stack.bench.machine import Machine
from services.stack.bench.numbers import Spread, seconds
from services.stack.bench.rollouts.idle import Idle
from services.stack.bench.rollouts.jitter import Jitter
from services.stack.bench.rollouts.promotions import Promotions

BEGIN, END = "<!-- bench-rollouts:begin -->", "<!-- bench-rollouts:end -->"


@dataclass
class Figures:
    promotions: Promotions | None = None
    idle: Idle | None = None
    latency: Spread | None = None
    jitter: Jitter | None = None

    def rows(self) -> list[tuple[str, str]]:
        """Of what was measured."""
        return [
            *(_promotions(self.promotions) if self.promotions else ()),
            *(_idle(self.idle) if self.idle else ()),
            *([("promote to weight written", str(self.latency))] if self.latency else ()),
            *(_jitter(self.jitter) if self.jitter else ()),
        ]


def _promotions(found: Promotions) -> list[tuple[str, str]]:
    parts = ", ".join(f"{name} {count:.1f}" for name, count in found.writes.items())
    cpu = f"{found.used.cpu_s:.1f} s of CPU, {found.used.rss_mb:.0f} MB"
    return [
        (f"new image in {found.count:,} Rollouts, until all are Healthy", f"{seconds(found.took)} ({cpu})"),
        ("&nbsp;&nbsp;a bare client that only writes these ReplicaSets", seconds(found.bare)),
        ("writes for one promotion", f"{sum(found.writes.values()):.1f} ({parts})"),
    ]


def _idle(found: Idle) -> list[tuple[str, str]]:
    memory = f"{found.each_kb:.1f} kB each, {found.rss_mb:.0f} MB in all"
    restart = f"quiet after {seconds(found.restart)}, {found.restart_cpu:.1f} s of CPU, {found.restart_writes} writes"
    return [
        (f"{found.count:,} Rollouts from nothing to Healthy", seconds(found.made)),
        (f"{found.count:,} idle Rollouts", f"{found.share:.2%} of a core; {memory}"),
        ("&nbsp;&nbsp;restart with nothing changed", restart),
    ]


def _jitter(found: Jitter) -> list[tuple[str, str]]:
    spread = ", ".join(
        f"{name} {seconds(value)}"
        for name, value in (("p50", found.p50), ("p95", found.p95), ("p99", found.p99), ("most", found.most))
    )
    what = f"{found.runs:,} AnalysisRuns every {found.interval:g} s: difference from the interval"
    return [(what, f"{spread} (n={found.count}); {found.share:.0%} of a core")]


def document(old: str, machine: Machine, figures: Figures) -> str:
    """The file with this section's rows replaced."""
    rows = [("", ""), ("---", "---"), *figures.rows()]
    table = "\n".join(f"| {name} | {value} |" for name, value in rows)
    return replaced(old, f"Measured on {machine}.\n\n{table}", BEGIN, END)
