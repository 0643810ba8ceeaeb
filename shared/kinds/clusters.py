"""Cluster Secrets: where a destination cluster is and how to log in to it.

In: a Secret of type `cluster`. Out: a frozen value whose secret parts don't print themselves.
"""

import json
from collections.abc import Mapping
from typing import Any, Self

from pydantic import ConfigDict, Field, ValidationError

from shared.kinds.secretdata import NONE, InvalidSecret, SecretText, decoded, field_problem, secret_name
from shared.kinds.wire import Wire

SKIP_RECONCILE = "argocd.argoproj.io/skip-reconcile"


class TLSClient(Wire):
    """PEM parts in base64, as Go writes bytes into JSON."""

    model_config = ConfigDict(extra="ignore")

    insecure: bool = False
    server_name: str = ""
    ca_data: str = ""
    cert_data: str = ""
    key_data: SecretText = NONE


class ExecProvider(Wire):
    command: str = ""
    args: tuple[str, ...] = ()
    env: dict[str, str] = Field(default_factory=dict, repr=False)
    api_version: str = "client.authentication.k8s.io/v1beta1"
    install_hint: str = ""


class AWSAuth(Wire):
    cluster_name: str = ""
    role_arn: str = Field(default="", alias="roleARN")
    profile: str = ""


class ClusterConfig(Wire):
    model_config = ConfigDict(extra="ignore")

    username: str = ""
    password: SecretText = NONE
    bearer_token: SecretText = NONE
    tls_client_config: TLSClient = Field(default_factory=TLSClient)
    aws_auth_config: AWSAuth | None = None
    exec_provider_config: ExecProvider | None = None
    disable_compression: bool = False
    proxy_url: str = Field(default="", repr=False)

    @property
    def has_login(self) -> bool:
        """Whether there is anything to log in with."""
        plugins = self.exec_provider_config or self.aws_auth_config
        return bool(self.username or self.bearer_token or self.tls_client_config.cert_data or plugins)


class ClusterSecret(Wire):
    secret: str = ""
    name: str = ""
    server: str = ""
    namespaces: tuple[str, ...] = ()
    cluster_resources: bool = False
    shard: int | None = None
    project: str = ""
    config: ClusterConfig = Field(default_factory=ClusterConfig)
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)

    @classmethod
    def from_secret(cls, obj: Mapping[str, Any]) -> Self:
        """Read a Secret object. Raises InvalidSecret."""
        texts, where = decoded(obj), secret_name(obj)
        server = texts.get("server", "").strip().rstrip("/")
        if not server:
            raise InvalidSecret(f"Secret {where} has no server")
        metadata = obj.get("metadata") or {}
        try:
            return cls(
                secret=where,
                name=texts.get("name", "").strip() or server,
                server=server,
                namespaces=tuple(filter(None, (part.strip() for part in texts.get("namespaces", "").split(",")))),
                cluster_resources=texts.get("clusterResources", "").strip().lower() == "true",
                shard=_shard(texts.get("shard", ""), where),
                project=texts.get("project", "").strip(),
                config=ClusterConfig.model_validate(_config(texts.get("config", ""), where), by_name=False),
                labels=metadata.get("labels") or {},
                annotations=metadata.get("annotations") or {},
            )
        except ValidationError as error:
            raise field_problem(error, where) from None

    @property
    def skips_reconcile(self) -> bool:
        return self.annotations.get(SKIP_RECONCILE) == "true"


def _shard(text: str, where: str) -> int | None:
    if not text.strip():
        return None
    if not text.strip().isdigit():
        raise InvalidSecret(f"Secret {where}: key shard is no number")
    return int(text)


def _config(text: str, where: str) -> dict[str, Any]:
    """The reader's own message would quote the text, and with it what is secret."""
    try:
        value = json.loads(text or "{}")
    except ValueError:
        raise InvalidSecret(f"Secret {where}: key config is no JSON") from None
    if not isinstance(value, dict):
        raise InvalidSecret(f"Secret {where}: key config is no JSON object")
    return {key: item for key, item in value.items() if item is not None}
