"""The Experiment: ReplicaSets that run side by side for a while, and analyses that judge them."""

from typing import Any

from pydantic import Field

from shared.kinds.analysis import Argument, DryRun, Retention, RunMetadata
from shared.kinds.meta import ObjectMeta
from shared.kinds.wire import Wire


class ExperimentService(Wire):
    name: str = ""


class ExperimentTemplate(Wire):
    name: str = ""
    replicas: int | None = None
    min_ready_seconds: int = 0
    selector: dict[str, Any] | None = None
    template: dict[str, Any] = Field(default_factory=dict)
    service: ExperimentService | None = None


class ExperimentAnalysis(Wire):
    name: str = ""
    template_name: str = ""
    cluster_scope: bool = False
    args: tuple[Argument, ...] = ()
    required_for_completion: bool = False


class ExperimentSpec(Wire):
    templates: tuple[ExperimentTemplate, ...] = ()
    duration: str = ""
    progress_deadline_seconds: int | None = None
    terminate: bool = False
    analyses: tuple[ExperimentAnalysis, ...] = ()
    scale_down_delay_seconds: int | None = None
    dry_run: tuple[DryRun, ...] = ()
    measurement_retention: tuple[Retention, ...] = ()
    analysis_run_metadata: RunMetadata | None = None


class TemplateStatus(Wire):
    name: str = ""
    replicas: int = 0
    updated_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    collision_count: int | None = None
    status: str = ""
    message: str = ""
    last_transition_time: str | None = None
    service_name: str = ""
    pod_template_hash: str = ""


class ExperimentRunStatus(Wire):
    name: str = ""
    analysis_run: str = ""
    phase: str = ""
    message: str = ""


class ExperimentStatus(Wire):
    phase: str = ""
    message: str = ""
    available_at: str | None = None
    template_statuses: tuple[TemplateStatus, ...] = ()
    analysis_runs: tuple[ExperimentRunStatus, ...] = ()
    conditions: tuple[dict[str, Any], ...] = ()


class Experiment(Wire):
    api_version: str = "argoproj.io/v1alpha1"
    kind: str = "Experiment"
    metadata: ObjectMeta = Field(default_factory=ObjectMeta)
    spec: ExperimentSpec = Field(default_factory=ExperimentSpec)
    status: ExperimentStatus | None = None
