"""What is wrong with a Rollout as it is written: every problem, each with its field, in Argo Rollouts' words. Pure.

What only the cluster knows (Services, templates, routes) is found elsewhere; the pod template is judged by Kubernetes'
own code in the engines worker.
"""

from collections.abc import Iterator

from services.rollout_manager import tracking
from services.rollout_manager.gates import written as gates
from services.rollout_manager.observed import Observed
from services.rollout_manager.replicas import share
from services.rollout_manager.traffic.routers import missing
from services.rollout_manager.validate_steps import step_problems
from shared.clock import parse_rfc3339
from shared.kinds.rollout import LabelSelector, Rollout
from shared.kinds.strategy import AntiAffinity, BlueGreen, Canary

MOST_REPLICAS = 1_000_000
SAME = "This rollout uses the same service for the {} services, but two different services are required."
ROUTING = "spec.strategy.canary.trafficRouting"
AT_LEAST_0 = "must be greater than or equal to 0"
PING_PONG_ROOT = "Root service field is required for the configuration with ALB and ping-pong feature enabled"
MAX_WEIGHT = "Canary maxTrafficWeight in traffic routing only supported in Nginx and Plugins"
HISTORY = "This rollout's revision history limit can not be smaller than the rollout's scale down limit"
CANARY, BLUE_GREEN = "spec.strategy.canary", "spec.strategy.blueGreen"


def problems_of(seen: Observed) -> tuple[str, ...]:
    return tuple(problems(seen.rollout, seen.template))


def problems(rollout: Rollout, template: dict[str, object] | None = None) -> Iterator[str]:
    """Problems of the spec alone; `template` is the one that a workloadRef brought."""
    spec = rollout.spec
    yield from _numbers(rollout)
    yield from _selector(spec.selector, spec.template if template is None else template)
    yield from _pod(spec.template if template is None else template)
    if spec.workload_ref is not None and spec.template:
        yield "spec.template: template must be empty for workload reference rollout"
    if spec.workload_ref is not None and spec.workload_ref.scale_down not in {
        "",
        "never",
        "onsuccess",
        "progressively",
    }:
        yield f"spec.workloadRef.scaleDown: Unsupported value: {spec.workload_ref.scale_down!r}"
    yield from gates.problems(rollout)
    yield from tracking.problems(rollout.metadata.annotations)
    canary, blue_green = spec.strategy.canary, spec.strategy.blue_green
    if canary is None and blue_green is None:
        yield "spec.strategy: Rollout has missing field '.spec.strategy.canary or .spec.strategy.blueGreen'"
    elif canary is not None and blue_green is not None:
        yield "spec.strategy: Multiple Strategies can not be listed"
    if canary is not None:
        yield from _canary(rollout, canary)
    if blue_green is not None:
        yield from _blue_green(rollout, blue_green)


def _numbers(rollout: Rollout) -> Iterator[str]:
    spec = rollout.spec
    values = {
        "spec.replicas": spec.replicas,
        "spec.minReadySeconds": spec.min_ready_seconds,
        "spec.revisionHistoryLimit": spec.revision_history_limit,
        "spec.progressDeadlineSeconds": spec.progress_deadline_seconds,
    }
    for field, value in values.items():
        if value is not None and value < 0:
            yield f"{field}: Invalid value: {value}: must be greater than or equal to 0"
    if spec.replicas is not None and spec.replicas > MOST_REPLICAS:
        yield f"spec.replicas: Invalid value: {spec.replicas}: more than {MOST_REPLICAS} pods"
    deadline = 600 if spec.progress_deadline_seconds is None else spec.progress_deadline_seconds
    if deadline <= spec.min_ready_seconds:
        yield f"spec.progressDeadlineSeconds: Invalid value: {deadline}: must be greater than minReadySeconds"
    if spec.restart_at:
        try:
            parse_rfc3339(spec.restart_at)
        except ValueError:
            yield f"spec.restartAt: Invalid value: {spec.restart_at!r}: no time as 2006-01-02T15:04:05Z"


def _pod(template: dict[str, object]) -> Iterator[str]:
    """What a ReplicaSet's pods can't have, besides what no pod can."""
    spec = template.get("spec")
    if not isinstance(spec, dict):
        return
    field = "spec.template.spec"
    if spec.get("restartPolicy") not in {None, "", "Always"}:
        yield f'{field}.restartPolicy: Unsupported value: "{spec["restartPolicy"]}": supported values: "Always"'
    if spec.get("activeDeadlineSeconds") is not None:
        yield f"{field}.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported"
    if spec.get("ephemeralContainers"):
        yield f"{field}.ephemeralContainers: Forbidden: ephemeral containers not allowed in pod template"


def _selector(selector: LabelSelector | None, template: dict[str, object]) -> Iterator[str]:
    if selector is None:
        yield "spec.selector: Rollout has missing field '.spec.selector'"
        return
    if not selector.match_labels and not selector.match_expressions:
        yield "spec.selector: empty selector is invalid for deployment"
    for rule in selector.match_expressions:
        if rule.operator not in {"In", "NotIn", "Exists", "DoesNotExist"}:
            yield f"spec.selector: invalid label selector: {rule.operator!r} is not a valid label selector operator"
        elif (rule.operator in {"In", "NotIn"}) != bool(rule.values):
            yield f"spec.selector: invalid label selector: {rule.key} {rule.operator} has the wrong number of values"
    metadata = template.get("metadata")
    labels = (metadata.get("labels") or {}) if isinstance(metadata, dict) else {}
    if template and not matches(selector, labels):
        yield "spec.template.metadata.labels: `selector` does not match template `labels`"


