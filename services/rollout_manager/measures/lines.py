"""Argo Rollouts' metrics: their names, types and labels, and the lines of one object. Pure.

The lines of an object are one text for each family, in the order of the families.
"""

from collections.abc import Iterable

from services.rollout_manager.keys import Obj
from services.rollout_manager.measures import facts
from shared.kube import Key
from shared.telemetry.metrics import Family, sample

Lines = tuple[str, ...]
Labels = dict[str, str]
REPLICAS = ("available", "unavailable", "desired", "updated")
ROLLOUT = (
    Family("rollout_info", "gauge", "What a Rollout is and how it is"),
    *(Family(f"rollout_info_replicas_{name}", "gauge", f"How many pods of a Rollout are {name}") for name in REPLICAS),
    Family("rollout_phase", "gauge", "Whether a Rollout is in a phase (deprecated: use rollout_info)"),
)
EXPERIMENT = (
    Family("experiment_info", "gauge", "The phase of an Experiment"),
    Family("experiment_phase", "gauge", "Whether an Experiment is in a phase (deprecated: use experiment_info)"),
)
RUN = (
    Family("analysis_run_info", "gauge", "The phase of an AnalysisRun"),
    Family("analysis_run_phase", "gauge", "Whether an AnalysisRun is in a phase (deprecated: use analysis_run_info)"),
    Family("analysis_run_metric_type", "gauge", "The provider of an AnalysisRun's metric"),
    Family("analysis_run_metric_phase", "gauge", "Whether an AnalysisRun's metric is in a phase"),
)


def of_passes(name: str) -> tuple[Family, ...]:
    """The families of the passes over a kind; Events of Rollouts only."""
    events = (Family("rollout_events_total", "counter", "Events of a Rollout"),) if name == "rollout" else ()
    return (
        Family(f"{name}_reconcile", "histogram", "Seconds that a pass took"),
        Family(f"{name}_reconcile_error", "counter", "Passes that failed"),
        *events,
    )


def who(key: Key) -> Labels:
    return {"namespace": key.namespace, "name": key.name}


def of_rollout(key: Key, obj: Obj) -> Lines:
    found, own = facts.of_rollout(obj), who(key)
    kind = {**own, "strategy": found.strategy}
    replicas = (sample(f"rollout_info_replicas_{name}", own, getattr(found, name)) for name in REPLICAS)
    return (
        sample("rollout_info", {**kind, "traffic_router": found.router, "phase": found.phase}, 1),
        *replicas,
        _phases("rollout_phase", kind, found.phase, facts.ROLLOUT_PHASES),
    )


def of_experiment(key: Key, obj: Obj) -> Lines:
    return _of_phase("experiment", who(key), facts.phase_of(obj))


def of_run(key: Key, obj: Obj) -> Lines:
    found, own = facts.of_run(obj), who(key)
    metrics = [(one, {**own, "metric": one.name, "type": one.type}) for one in found.metrics]
    return (
        *_of_phase("analysis_run", own, found.phase),
        "".join(sample("analysis_run_metric_type", labels, 1) for _, labels in metrics),
        "".join(
            _phases("analysis_run_metric_phase", {**labels, "dry_run": one.dry_run}, one.phase or "Pending")
            for one, labels in metrics
        ),
    )


def _of_phase(name: str, own: Labels, phase: str) -> Lines:
    """What has no phase yet is pending."""
    return sample(f"{name}_info", {**own, "phase": phase}, 1), _phases(f"{name}_phase", own, phase or "Pending")


def _phases(name: str, labels: Labels, now: str, phases: Iterable[str] = facts.PHASES) -> str:
    """One sample for each phase; the one that it is in is 1."""
    return "".join(sample(name, {**labels, "phase": phase}, int(phase == now)) for phase in phases)
