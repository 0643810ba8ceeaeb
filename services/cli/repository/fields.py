"""What of a repository Secret a person gives, and what of it may be shown. Pure.

In: the options of `repo add` and `repocreds add`. Out: the Secret's texts; and entries without anything secret in them.
"""

from dataclasses import dataclass
from typing import Any

from shared.kinds.secrets import RepositoryCredentials, RepositorySecret
from shared.security import redact

Obj = dict[str, Any]
HEADER = ("TYPE", "NAME", "REPO", "LOGIN", "STATUS", "MESSAGE", "PROJECT")


@dataclass(frozen=True)
class Login:
    """How to log in; each text as the Secret holds it. Files have been read by now."""

    username: str = ""
    password: str = ""
    bearer_token: str = ""
    ssh_key: str = ""
    certificate: str = ""
    certificate_key: str = ""
    app_id: str = ""
    app_installation: str = ""
    app_key: str = ""
    app_url: str = ""
    proxy: str = ""
    no_proxy: str = ""
    basic: bool = False

    def texts(self) -> dict[str, str]:
        """By the keys of Argo CD's Secrets."""
        return {
            "username": self.username,
            "password": self.password,
            "bearerToken": self.bearer_token,
            "sshPrivateKey": self.ssh_key,
            "tlsClientCertData": self.certificate,
            "tlsClientCertKey": self.certificate_key,
            "githubAppID": self.app_id,
            "githubAppInstallationID": self.app_installation,
            "githubAppPrivateKey": self.app_key,
            "githubAppEnterpriseBaseUrl": self.app_url,
            "proxy": self.proxy,
            "noProxy": self.no_proxy,
            "forceHttpBasicAuth": flag(self.basic),
        }


def flag(value: bool) -> str:
    return "true" if value else ""


def login_kind(credentials: RepositoryCredentials) -> str:
    """Name how one logs in, without saying with what."""
    kinds = (
        ("GitHub App", credentials.github_app_private_key),
        ("SSH key", credentials.ssh_private_key),
        ("token", credentials.bearer_token),
        ("password", credentials.password),
        ("client certificate", credentials.tls_client_cert_key),
        ("Google identity", credentials.gcp_service_account_key),
        (
            "Azure identity",
            credentials.use_azure_workload_identity or credentials.azure_service_principal_client_secret,
        ),
    )
    return next((name for name, value in kinds if value), "-")


def shown(secret: RepositorySecret, status: str, message: str) -> Obj:
    """One repository as people see it."""
    return {
        "repo": redact(secret.url),
        "type": secret.type or "git",
        "name": secret.name,
        "project": secret.project,
        "login": login_kind(secret),
        "username": secret.username if not secret.github_app_private_key else "",
        "insecure": secret.skips_host_key_check,
        "enableLfs": secret.enable_lfs,
        "enableOCI": secret.enable_oci,
        "connectionState": {"status": status, "message": redact(message)},
    }


def row(entry: Obj) -> tuple[str, ...]:
    state = entry["connectionState"]
    plain = (entry["type"], entry["name"] or "-", entry["repo"], entry["login"])
    return (*plain, state["status"], state["message"], entry["project"])


def shown_credentials(credentials: RepositoryCredentials) -> Obj:
    """Credentials for many repositories as people see them."""
    return {
        "url": redact(credentials.url),
        "type": credentials.type or "git",
        "login": login_kind(credentials),
        "username": credentials.username,
        "project": credentials.project,
    }
