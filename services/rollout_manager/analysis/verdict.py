"""What measurements mean: for their metric, and for the run (spec 1.6). Pure.

A metric's counts live in `status.metricResults[]`; a measurement is counted once, when it has ended.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from services.rollout_manager.analysis import Phase
from services.rollout_manager.analysis.metrics import OFF, Metric
from shared.kinds.analysis import Measurement, MetricResult, RunSummary

WORST_LAST = (Phase.SUCCESSFUL, Phase.RUNNING, Phase.PENDING, Phase.INCONCLUSIVE, Phase.ERROR, Phase.FAILED)
BAD = frozenset({Phase.INCONCLUSIVE, Phase.ERROR, Phase.FAILED})
KEPT = 10
RESOLVED = "Resolved"  # what begins so tells of the metric, not of one measurement
COUNTED = {
    Phase.SUCCESSFUL: "successful",
    Phase.FAILED: "failed",
    Phase.INCONCLUSIVE: "inconclusive",
    Phase.ERROR: "error",
}


@dataclass(frozen=True)
class Verdict:
    phase: Phase
    message: str = ""


def counted(result: MetricResult, measurement: Measurement, kept: int = KEPT) -> MetricResult:
    """The result with one more measurement; a running one before it takes its place."""
    before = [one for one in result.measurements if Phase(one.phase).completed]
    phase = Phase(measurement.phase)
    own = {key: text for key, text in measurement.metadata.items() if not key.startswith(RESOLVED)}
    entries = tuple([*before, measurement.model_copy(update={"metadata": own})][-kept:]) if kept > 0 else ()
    if not phase.completed:
        return result.model_copy(update={"measurements": (*before[-kept:], measurement)})
    about = {key: text for key, text in measurement.metadata.items() if key.startswith(RESOLVED)}
    name = COUNTED[phase]
    error, success = phase is Phase.ERROR, phase is Phase.SUCCESSFUL
    return result.model_copy(
        update={
            "measurements": entries,
            "metadata": about or result.metadata,
            name: getattr(result, name) + 1,
            "count": result.count + (0 if error else 1),
            "consecutive_error": result.consecutive_error + 1 if error else 0,
            "consecutive_success": result.consecutive_success + 1 if success else 0,
        }
    )


def verdict(metric: Metric, result: MetricResult, *, ending: bool) -> Verdict:
    """How a metric stands. `ending`: nothing more will be measured."""
    limits = (
        (Phase.FAILED, "failed", result.failed, "failureLimit", metric.failure_limit),
        (Phase.INCONCLUSIVE, "inconclusive", result.inconclusive, "inconclusiveLimit", metric.inconclusive_limit),
        (Phase.ERROR, "consecutiveErrors", result.consecutive_error, "consecutiveErrorLimit", metric.error_limit),
    )
    for phase, what, seen, name, limit in limits:
        if limit != OFF and seen > limit:
            said = next((one.message for one in reversed(result.measurements) if one.message), "")
            detail = f': "Error Message: {said}"' if said else ""
            return Verdict(phase, f"{what} ({seen}) > {name} ({limit}){detail if phase is Phase.ERROR else ''}")
    if metric.success_limit and result.consecutive_success >= metric.success_limit:
        return Verdict(Phase.SUCCESSFUL)
    if metric.count is not None and result.count >= metric.count:
        return _exhausted(metric, result)
    if ending:
        return Verdict(Phase.SUCCESSFUL)
    return Verdict(Phase.RUNNING if result.measurements or result.count or result.error else Phase.PENDING)


def _exhausted(metric: Metric, result: MetricResult) -> Verdict:
    """Everything was measured."""
    if not metric.success_limit:
        return Verdict(Phase.SUCCESSFUL)
    seen = f"consecutiveSuccess ({result.consecutive_success}) < consecutiveSuccessLimit ({metric.success_limit})"
    return Verdict(Phase.FAILED if metric.failure_limit == OFF else Phase.INCONCLUSIVE, seen)


def worst(phases: Iterable[Phase]) -> Phase:
    return max(phases, key=WORST_LAST.index, default=Phase.SUCCESSFUL)


def summary(results: Iterable[MetricResult]) -> RunSummary:
    """How many metrics ended how."""
    phases = [Phase(one.phase or Phase.PENDING) for one in results]
    counts = {name: sum(phase is one for one in phases) for phase, name in COUNTED.items()}
    return RunSummary(count=len(phases), **counts)
