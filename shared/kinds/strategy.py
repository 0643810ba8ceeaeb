"""A Rollout's strategy: canary with its steps, or blue-green."""

from typing import Any

from pydantic import Field

from shared.kinds.analysis import Argument, DryRun, Retention, RunMetadata, TemplateRef
from shared.kinds.trafficrouting import TrafficRouting
from shared.kinds.wire import Wire

IntOrText = int | str | None


class RolloutAnalysis(Wire):
    """An analysis of a step, in the background, or before and after a promotion."""

    templates: tuple[TemplateRef, ...] = ()
    args: tuple[Argument, ...] = ()
    dry_run: tuple[DryRun, ...] = ()
    measurement_retention: tuple[Retention, ...] = ()
    analysis_run_metadata: RunMetadata | None = None
    starting_step: int | None = None


class Pause(Wire):
    """No duration: until someone promotes."""

    duration: IntOrText = None


class SetCanaryScale(Wire):
    replicas: int | None = None
    weight: int | None = None
    match_traffic_weight: bool = False


class StepTemplate(Wire):
    name: str = ""
    spec_ref: str = ""
    replicas: int | None = None
    metadata: RunMetadata | None = None
    selector: dict[str, Any] | None = None
    weight: int | None = None
    service: dict[str, Any] | None = None


class StepAnalysis(Wire):
    name: str = ""
    template_name: str = ""
    cluster_scope: bool = False
    args: tuple[Argument, ...] = ()
    required_for_completion: bool = False


class StepExperiment(Wire):
    templates: tuple[StepTemplate, ...] = ()
    analyses: tuple[StepAnalysis, ...] = ()
    duration: str = ""
    dry_run: tuple[DryRun, ...] = ()
    analysis_run_metadata: RunMetadata | None = None


class StringMatch(Wire):
    exact: str = ""
    prefix: str = ""
    regex: str = ""


class HeaderMatch(Wire):
    header_name: str = ""
    header_value: StringMatch | None = None


class HeaderRoute(Wire):
    """No match: the route is removed."""

    name: str = ""
    match: tuple[HeaderMatch, ...] = ()


class RouteMatch(Wire):
    method: StringMatch | None = None
    path: StringMatch | None = None
    headers: dict[str, StringMatch] = Field(default_factory=dict)


class MirrorRoute(Wire):
    """No match: the route is removed."""

    name: str = ""
    match: tuple[RouteMatch, ...] = ()
    percentage: int | None = None


class StepPlugin(Wire):
    name: str = ""
    config: Any = None


class CanaryStep(Wire):
    """Exactly one of these."""

    set_weight: int | None = None
    pause: Pause | None = None
    set_canary_scale: SetCanaryScale | None = None
    analysis: RolloutAnalysis | None = None
    experiment: StepExperiment | None = None
    set_header_route: HeaderRoute | None = None
    set_mirror_route: MirrorRoute | None = None
    plugin: StepPlugin | None = None


class PingPong(Wire):
    ping_service: str = ""
    pong_service: str = ""


class PreferredAntiAffinity(Wire):
    weight: int = 0


class AntiAffinity(Wire):
    preferred_during_scheduling_ignored_during_execution: PreferredAntiAffinity | None = None
    required_during_scheduling_ignored_during_execution: dict[str, Any] | None = None


class ProgressThreshold(Wire):
    """`type`: Percent or Pods."""

    type: str = ""
    value: int = 0


class Canary(Wire):
    canary_service: str = ""
    stable_service: str = ""
    steps: tuple[CanaryStep, ...] = ()
    traffic_routing: TrafficRouting | None = None
    max_unavailable: IntOrText = None
    max_surge: IntOrText = None
    analysis: RolloutAnalysis | None = None
    anti_affinity: AntiAffinity | None = None
    canary_metadata: RunMetadata | None = None
    stable_metadata: RunMetadata | None = None
    scale_down_delay_seconds: int | None = None
    scale_down_delay_revision_limit: int | None = None
    abort_scale_down_delay_seconds: int | None = None
    dynamic_stable_scale: bool = False
    ping_pong: PingPong | None = None
    min_pods_per_replica_set: int | None = None
    replica_progress_threshold: ProgressThreshold | None = None


class BlueGreen(Wire):
    active_service: str = ""
    preview_service: str = ""
    preview_replica_count: int | None = None
    auto_promotion_enabled: bool | None = None
    auto_promotion_seconds: int | None = None
    max_unavailable: IntOrText = None
    scale_down_delay_seconds: int | None = None
    scale_down_delay_revision_limit: int | None = None
    abort_scale_down_delay_seconds: int | None = None
    pre_promotion_analysis: RolloutAnalysis | None = None
    post_promotion_analysis: RolloutAnalysis | None = None
    anti_affinity: AntiAffinity | None = None
    active_metadata: RunMetadata | None = None
    preview_metadata: RunMetadata | None = None


class RolloutStrategy(Wire):
    canary: Canary | None = None
    blue_green: BlueGreen | None = None
