"""Settings: environment variables with the prefix `TIPHYS_`, or files of the same names in `TIPHYS_SETTINGS_DIR`.

`Common` is what every process needs; each service adds its own frozen class, whose prefix is `TIPHYS_<SERVICE>_`. A
wrong value stops the start with the name of the variable and what is expected, never with the value itself.
"""

import os
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

FOLDER = "TIPHYS_SETTINGS_DIR"
S = TypeVar("S", bound=BaseSettings)


class SettingsError(Exception):
    """A setting has a value that can't be used."""


def prefixed(service: str) -> SettingsConfigDict:
    """`model_config` of a service's settings class."""
    return SettingsConfigDict(env_prefix=f"TIPHYS_{service.upper()}_", frozen=True, extra="ignore")


class Common(BaseSettings):
    """What every Tiphys process reads."""

    model_config = SettingsConfigDict(env_prefix="TIPHYS_", frozen=True, extra="ignore")

    nats_url: SecretStr = Field(
        default=SecretStr("nats://127.0.0.1:4222"), description="NATS servers, separated by commas; none: no bus"
    )
    namespace: str = Field(default="argocd", description="Namespace of the Applications and of Argo CD's settings")
    application_namespaces: str = Field(
        default="",
        description="Other namespaces with Applications: names, globs, /regular expressions/, separated by commas; "
        "those of application.namespaces in argocd-cmd-params-cm are added",
    )
    kubeconfig: Path | None = Field(default=None, description="Kubeconfig file; empty: the pod's own identity")
    kube_context: str | None = Field(default=None, description="Context in the kubeconfig; empty: its current one")
    data: Path = Field(default=Path("~/.local/share/tiphys"), description="Folder for mirrors and caches")
    health_host: str = Field(default="0.0.0.0", description="Address of /healthz, /readyz and /metrics")  # noqa: S104
    health_port: int = Field(default=9090, ge=0, le=65535, description="Port of the same; 0: any free one")
    log_format: Literal["auto", "json", "console"] = Field(default="auto", description="auto: console on a terminal")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(default="INFO", description="Least severe lines")
    bus_patience_seconds: float = Field(default=60.0, gt=0, description="How long a start waits for NATS")
    engine_processes: int = Field(default=2, ge=1, le=64, description="Worker processes for templates")


def load(model: type[S], **overrides: Any) -> S:
    """Overrides (the command line) over the environment over files; raises SettingsError."""
    folder = os.environ.get(FOLDER)
    try:
        return model(_secrets_dir=folder if folder and Path(folder).is_dir() else None, **overrides)
    except ValidationError as error:
        raise SettingsError(_explain(model, error)) from None


def _explain(model: type[BaseSettings], error: ValidationError) -> str:
    prefix = str(model.model_config.get("env_prefix", ""))
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(f"{prefix}{'_'.join(map(str, p['loc']))}".upper() + f": {p['msg']}" for p in problems)
