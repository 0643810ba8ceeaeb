"""What an operator may set for the renderer. Every name has its unit; the defaults suit a small cluster."""

import os

from pydantic import Field
from pydantic_settings import BaseSettings

from shared.run import prefixed

MIB = 1024 * 1024


class RendererSettings(BaseSettings):
    """Environment variables `TIPHYS_RENDERER_*`."""

    model_config = prefixed("renderer")

    concurrency: int = Field(
        default_factory=lambda: 2 * (os.cpu_count() or 1), ge=1, description="Renders at the same time"
    )
    waiting: int = Field(
        default=5000, ge=1, description="Requests that may wait for their turn before new ones are refused"
    )
    render_seconds: float = Field(default=90.0, gt=0, description="Longest time of one render, downloads included")
    tool_seconds: float = Field(default=60.0, gt=0, description="Longest time of one Helm, Kustomize or Jsonnet run")
    combined_manifests_bytes: int = Field(
        default=10 * MIB, ge=0, description="Plain manifest files of one source together; 0: no limit"
    )
    output_bytes: int = Field(default=64 * MIB, gt=0, description="Rendered manifests of one Application together")
    chart_bytes: int = Field(default=100 * MIB, gt=0, description="One chart or artifact as it is downloaded")
    unpacked_bytes: int = Field(default=256 * MIB, gt=0, description="One chart or artifact when unpacked")
    value_file_bytes: int = Field(default=4 * MIB, gt=0, description="One value file fetched by URL")
    charts_on_disk_bytes: int = Field(default=2048 * MIB, gt=0, description="Downloaded charts that are kept")
    parsed_in_memory_bytes: int = Field(default=32 * MIB, gt=0, description="Parsed manifest files that are kept")
    results_in_memory_bytes: int = Field(default=32 * MIB, gt=0, description="What is known of earlier renders")
    results_days: float = Field(
        default=6.0, gt=0, description="How long earlier renders are known; less than objects live"
    )
