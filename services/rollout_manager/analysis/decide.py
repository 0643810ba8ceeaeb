"""What to do about one AnalysisRun: what to measure now, what its status is, what is due later. Pure.

In: the run's metrics (arguments filled in), what was measured before and since, what is being measured, the time. Out:
a `Decision`. One non-dry-run metric that ends badly ends the run: what is being measured is stopped.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.rollout_manager.analysis import Phase
from services.rollout_manager.analysis.metrics import Metric
from services.rollout_manager.analysis.schedule import Beat, due, running
from services.rollout_manager.analysis.verdict import BAD, KEPT, Verdict, counted, summary, verdict, worst
from services.rollout_manager.keys import Obj
from shared.clock import rfc3339
from shared.kinds.analysis import AnalysisRunStatus, Measurement, MetricResult

TERMINATED = "Run Terminated"
LARGEST = 600_000  # bytes of results; an object has a megabyte and a half, its spec included
TOO_LARGE = "what was measured is larger than an object may be: keep less of it (measurementRetention) or ask for less"


@dataclass(frozen=True)
class Seen:
    """`fresh` are measurements that ended (or began) since the status was written; `busy` metrics are being measured;
    `dry` are the metrics of which nothing depends; `kept` how many measurements of a metric stay; `beats` say more
    exactly than the status when metrics were measured.
    """

    metrics: tuple[Metric, ...]
    status: AnalysisRunStatus
    now: datetime
    terminate: bool = False
    fresh: tuple[tuple[str, Measurement], ...] = ()
    busy: frozenset[str] = frozenset()
    dry: frozenset[str] = frozenset()
    kept: Mapping[str, int] = field(default_factory=dict)
    beats: Mapping[str, Beat] = field(default_factory=dict)


@dataclass(frozen=True)
class Decision:
    """`later`: seconds until metrics are due that are not yet."""

    status: Obj
    measure: tuple[str, ...] = ()
    stop: tuple[str, ...] = ()
    later: Mapping[str, float] = field(default_factory=dict)


def decide(seen: Seen) -> Decision:
    started = seen.status.started_at or rfc3339(seen.now)
    results = taken(seen)
    if size(results.values()) > LARGEST:
        ended = failed(AnalysisRunStatus(started_at=started), [TOO_LARGE], seen.now)
        return Decision(ended, stop=tuple(sorted(seen.busy)))
    ending = seen.terminate or _ends_badly(seen, results)
    judged = {one.name: judge(seen, one, results[one.name], ending=ending) for one in seen.metrics}
    phase = _phase(seen, judged)
    open_ = [one for one in seen.metrics if not judged[one.name].phase.completed]
    stop = tuple(name for name in sorted(seen.busy) if name not in {one.name for one in open_})
    waits = _waits(seen, open_, results, started)
    measure = tuple(name for name, wait in waits.items() if wait <= 0)
    later = {name: wait for name, wait in waits.items() if wait > 0}
    return Decision(_status(seen, results, judged, phase, started), measure, stop, later)


def taken(seen: Seen) -> dict[str, MetricResult]:
    """Every metric's result with what is fresh in it."""
    known = {one.name: readable(one) for one in seen.status.metric_results}
    results = {one.name: known.get(one.name) or MetricResult(name=one.name) for one in seen.metrics}
    for name, measurement in seen.fresh:
        if name in results:
            results[name] = counted(results[name], measurement, seen.kept.get(name, KEPT))
    return {name: one.model_copy(update={"dry_run": name in seen.dry}) for name, one in results.items()}


def size(results: Iterable[MetricResult]) -> int:
    """About how many bytes results take."""
    kept = [measurement for one in results for measurement in one.measurements]
    texts = (text for one in kept for text in (one.value, one.message, *one.metadata.values()))
    return 150 * len(kept) + sum(len(text.encode(errors="replace")) for text in texts)


