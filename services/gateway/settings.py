"""The gateway's settings: where it listens and what it takes at most."""

from pydantic import Field
from pydantic_settings import BaseSettings

from shared.run import prefixed


class Settings(BaseSettings):
    """`TIPHYS_GATEWAY_*`."""

    model_config = prefixed("gateway")

    host: str = Field(default="0.0.0.0", description="Address to listen on")  # noqa: S104
    port: int = Field(default=8080, ge=0, le=65535, description="Port to listen on; 0: any free one")
    body_limit_bytes: int = Field(default=50 * 1024 * 1024, gt=0, description="Largest webhook body; more is a 413")
    body_timeout_seconds: float = Field(default=30, gt=0, description="A body must have arrived within this; else 408")
    bodies_at_once: int = Field(
        default=8, gt=0, description="Webhook bodies of more than 1 MiB in memory at a time; others wait"
    )
    publish_timeout_seconds: float = Field(
        default=5, gt=0, description="How long a webhook waits for the bus; else 503"
    )
    retry_after_seconds: int = Field(default=10, gt=0, description="What a 503 tells the provider to wait")
    google_keys_url: str = Field(
        default="https://www.googleapis.com/oauth2/v3/certs",
        pattern=r"^https?://",
        description="Where Google's public keys are, for the tokens of Pub/Sub pushes",
    )
