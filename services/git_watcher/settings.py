"""What an operator may set for the git watcher. Every name has its unit; the defaults suit a small cluster."""

from pydantic import Field
from pydantic_settings import BaseSettings

from shared.run import prefixed

GIB = 1024**3


class GitWatcherSettings(BaseSettings):
    """Environment variables `TIPHYS_GIT_WATCHER_*`."""

    model_config = prefixed("git_watcher")

    poll_seconds: float = Field(
        default=180.0,
        gt=0,
        description="Time between polls of a repository; timeout.reconciliation of argocd-cm goes first",
    )
    connect_seconds: float = Field(default=10.0, gt=0, description="Longest time to connect to a git host")
    idle_seconds: float = Field(default=25.0, gt=0, description="Longest silence of a git host")
    fetch_seconds: float = Field(default=600.0, gt=0, description="Longest time of one fetch")
    repository_bytes: int = Field(default=4 * GIB, gt=0, description="Most that one fetch may bring")
    depth: int = Field(default=0, ge=0, description="Commits of history to fetch; 0: all of it")
    threads: int = Field(default=8, ge=3, description="Repositories fetched at the same time")
    hook_concurrency: int = Field(default=16, ge=1, description="Webhooks handled at the same time")
