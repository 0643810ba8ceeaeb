"""The AppProject: what the Applications of one project may do. The rules themselves are in `project`."""

from typing import Any

from pydantic import Field

from shared.kinds.application import Destination
from shared.kinds.meta import ObjectMeta
from shared.kinds.wire import Wire


class KindRule(Wire):
    group: str = ""
    kind: str = ""
    name: str = ""


class JWTToken(Wire):
    iat: int = 0
    exp: int = 0
    id: str = ""


class ProjectRole(Wire):
    name: str = ""
    description: str = ""
    policies: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    jwt_tokens: tuple[JWTToken, ...] = ()


class SyncWindow(Wire):
    kind: str = ""
    schedule: str = ""
    duration: str = ""
    applications: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    manual_sync: bool = False
    time_zone: str = ""
    and_operator: bool = False
    description: str = ""
    sync_overrun: bool = False


class OrphanedIgnore(Wire):
    group: str = ""
    kind: str = ""
    name: str = ""


class OrphanedResources(Wire):
    warn: bool | None = None
    ignore: tuple[OrphanedIgnore, ...] = ()


class SignatureKey(Wire):
    key_id: str = Field(default="", alias="keyID")


class ServiceAccountRule(Wire):
    server: str = ""
    namespace: str = ""
    default_service_account: str = ""


class IntegrityRepo(Wire):
    url: str = ""


class GpgPolicy(Wire):
    mode: str = ""
    keys: tuple[str, ...] = ()


class IntegrityPolicy(Wire):
    repos: tuple[IntegrityRepo, ...] = ()
    gpg: GpgPolicy | None = None


class GitIntegrity(Wire):
    policies: tuple[IntegrityPolicy, ...] = ()


class SourceIntegrity(Wire):
    git: GitIntegrity | None = None


class ProjectSpec(Wire):
    description: str = ""
    source_repos: tuple[str, ...] = ()
    source_namespaces: tuple[str, ...] = ()
    destinations: tuple[Destination, ...] = ()
    cluster_resource_whitelist: tuple[KindRule, ...] = ()
    cluster_resource_blacklist: tuple[KindRule, ...] = ()
    namespace_resource_whitelist: tuple[KindRule, ...] | None = None
    namespace_resource_blacklist: tuple[KindRule, ...] = ()
    roles: tuple[ProjectRole, ...] = ()
    sync_windows: tuple[SyncWindow, ...] = ()
    orphaned_resources: OrphanedResources | None = None
    signature_keys: tuple[SignatureKey, ...] = ()
    source_integrity: SourceIntegrity | None = None
    permit_only_project_scoped_clusters: bool = False
    destination_service_accounts: tuple[ServiceAccountRule, ...] = ()


class ProjectStatus(Wire):
    jwt_tokens_by_role: dict[str, Any] = Field(default_factory=dict)


class AppProject(Wire):
    api_version: str = "argoproj.io/v1alpha1"
    kind: str = "AppProject"
    metadata: ObjectMeta = Field(default_factory=ObjectMeta)
    spec: ProjectSpec = Field(default_factory=ProjectSpec)
    status: ProjectStatus | None = None

    @property
    def name(self) -> str:
        return self.metadata.name
