"""What an operator may set for the registry watcher. Every name has its unit; the defaults spare public registries."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings

from shared.run import prefixed


class RegistryWatcherSettings(BaseSettings):
    """Environment variables `TIPHYS_REGISTRY_WATCHER_*`."""

    model_config = prefixed("registry_watcher")

    poll_seconds: float = Field(default=120.0, gt=0, description="Time between polls of a repository without webhooks")
    told_poll_seconds: float = Field(
        default=3600.0, gt=0, description="Time between polls of a repository whose webhooks arrive"
    )
    told_within_seconds: float = Field(
        default=24 * 3600.0, gt=0, description="A webhook within this time means that its webhooks arrive"
    )
    fresh_seconds: float = Field(
        default=120.0, ge=0, description="How long a list of tags answers questions, unless they ask for a fresh one"
    )
    asked_seconds: float = Field(
        default=3600.0, gt=0, description="A repository that was asked about is watched for so long"
    )
    look_concurrency: int = Field(default=16, ge=1, description="Tags looked at at the same time")
    poll_concurrency: int = Field(default=16, ge=1, description="Repositories polled at the same time")
    host_connections: int = Field(default=10, ge=1, description="Connections to one registry")
    hook_concurrency: int = Field(default=16, ge=1, description="Webhooks handled at the same time")
    credentials_seconds: float = Field(
        default=300.0, gt=0, description="How long credentials are kept that don't say so themselves"
    )
    registries_conf: Path | None = Field(
        default=None, description="registries.conf; empty: that key of ConfigMap argocd-image-updater-config"
    )
    docker_config: Path | None = Field(
        default=None, description="Docker config file with logins or credential helpers, for what has no pull secret"
    )
    authorities: Path = Field(
        default=Path("/app/config/tls"), description="Folder with certificates of authorities, each named as its host"
    )
    secret_namespaces: str = Field(
        default="", description="Namespaces whose pull Secrets anyone may use, separated by commas"
    )
    environment: str = Field(
        default="", description="Variables that `env:` may name in pull secrets of users, separated by commas"
    )
    scripts: Path | None = Field(
        default=None, description="Folder with the scripts that `ext:` may name in pull secrets of users; empty: none"
    )