def matches(selector: LabelSelector, labels: dict[str, str]) -> bool:
    if any(labels.get(name) != value for name, value in selector.match_labels.items()):
        return False
    return all(_holds(rule.operator, labels.get(rule.key), rule.values) for rule in selector.match_expressions)


def _holds(operator: str, value: str | None, values: tuple[str, ...]) -> bool:
    match operator:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case _:
            return value is None


def _counts(field: str, surge: int | str | None, unavailable: int | str | None, replicas: int) -> Iterator[str]:
    good: dict[str, int] = {}
    for name, value in (("maxSurge", surge), ("maxUnavailable", unavailable)):
        if value is None:
            continue
        try:
            good[name] = share(value, replicas, up=name == "maxSurge")
        except ValueError:
            yield f"{field}.{name}: Invalid value: {value!r}: neither a number nor a percentage"
            continue
        if good[name] < 0:
            yield f"{field}.{name}: Invalid value: {value}: must be greater than or equal to 0"
    if good == {"maxSurge": 0, "maxUnavailable": 0} and {str(surge), str(unavailable)} <= {"0", "0%"}:
        yield f"{field}.maxSurge: MaxSurge and MaxUnavailable both can not be zero"


def _canary(rollout: Rollout, canary: Canary) -> Iterator[str]:
    replicas = 1 if rollout.spec.replicas is None else rollout.spec.replicas
    yield from _counts(CANARY, canary.max_surge, canary.max_unavailable, max(0, replicas))
    if canary.canary_service and canary.canary_service == canary.stable_service:
        yield f"{CANARY}.stableService: {SAME.format('stable and canary')}"
    yield from _affinity(f"{CANARY}.antiAffinity", canary.anti_affinity)
    yield from _routing(canary)
    yield from _ping_pong(canary)
    yield from step_problems(canary)
    threshold = canary.replica_progress_threshold
    if threshold is not None and threshold.type not in {"Percent", "Pods"}:
        yield f"{CANARY}.replicaProgressThreshold.type: Unsupported value: {threshold.type!r}: Percent or Pods"


def _routing(canary: Canary) -> Iterator[str]:
    routing = canary.traffic_routing
    if routing is None:
        for field, name in (
            (canary.scale_down_delay_seconds, "scaleDownDelaySeconds"),
            (canary.dynamic_stable_scale or None, "dynamicStableScale"),
        ):
            if field is not None:
                yield f"{CANARY}.{name}: Canary {name} can only be used with traffic routing"
        return
    if canary.ping_pong is None and not (canary.canary_service and canary.stable_service):
        yield f"{ROUTING}: Canary service and Stable service must to be set to use Traffic Routing"
    if canary.dynamic_stable_scale and canary.scale_down_delay_seconds is not None:
        yield f"{CANARY}.dynamicStableScale: Canary dynamicStableScale cannot be used with scaleDownDelaySeconds"
    for name in missing(routing):
        yield f"{ROUTING}.{name}: is not supported"
    if routing.max_traffic_weight is not None:
        if routing.max_traffic_weight <= 0:
            value = routing.max_traffic_weight
            yield f"{ROUTING}.maxTrafficWeight: Invalid value: {value}: must be greater than 0"
        if routing.nginx is None and not routing.plugins:
            yield f"{ROUTING}.maxTrafficWeight: {MAX_WEIGHT}"


def _ping_pong(canary: Canary) -> Iterator[str]:
    pair, routing = canary.ping_pong, canary.traffic_routing
    if pair is None:
        return
    field = f"{CANARY}.pingPong"
    if not pair.ping_service or not pair.pong_service:
        yield f"{field}: Ping service and Pong service must to be set to use Ping-Pong feature"
    elif pair.ping_service == pair.pong_service:
        yield f"{field}: {SAME.format('ping and pong')}"
    if routing is None or (routing.alb is None and routing.istio is None and not routing.plugins):
        yield f"{field}: Ping-pong feature works with the ALB, Istio, and plugin-based traffic routers only"
    elif routing.alb is not None and not routing.alb.root_service:
        yield f"{ROUTING}.alb.rootService: {PING_PONG_ROOT}"


def _affinity(field: str, rule: AntiAffinity | None) -> Iterator[str]:
    if rule is None:
        return
    preferred = rule.preferred_during_scheduling_ignored_during_execution
    if (preferred is None) == (rule.required_during_scheduling_ignored_during_execution is None):
        yield f"{field}: AntiAffinity must have exactly one strategy listed"
    if preferred is not None and not 1 <= preferred.weight <= 100:
        yield f"{field}: AntiAffinity weight must be between 1-100"


def _blue_green(rollout: Rollout, spec: BlueGreen) -> Iterator[str]:
    if not spec.active_service:
        yield f"{BLUE_GREEN}.activeService: Rollout has missing field '.spec.strategy.blueGreen.activeService'"
    if spec.active_service and spec.active_service == spec.preview_service:
        yield f"{BLUE_GREEN}.previewService: {SAME.format('active and preview')}"
    history = 10 if rollout.spec.revision_history_limit is None else rollout.spec.revision_history_limit
    if spec.scale_down_delay_revision_limit is not None and history < spec.scale_down_delay_revision_limit:
        yield f"{BLUE_GREEN}.scaleDownDelayRevisionLimit: {HISTORY}"
    yield from _counts(
        BLUE_GREEN, None, spec.max_unavailable, 1 if rollout.spec.replicas is None else max(0, rollout.spec.replicas)
    )
    for name, value in (
        ("previewReplicaCount", spec.preview_replica_count),
        ("autoPromotionSeconds", spec.auto_promotion_seconds),
    ):
        if value is not None and value < 0:
            yield f"{BLUE_GREEN}.{name}: Invalid value: {value}: must be greater than or equal to 0"
    yield from _affinity(f"{BLUE_GREEN}.antiAffinity", spec.anti_affinity)
