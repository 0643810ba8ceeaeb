"""The Application: what shall run where, and what was found.

In: the object as the API server gives it (`Application.parse`). Out: the same (`to_wire`). Times stay text.
Rules that follow from several fields are in `effective` and `validation`.
"""

from typing import Any

from pydantic import Field

from shared.kinds.meta import ObjectMeta
from shared.kinds.operation import InitiatedBy, ManagedNamespaceMetadata, Operation, OperationState, Retry
from shared.kinds.source import NameValue, Source, SourceHydrator
from shared.kinds.wire import InvalidObject, Wire, unknown_fields

__all__ = [
    "AppSpec",
    "AppStatus",
    "Application",
    "Automated",
    "Comparison",
    "Condition",
    "Destination",
    "HealthStatus",
    "HistoryEntry",
    "IgnoreDifference",
    "InvalidObject",
    "ResourceStatus",
    "Summary",
    "SyncPolicy",
    "SyncStatus",
    "unknown_fields",
]

IN_CLUSTER = "https://kubernetes.default.svc"


class Destination(Wire):
    server: str = ""
    name: str = ""
    namespace: str = ""


class Automated(Wire):
    enabled: bool | None = None
    prune: bool = False
    self_heal: bool = False
    allow_empty: bool = False


class SyncPolicy(Wire):
    automated: Automated | None = None
    sync_options: tuple[str, ...] = ()
    retry: Retry | None = None
    managed_namespace_metadata: ManagedNamespaceMetadata | None = None

    @property
    def is_automated(self) -> bool:
        return self.automated is not None and self.automated.enabled is not False


class IgnoreDifference(Wire):
    group: str = ""
    kind: str = ""
    name: str = ""
    namespace: str = ""
    json_pointers: tuple[str, ...] = ()
    jq_path_expressions: tuple[str, ...] = ()
    managed_fields_managers: tuple[str, ...] = ()


class AppSpec(Wire):
    project: str = ""
    destination: Destination = Field(default_factory=Destination)
    source: Source | None = None
    sources: tuple[Source, ...] = ()
    source_hydrator: SourceHydrator | None = None
    sync_policy: SyncPolicy | None = None
    ignore_differences: tuple[IgnoreDifference, ...] = ()
    info: tuple[NameValue, ...] = ()
    revision_history_limit: int | None = None


class HealthStatus(Wire):
    status: str = ""
    message: str = ""
    last_transition_time: str | None = None


class ResourceStatus(Wire):
    group: str = ""
    version: str = ""
    kind: str = ""
    namespace: str = ""
    name: str = ""
    status: str = ""
    health: HealthStatus | None = None
    hook: bool = False
    requires_pruning: bool = False
    requires_deletion_confirmation: bool = False
    sync_wave: int = 0


class ComparedTo(Wire):
    source: Source | None = None
    sources: tuple[Source, ...] = ()
    destination: Destination = Field(default_factory=Destination)
    ignore_differences: tuple[IgnoreDifference, ...] = ()


class SyncStatus(Wire):
    status: str = ""
    compared_to: ComparedTo | None = None
    revision: str = ""
    revisions: tuple[str, ...] = ()


Comparison = ComparedTo


class HistoryEntry(Wire):
    id: int = 0
    revision: str = ""
    revisions: tuple[str, ...] = ()
    source: Source | None = None
    sources: tuple[Source, ...] = ()
    deployed_at: str | None = None
    deploy_started_at: str | None = None
    initiated_by: InitiatedBy | None = None


class Condition(Wire):
    type: str = ""
    message: str = ""
    last_transition_time: str | None = None


class Summary(Wire):
    external_urls: tuple[str, ...] = Field(default=(), alias="externalURLs")
    images: tuple[str, ...] = ()
    is_app_of_apps: bool = False


class AppStatus(Wire):
    resources: tuple[ResourceStatus, ...] = ()
    sync: SyncStatus = Field(default_factory=SyncStatus)
    health: HealthStatus = Field(default_factory=HealthStatus)
    history: tuple[HistoryEntry, ...] = ()
    conditions: tuple[Condition, ...] = ()
    reconciled_at: str | None = None
    operation_state: OperationState | None = None
    observed_at: str | None = None
    source_type: str = ""
    source_types: tuple[str, ...] = ()
    summary: Summary = Field(default_factory=Summary)
    resource_health_source: str = ""
    controller_namespace: str = ""
    source_hydrator: dict[str, Any] | None = None


class Application(Wire):
    api_version: str = "argoproj.io/v1alpha1"
    kind: str = "Application"
    metadata: ObjectMeta = Field(default_factory=ObjectMeta)
    spec: AppSpec = Field(default_factory=AppSpec)
    operation: Operation | None = None
    status: AppStatus = Field(default_factory=AppStatus)

    @property
    def namespace(self) -> str:
        return self.metadata.namespace

    @property
    def name(self) -> str:
        return self.metadata.name
