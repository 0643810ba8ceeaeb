"""The ApplicationSet: generators, a template, and how the Applications it makes are kept.

Generators and the template's spec stay plain: they are full of parameters, typed once they are rendered.
"""

from typing import Any

from pydantic import Field

from shared.kinds.application import Condition
from shared.kinds.meta import ObjectMeta
from shared.kinds.wire import Wire


class TemplateMeta(Wire):
    name: str = ""
    namespace: str = ""
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)
    finalizers: tuple[str, ...] = ()


class ApplicationTemplate(Wire):
    metadata: TemplateMeta = Field(default_factory=TemplateMeta)
    spec: dict[str, Any] = Field(default_factory=dict)


class SetSyncPolicy(Wire):
    applications_sync: str = ""
    preserve_resources_on_deletion: bool = False


class PreservedFields(Wire):
    annotations: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


class IgnoredApplicationFields(Wire):
    name: str = ""
    json_pointers: tuple[str, ...] = ()
    jq_path_expressions: tuple[str, ...] = ()


class MatchExpression(Wire):
    key: str = ""
    operator: str = ""
    values: tuple[str, ...] = ()


class RolloutStep(Wire):
    match_expressions: tuple[MatchExpression, ...] = ()
    max_update: int | str | None = None


class RollingSync(Wire):
    steps: tuple[RolloutStep, ...] = ()


class Strategy(Wire):
    type: str = ""
    rolling_sync: RollingSync | None = None
    deletion_order: str = ""


class ApplicationSetSpec(Wire):
    go_template: bool = False
    go_template_options: tuple[str, ...] = ()
    generators: tuple[dict[str, Any], ...] = ()
    template: ApplicationTemplate = Field(default_factory=ApplicationTemplate)
    template_patch: str | None = None
    sync_policy: SetSyncPolicy | None = None
    strategy: Strategy | None = None
    preserved_fields: PreservedFields | None = None
    ignore_application_differences: tuple[IgnoredApplicationFields, ...] = ()
    apply_nested_selectors: bool = False


class SetCondition(Condition):
    status: str = ""
    reason: str = ""


class ApplicationSetStatus(Wire):
    conditions: tuple[SetCondition, ...] = ()
    application_status: tuple[dict[str, Any], ...] = ()
    resources: tuple[dict[str, Any], ...] = ()
    resources_count: int = 0


class ApplicationSet(Wire):
    api_version: str = "argoproj.io/v1alpha1"
    kind: str = "ApplicationSet"
    metadata: ObjectMeta = Field(default_factory=ObjectMeta)
    spec: ApplicationSetSpec = Field(default_factory=ApplicationSetSpec)
    status: ApplicationSetStatus | None = None
