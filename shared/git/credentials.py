"""What Argo's namespace says of reaching repositories, as one `Access` for an address and a project. No network.

In: repository and repo-creds Secrets, argocd-tls-certs-cm. A Secret that can't be read is left out and logged.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from shared.git.access import Access, is_http
from shared.git.github_app import GitHubApp
from shared.kinds.secrets import (
    InvalidSecret,
    RepositoryCredentials,
    RepositorySecret,
    credentials_for,
    secret_type,
    split_url,
)
from shared.security import Secret, register
from shared.telemetry import get_logger

log = get_logger()
Key = tuple[str, str]
R = TypeVar("R", bound=RepositoryCredentials)
Obj = Mapping[str, Any]


class KnownCredentials:
    """One instance a process; fed by informers."""

    def __init__(self) -> None:
        self._repositories: dict[Key, RepositorySecret] = {}
        self._templates: dict[Key, RepositoryCredentials] = {}
        self.authorities: dict[str, str] = {}

    def put(self, key: Key, secret: Obj | None) -> None:
        """None: the Secret is gone."""
        self._repositories.pop(key, None)
        self._templates.pop(key, None)
        if secret is None:
            return
        try:
            if secret_type(secret) == "repository":
                self._repositories[key] = _registered(RepositorySecret.from_secret(secret))
            elif secret_type(secret) == "repo-creds":
                self._templates[key] = _registered(RepositoryCredentials.from_secret(secret))
        except InvalidSecret as error:
            log.warning("a repository Secret is left out", why=str(error))

    def repositories(self) -> tuple[RepositorySecret, ...]:
        """The registered git repositories."""
        return tuple(one for one in self._repositories.values() if one.type in ("", "git") and not one.enable_oci)

    def lookup(self, url: str, project: str) -> Access:
        """How to reach an address for a project; a user and password in the address itself count last."""
        found = credentials_for(url, self.repositories(), self._templates.values(), project)
        settings = found.repository or found.credentials
        access = self._access(url, found.credentials or RepositoryCredentials(), settings)
        return replace(access, depth=found.repository.depth if found.repository else 0)

    def lookup_with(self, url: str, secret: Obj) -> Access:
        """How to reach an address with a Secret of its own, in the keys of a repository Secret."""
        login = _registered(RepositorySecret.from_secret({**secret, "stringData": {"url": url}}))
        return self._access(url, login, login)

    def _access(self, url: str, login: RepositoryCredentials, settings: RepositoryCredentials | None) -> Access:
        user, password = _written(url)
        return Access(
            username=login.username or user,
            password=login.password or Secret(password),
            token=login.bearer_token,
            ssh_key=login.ssh_private_key,
            insecure=_insecure(url, settings),
            authorities=self.authorities.get(split_url(url).host, ""),
            certificate=login.tls_client_cert_data,
            key=login.tls_client_cert_key,
            proxy=(settings.proxy if settings else "") or login.proxy,
            no_proxy=(settings.no_proxy if settings else "") or login.no_proxy,
            app=_app(login),
        )


def _registered(secret: R) -> R:
    """Its values are masked wherever they would be written."""
    hidden = (secret.password, secret.bearer_token)
    register(*(value.reveal() for value in hidden if value))
    return secret


def _insecure(url: str, settings: RepositoryCredentials | None) -> bool:
    if isinstance(settings, RepositorySecret) and not is_http(url):
        return settings.skips_host_key_check
    return bool(settings and settings.insecure)


def _app(login: RepositoryCredentials) -> GitHubApp | None:
    if not login.github_app_private_key:
        return None
    return GitHubApp(
        login.github_app_id,
        login.github_app_private_key,
        login.github_app_installation_id,
        login.github_app_enterprise_base_url,
    )


def _written(url: str) -> tuple[str, str]:
    if not is_http(url):
        return "", ""
    parts = urlsplit(url)
    return unquote(parts.username or ""), unquote(parts.password or "")
