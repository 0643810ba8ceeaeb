"""What the metrics say of one object. Pure: the object as it lives in, a small value out."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from services.rollout_manager.keys import Obj
from services.rollout_manager.state import entries, mapping, whole

COMPLETED, PROGRESSING, ABORT, INVALID = "Completed", "Progressing", "Abort", "InvalidSpec"
ROLLOUT_PHASES = (COMPLETED, PROGRESSING, "Paused", "Timeout", "Error", ABORT)
PHASES = ("Pending", "Error", "Failed", "Successful", "Running", "Inconclusive")
OF_REASON = {
    "NewReplicaSetAvailable": COMPLETED,
    "RolloutPaused": "Paused",
    "ReplicaSetCreateError": "Error",
    "ProgressDeadlineExceeded": "Timeout",
    "RolloutAborted": ABORT,
}
ROUTERS = {
    "appMesh": "AppMesh",
    "smi": "SMI",
    "nginx": "Nginx",
    "istio": "Istio",
    "ambassador": "Ambassador",
    "alb": "ALB",
}
PROVIDERS = {
    "prometheus": "Prometheus",
    "job": "Job",
    "kayenta": "Kayenta",
    "web": "WebMetric",
    "datadog": "Datadog",
    "wavefront": "Wavefront",
    "newRelic": "NewRelic",
    "cloudWatch": "CloudWatch",
    "graphite": "Graphite",
    "influxdb": "Influxdb",
    "skywalking": "SkyWalking",
}


class RolloutFacts(NamedTuple):
    strategy: str
    router: str
    phase: str
    available: int
    unavailable: int
    desired: int
    updated: int


class MetricFacts(NamedTuple):
    name: str
    type: str
    dry_run: str
    phase: str


class RunFacts(NamedTuple):
    phase: str
    metrics: tuple[MetricFacts, ...]


def of_rollout(obj: Obj) -> RolloutFacts:
    status, strategy = mapping(obj, "status"), mapping(obj, "spec", "strategy")
    available, desired = whole(status, "availableReplicas") or 0, whole(mapping(obj, "spec"), "replicas")
    return RolloutFacts(
        strategy=next((name for name in ("blueGreen", "canary") if strategy.get(name) is not None), "none"),
        router=_first(mapping(strategy, "canary", "trafficRouting"), ROUTERS, ""),
        phase=rollout_phase(status),
        available=available,
        unavailable=(whole(status, "replicas") or 0) - available,
        desired=1 if desired is None else desired,
        updated=whole(status, "updatedReplicas") or 0,
    )


def rollout_phase(status: Obj) -> str:
    """Argo's metrics have phases of their own, read off the conditions."""
    reasons = {str(one.get("type")): str(one.get("reason")) for one in entries(status, "conditions")}
    return INVALID if INVALID in reasons else OF_REASON.get(reasons.get("Progressing", ""), PROGRESSING)


def of_run(obj: Obj) -> RunFacts:
    results = {str(one.get("name")): one for one in entries(mapping(obj, "status"), "metricResults")}
    metrics = entries(mapping(obj, "spec"), "metrics")
    return RunFacts(phase_of(obj), tuple(_metric(one, results.get(str(one.get("name")), {})) for one in metrics))


def phase_of(obj: Obj) -> str:
    """An Experiment's or AnalysisRun's."""
    return str(mapping(obj, "status").get("phase") or "")


def _metric(metric: Obj, result: Obj) -> MetricFacts:
    return MetricFacts(
        name=str(metric.get("name") or ""),
        type=_first(mapping(metric, "provider"), PROVIDERS, "Unknown"),
        dry_run="true" if result.get("dryRun") is True else "false",
        phase=str(result.get("phase") or ""),
    )


def _first(given: Mapping[str, Any], names: Mapping[str, str], otherwise: str) -> str:
    return next((word for field, word in names.items() if given.get(field) is not None), otherwise)