def readable(result: MetricResult) -> MetricResult:
    """A status is anybody's to write: measurements with a phase that does not exist are left out."""
    known = tuple(one for one in result.measurements if one.phase in list(Phase))
    return result.model_copy(update={"measurements": known})


def judge(seen: Seen, metric: Metric, result: MetricResult, *, ending: bool) -> Verdict:
    """What is being measured when a run ends is not waited for: of a Job nobody knows what it would have said."""
    found = verdict(metric, result, ending=ending)
    stopped = ending and (metric.name in seen.busy or running(result) is not None)
    if stopped and found.phase is Phase.SUCCESSFUL and metric.provider == "job":
        return Verdict(Phase.INCONCLUSIVE, "the Job was ended before it was done")
    return found


def _ends_badly(seen: Seen, results: Mapping[str, MetricResult]) -> bool:
    counted_ = (one for one in seen.metrics if one.name not in seen.dry)
    return any(verdict(one, results[one.name], ending=False).phase in BAD for one in counted_)


def _phase(seen: Seen, judged: Mapping[str, Verdict]) -> Phase:
    """The worst of what counts, while nothing runs any more; dry runs are waited for, and count for nothing."""
    counts = [one.phase for name, one in judged.items() if name not in seen.dry]
    dry_open = any(not one.phase.completed for name, one in judged.items() if name in seen.dry)
    if dry_open or any(not phase.completed for phase in counts):
        return Phase.RUNNING
    return worst(counts)


def _waits(
    seen: Seen, metrics: Iterable[Metric], results: Mapping[str, MetricResult], started: str
) -> dict[str, float]:
    """Seconds until each open metric is measured next; those that are being measured are not waited for."""
    begun, now = _seconds(started), seen.now.timestamp()
    return {
        one.name: due(one, _ended(results[one.name]), begun, seen.beats.get(one.name)) - now
        for one in metrics
        if one.name not in seen.busy
    }


def _ended(result: MetricResult) -> MetricResult:
    """A measurement that nobody makes any more (we were restarted) is made again."""
    if running(result) is None:
        return result
    return result.model_copy(update={"measurements": result.measurements[:-1]})


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _status(
    seen: Seen, results: Mapping[str, MetricResult], judged: Mapping[str, Verdict], phase: Phase, started: str
) -> Obj:
    shown = [
        results[one.name].model_copy(
            update={"phase": judged[one.name].phase.value, "message": judged[one.name].message}
        )
        for one in seen.metrics
    ]
    status = AnalysisRunStatus(
        phase=phase.value,
        message=message(seen, judged, phase),
        metric_results=tuple(shown),
        run_summary=summary(one for one in shown if not one.dry_run),
        dry_run_summary=summary(one for one in shown if one.dry_run) if seen.dry else None,
        started_at=started,
        completed_at=rfc3339(seen.now) if phase.completed else None,
    )
    found: Obj = lean(status.to_wire())
    return found


def lean(value: Any) -> Any:
    """Without what is empty, as Go writes it."""
    if isinstance(value, dict):
        inner = {name: lean(one) for name, one in value.items()}
        return {name: one for name, one in inner.items() if one or name in {"name", "phase"}}
    return [lean(one) for one in value] if isinstance(value, list | tuple) else value


def message(seen: Seen, judged: Mapping[str, Verdict], phase: Phase) -> str:
    """Which metric decided, and by what."""
    for name, one in judged.items():
        if name not in seen.dry and phase in BAD and one.phase is phase:
            return f'Metric "{name}" assessed {phase} due to {one.message}'
    return TERMINATED if seen.terminate and phase.completed else ""


def failed(status: AnalysisRunStatus, problems: Iterable[str], now: datetime) -> Obj:
    """The status of a run that can't be measured as it is written."""
    at = rfc3339(now)
    ended = AnalysisRunStatus(
        phase=Phase.ERROR.value,
        message="; ".join(problems),
        metric_results=status.metric_results,
        started_at=status.started_at or at,
        completed_at=at,
    )
    found: Obj = lean(ended.to_wire())
    return found
