"""A sync that someone asked for (`operation`) and how it goes (`status.operationState`)."""

from typing import Literal

from pydantic import Field

from shared.kinds.source import NameValue, Source
from shared.kinds.wire import Wire

Phase = Literal["", "Running", "Terminating", "Failed", "Error", "Succeeded"]


class Backoff(Wire):
    duration: str = ""
    factor: int | None = None
    max_duration: str = ""


class Retry(Wire):
    limit: int = 0
    backoff: Backoff | None = None
    refresh: bool = False


class SyncStrategyForce(Wire):
    force: bool = False


class SyncStrategy(Wire):
    apply: SyncStrategyForce | None = None
    hook: SyncStrategyForce | None = None


class SyncResource(Wire):
    group: str = ""
    kind: str = ""
    name: str = ""
    namespace: str = ""


class SyncOperation(Wire):
    revision: str = ""
    revisions: tuple[str, ...] = ()
    prune: bool = False
    dry_run: bool = False
    sync_strategy: SyncStrategy | None = None
    resources: tuple[SyncResource, ...] = ()
    source: Source | None = None
    sources: tuple[Source, ...] = ()
    manifests: tuple[str, ...] = ()
    sync_options: tuple[str, ...] = ()
    auto_heal_attempts_count: int = 0


class InitiatedBy(Wire):
    username: str = ""
    automated: bool = False


class Operation(Wire):
    sync: SyncOperation | None = None
    initiated_by: InitiatedBy | None = None
    info: tuple[NameValue, ...] = ()
    retry: Retry | None = None


class ManagedNamespaceMetadata(Wire):
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class ResourceResult(Wire):
    group: str = ""
    version: str = ""
    kind: str = ""
    namespace: str = ""
    name: str = ""
    status: str = ""
    message: str = ""
    hook_type: str = ""
    hook_phase: str = ""
    sync_phase: str = ""
    images: tuple[str, ...] = ()


class SyncResult(Wire):
    revision: str = ""
    revisions: tuple[str, ...] = ()
    source: Source | None = None
    sources: tuple[Source, ...] = ()
    resources: tuple[ResourceResult, ...] = ()
    managed_namespace_metadata: ManagedNamespaceMetadata | None = None


class OperationState(Wire):
    operation: Operation = Field(default_factory=Operation)
    phase: Phase = ""
    message: str = ""
    sync_result: SyncResult | None = None
    started_at: str | None = None
    finished_at: str | None = None
    retry_count: int = 0
