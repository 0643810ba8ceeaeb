"""AnalysisTemplate, ClusterAnalysisTemplate and AnalysisRun: what is measured, how it is judged, what came of it.

Numbers may be written as text with arguments in them (`count: "{{args.n}}"`), so they are int or text here. Providers
stay plain: each is read by its own module.
"""

from typing import Any

from pydantic import Field

from shared.kinds.meta import ObjectMeta
from shared.kinds.wire import Wire

IntOrText = int | str | None


class ValueFrom(Wire):
    secret_key_ref: dict[str, Any] | None = None
    field_ref: dict[str, Any] | None = None
    pod_template_hash_value: str | None = None


class Argument(Wire):
    """`podTemplateHashValue` (Stable or Latest) is for Rollouts, `secretKeyRef` for templates."""

    name: str = ""
    value: str | None = None
    value_from: ValueFrom | None = None


class TemplateRef(Wire):
    template_name: str = ""
    cluster_scope: bool = False


class DryRun(Wire):
    metric_name: str = ""


class Retention(Wire):
    metric_name: str = ""
    limit: int = 0


class RunMetadata(Wire):
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class Metric(Wire):
    name: str = ""
    interval: str = ""
    initial_delay: str = ""
    count: IntOrText = None
    success_condition: str = ""
    failure_condition: str = ""
    failure_limit: IntOrText = None
    inconclusive_limit: IntOrText = None
    consecutive_error_limit: IntOrText = None
    consecutive_success_limit: IntOrText = None
    provider: dict[str, Any] = Field(default_factory=dict)


class TemplateSpec(Wire):
    metrics: tuple[Metric, ...] = ()
    args: tuple[Argument, ...] = ()
    dry_run: tuple[DryRun, ...] = ()
    measurement_retention: tuple[Retention, ...] = ()
    templates: tuple[TemplateRef, ...] = ()


class AnalysisTemplate(Wire):
    api_version: str = "argoproj.io/v1alpha1"
    kind: str = "AnalysisTemplate"
    metadata: ObjectMeta = Field(default_factory=ObjectMeta)
    spec: TemplateSpec = Field(default_factory=TemplateSpec)


class ClusterAnalysisTemplate(Wire):
    api_version: str = "argoproj.io/v1alpha1"
    kind: str = "ClusterAnalysisTemplate"
    metadata: ObjectMeta = Field(default_factory=ObjectMeta)
    spec: TemplateSpec = Field(default_factory=TemplateSpec)


class TTLStrategy(Wire):
    seconds_after_completion: int | None = None
    seconds_after_success: int | None = None
    seconds_after_failure: int | None = None


class AnalysisRunSpec(Wire):
    metrics: tuple[Metric, ...] = ()
    args: tuple[Argument, ...] = ()
    terminate: bool = False
    dry_run: tuple[DryRun, ...] = ()
    measurement_retention: tuple[Retention, ...] = ()
    ttl_strategy: TTLStrategy | None = Field(default=None, alias="ttlStrategy")


class Measurement(Wire):
    phase: str = ""
    value: str = ""
    message: str = ""
    started_at: str | None = None
    finished_at: str | None = None
    resume_at: str | None = None
    metadata: dict[str, str] = Field(default_factory=dict)


class MetricResult(Wire):
    name: str = ""
    phase: str = ""
    message: str = ""
    count: int = 0
    successful: int = 0
    failed: int = 0
    inconclusive: int = 0
    error: int = 0
    consecutive_error: int = 0
    consecutive_success: int = 0
    measurements: tuple[Measurement, ...] = ()
    dry_run: bool = False
    metadata: dict[str, str] = Field(default_factory=dict)


class RunSummary(Wire):
    count: int = 0
    successful: int = 0
    failed: int = 0
    inconclusive: int = 0
    error: int = 0


class AnalysisRunStatus(Wire):
    phase: str = ""
    message: str = ""
    metric_results: tuple[MetricResult, ...] = ()
    run_summary: RunSummary | None = None
    dry_run_summary: RunSummary | None = None
    started_at: str | None = None
    completed_at: str | None = None


class AnalysisRun(Wire):
    api_version: str = "argoproj.io/v1alpha1"
    kind: str = "AnalysisRun"
    metadata: ObjectMeta = Field(default_factory=ObjectMeta)
    spec: AnalysisRunSpec = Field(default_factory=AnalysisRunSpec)
    status: AnalysisRunStatus | None = None
