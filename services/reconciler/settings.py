"""The reconciler's settings: `TIPHYS_RECONCILER_*`."""

from pydantic import Field
from pydantic_settings import BaseSettings

from shared.run import prefixed


class Settings(BaseSettings):
    """What an operator may turn."""

    model_config = prefixed("reconciler")

    workers: int = Field(default=64, ge=1, description="Applications worked on at the same time")
    concurrent_writes: int = Field(default=32, ge=1, description="Requests in flight to one destination cluster")
    status_interval_seconds: float = Field(
        default=1.0, ge=0, description="Shortest time between two status writes of one Application that moves"
    )
    revision_lag_seconds: float = Field(
        default=60.0,
        gt=0,
        description="How long status.sync.revision may lag behind a push that changed nothing the Application reads",
    )
    refresh_seconds: float = Field(
        default=180.0,
        gt=0,
        description="How often branches are checked for news that got lost, and charts for new versions",
    )
