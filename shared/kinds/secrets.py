"""Argo CD's Secrets: repositories, credentials for many of them by URL prefix, and clusters.

In: Secret objects with Argo CD's label. Out: frozen values whose secret parts don't print themselves. `InvalidSecret`
names the Secret and the key, never what it holds. Keys that nobody knows are dropped: they may be secret.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Self

from pydantic import ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from shared.kinds.clusters import ClusterSecret
from shared.kinds.secretdata import (
    NONE,
    TYPE_LABEL,
    InvalidSecret,
    SecretText,
    decoded,
    field_problem,
    secret_name,
    secret_type,
)
from shared.kinds.urls import RepoURL, credential_url, normalise_url, same_repository, split_url
from shared.kinds.wire import Wire

__all__ = [
    "TYPE_LABEL",
    "Access",
    "ClusterSecret",
    "Credentials",
    "InvalidSecret",
    "RepoURL",
    "RepositoryCredentials",
    "RepositorySecret",
    "credentials_for",
    "match_credentials",
    "normalise_url",
    "same_repository",
    "secret_type",
    "split_url",
]

_TRUE = {"true", "1", "t"}


class Credentials(Wire):
    """How to log in: one of password, token, SSH key, client certificate, GitHub App, or a cloud's own identity."""

    model_config = ConfigDict(extra="ignore")

    username: str = ""
    password: SecretText = NONE
    bearer_token: SecretText = NONE
    ssh_private_key: SecretText = NONE
    tls_client_cert_data: str = ""
    tls_client_cert_key: SecretText = NONE
    github_app_id: str = Field(default="", alias="githubAppID")
    github_app_installation_id: str = Field(default="", alias="githubAppInstallationID")
    github_app_private_key: SecretText = NONE
    github_app_enterprise_base_url: str = ""
    gcp_service_account_key: SecretText = NONE
    use_azure_workload_identity: bool = False
    azure_service_principal_client_id: str = ""
    azure_service_principal_client_secret: SecretText = NONE
    azure_service_principal_tenant_id: str = ""
    azure_active_directory_endpoint: str = ""
    force_http_basic_auth: bool = False
    proxy: str = Field(default="", repr=False)
    no_proxy: str = ""

    @field_validator("*", mode="before")
    @classmethod
    def _text(cls, value: Any, info: ValidationInfo) -> Any:
        """Everything in a Secret is text, and often ends in a line end that nobody meant."""
        if not isinstance(value, str):
            return value
        name = info.field_name or ""
        if cls.model_fields[name].annotation is bool:
            return value.strip().lower() in _TRUE
        return value if name == "ssh_private_key" else value.strip()

    @property
    def has_login(self) -> bool:
        """Whether there is anything to log in with."""
        secrets = (
            *(self.password, self.bearer_token, self.ssh_private_key, self.tls_client_cert_key),
            *(self.github_app_private_key, self.gcp_service_account_key, self.azure_service_principal_client_secret),
        )
        return bool(self.username) or self.use_azure_workload_identity or any(secrets)


class RepositoryCredentials(Credentials):
    """Secret type `repo-creds`: for every repository whose URL begins with `url`."""

    secret: str = ""
    url: str = Field(default="", repr=False)
    type: str = "git"
    project: str = ""
    enable_oci: bool = Field(default=False, alias="enableOCI")
    insecure_oci_force_http: bool = Field(default=False, alias="insecureOCIForceHttp")
    insecure: bool = False

    @classmethod
    def from_secret(cls, obj: Mapping[str, Any]) -> Self:
        """Read a Secret object. Raises InvalidSecret."""
        texts = decoded(obj)
        if not texts.get("url", "").strip():
            raise InvalidSecret(f"Secret {secret_name(obj)} has no url")
        try:
            return cls.model_validate({**texts, "secret": secret_name(obj)}, by_alias=True, by_name=False)
        except ValidationError as error:
            raise field_problem(error, secret_name(obj)) from None


class RepositorySecret(RepositoryCredentials):
    """Secret type `repository`: one repository, for all projects or for `project` only."""

    name: str = ""
    insecure_ignore_host_key: bool = False
    enable_lfs: bool = False
    depth: int = 0

    @property
    def normalised(self) -> str:
        return normalise_url(self.url)

    @property
    def skips_tls_check(self) -> bool:
        return self.insecure

    @property
    def skips_host_key_check(self) -> bool:
        return self.insecure or self.insecure_ignore_host_key


def match_credentials(
    url: str, candidates: Iterable[RepositoryCredentials], project: str = ""
) -> RepositoryCredentials | None:
    """Give the credentials with the longest URL prefix that `url` begins with; those of other projects don't count."""
    wanted = credential_url(url)
    fitting = [
        (len(prefix), one.project == project, one)
        for one in candidates
        if one.project in {"", project} and wanted.startswith(prefix := credential_url(one.url))
    ]
    return max(fitting, key=lambda entry: entry[:2])[2] if fitting else None


def find_repository(url: str, repositories: Iterable[RepositorySecret], project: str = "") -> RepositorySecret | None:
    """Give the Secret of this very URL: the project's own before one for all. The same scheme is preferred."""
    name, written = normalise_url(url), credential_url(url)
    fitting = [one for one in repositories if one.project in {"", project} and normalise_url(one.url) == name]
    return max(
        (one for one in fitting if split_url(one.url).scheme == split_url(written).scheme),
        key=lambda one: one.project == project,
        default=None,
    )


class Access(NamedTuple):
    """What is known of a repository. `repository` None: nobody has registered it."""

    repository: RepositorySecret | None
    credentials: RepositoryCredentials | None


def credentials_for(
    url: str,
    repositories: Iterable[RepositorySecret],
    templates: Iterable[RepositoryCredentials],
    project: str = "",
) -> Access:
    """Give what to log in with: the repository's own credentials, else those of the longest fitting prefix."""
    repository = find_repository(url, repositories, project)
    if repository is not None and repository.has_login:
        return Access(repository, repository)
    return Access(repository, match_credentials(url, templates, project) or repository)
