"""The Rollout: a Deployment that changes step by step; its strategy is in strategy.py.

`status.observedGeneration` is text, as Argo Rollouts writes it.
"""

from typing import Any

from pydantic import Field

from shared.kinds.meta import ObjectMeta
from shared.kinds.strategy import RolloutStrategy
from shared.kinds.wire import Wire


class SelectorRule(Wire):
    key: str = ""
    operator: str = ""
    values: tuple[str, ...] = ()


class LabelSelector(Wire):
    match_labels: dict[str, str] = Field(default_factory=dict)
    match_expressions: tuple[SelectorRule, ...] = ()


class WorkloadRef(Wire):
    """`scaleDown`: never, onsuccess or progressively."""

    api_version: str = ""
    kind: str = ""
    name: str = ""
    scale_down: str = ""


class RollbackWindow(Wire):
    revisions: int = 0


class HistoryLimits(Wire):
    successful_run_history_limit: int | None = None
    unsuccessful_run_history_limit: int | None = None


class RolloutSpec(Wire):
    replicas: int | None = None
    selector: LabelSelector | None = None
    template: dict[str, Any] = Field(default_factory=dict)
    workload_ref: WorkloadRef | None = None
    min_ready_seconds: int = 0
    strategy: RolloutStrategy = Field(default_factory=RolloutStrategy)
    revision_history_limit: int | None = None
    rollback_window: RollbackWindow | None = None
    progress_deadline_seconds: int | None = None
    progress_deadline_abort: bool = False
    paused: bool = False
    restart_at: str | None = None
    analysis: HistoryLimits | None = None


class PauseCondition(Wire):
    reason: str = ""
    start_time: str | None = None


class RolloutCondition(Wire):
    type: str = ""
    status: str = ""
    last_update_time: str | None = None
    last_transition_time: str | None = None
    reason: str = ""
    message: str = ""


class WeightDestination(Wire):
    weight: int = 0
    service_name: str = ""
    pod_template_hash: str = ""


class TrafficWeights(Wire):
    canary: WeightDestination = Field(default_factory=WeightDestination)
    stable: WeightDestination = Field(default_factory=WeightDestination)
    additional: tuple[WeightDestination, ...] = ()
    verified: bool | None = None


class RunStatus(Wire):
    name: str = ""
    status: str = ""
    message: str = ""


class CanaryStatus(Wire):
    weights: TrafficWeights | None = None
    current_step_analysis_run_status: RunStatus | None = None
    current_background_analysis_run_status: RunStatus | None = None
    current_experiment: str = ""
    stable_ping_pong: str = ""
    step_plugin_statuses: tuple[dict[str, Any], ...] = ()


class BlueGreenStatus(Wire):
    active_selector: str = ""
    preview_selector: str = ""
    scale_up_preview_check_point: bool = False
    pre_promotion_analysis_run_status: RunStatus | None = None
    post_promotion_analysis_run_status: RunStatus | None = None


class RolloutDuration(Wire):
    """`completionStatus`: Promoted, FastPromoted, Aborted, RolledBack, FastRolledBack."""

    rollout_started_at: str | None = None
    manual_pause_started_at: str | None = None
    total_manual_pause_duration_seconds: int | None = None
    finished_at: str | None = None
    completion_status: str = ""


class RolloutStatus(Wire):
    phase: str = ""
    message: str = ""
    abort: bool = False
    aborted_at: str | None = None
    pause_conditions: tuple[PauseCondition, ...] = ()
    controller_pause: bool = False
    current_pod_hash: str = ""
    current_step_hash: str = ""
    current_step_index: int | None = None
    stable_rs: str = Field(default="", alias="stableRS")
    replicas: int = 0
    updated_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    hpa_replicas: int = Field(default=0, alias="HPAReplicas")
    selector: str = ""
    collision_count: int | None = None
    observed_generation: str = ""
    workload_observed_generation: str = ""
    conditions: tuple[RolloutCondition, ...] = ()
    canary: CanaryStatus | None = None
    blue_green: BlueGreenStatus | None = None
    promote_full: bool = False
    restarted_at: str | None = None
    duration: RolloutDuration | None = None
    alb: dict[str, Any] | None = None
    albs: tuple[dict[str, Any], ...] = ()


class Rollout(Wire):
    api_version: str = "argoproj.io/v1alpha1"
    kind: str = "Rollout"
    metadata: ObjectMeta = Field(default_factory=ObjectMeta)
    spec: RolloutSpec = Field(default_factory=RolloutSpec)
    status: RolloutStatus | None = None
