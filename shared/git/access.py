"""How a repository may be reached: credentials, trust and proxy, as values.

Where they come from is the services' matter; what is done with them is `shared.git.relay`'s.
"""

import functools
import ipaddress
import os
import re
import ssl
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import getproxies_environment

from yarl import URL

from shared.git.errors import CertificateRejected, UnsupportedAddress
from shared.git.github_app import GitHubApp
from shared.security import Secret

NO_SECRET = Secret("")
_SHORT_FORM = re.compile(r"(?:[\w.~+][\w.~+-]*@)?[A-Za-z0-9][\w.-]+:(?!:)\S+")


@dataclass(frozen=True, slots=True)
class Access:
    """One repository's credentials and trust. `insecure`: any certificate or host key is taken."""

    username: str = ""
    password: Secret = NO_SECRET
    token: Secret = NO_SECRET
    ssh_key: Secret = NO_SECRET
    insecure: bool = False
    authorities: str = field(default="", repr=False)
    certificate: str = field(default="", repr=False)
    key: Secret = NO_SECRET
    proxy: str = field(default="", repr=False)
    no_proxy: str = ""
    app: GitHubApp | None = None
    depth: int = 0

    @property
    def has_credentials(self) -> bool:
        return bool(self.password or self.token or self.ssh_key or self.certificate or self.app)


ANONYMOUS = Access()


def is_http(url: str) -> bool:
    return url.startswith(("http://", "https://"))


def is_ssh(url: str) -> bool:
    """`ssh://host/path`, or the short form `user@host:path`."""
    return url.startswith("ssh://") or ("://" not in url and _SHORT_FORM.fullmatch(url) is not None)


def check_address(url: str) -> None:
    """Only the network: a path on this machine is never a repository."""
    if not (is_http(url) or is_ssh(url)):
        raise UnsupportedAddress(f"{shown(url)} is no address of a git repository: use https://, http:// or ssh://")


def shown(url: str) -> str:
    """A repository's address as people may see it: without user, password or query."""
    if not is_http(url):
        return url
    try:
        return str(URL(url).with_user(None).with_query(None).with_fragment(None))
    except ValueError:
        return "the repository's address"


def tls_context(access: Access) -> ssl.SSLContext:
    """Given authorities are the only ones trusted, as in Argo CD; otherwise the system's."""
    return _tls_context(access.authorities, access.certificate, access.key, insecure=access.insecure)


@functools.lru_cache(maxsize=128)
def _tls_context(authorities: str, certificate: str, key: Secret, *, insecure: bool) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cadata=authorities or None)
        if insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if certificate and key:
            _load_client_certificate(context, certificate, key)
    except (ssl.SSLError, ValueError) as error:
        raise CertificateRejected(
            "the certificates for this repository can't be read: put PEM into argocd-tls-certs-cm and tlsClientCertData"
        ) from error
    return context


def _load_client_certificate(context: ssl.SSLContext, certificate: str, key: Secret) -> None:
    """The ssl module reads client certificates from files only: one that nobody else can read, gone at once."""
    descriptor, name = tempfile.mkstemp(suffix=".pem")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{certificate}\n{key.reveal()}\n")
        context.load_cert_chain(name)
    finally:
        Path(name).unlink()


def proxy_for(access: Access, url: URL) -> str | None:
    """The repository's own proxy unless noProxy names the host; otherwise what the environment says."""
    host = url.host or ""
    if access.proxy:
        return None if bypasses(access.no_proxy, host) else access.proxy
    environment = getproxies_environment()
    return None if bypasses(environment.get("no", ""), host) else environment.get(url.scheme)


def bypasses(no_proxy: str, host: str) -> bool:
    """`*`, a host, a domain (`.example.com` or `example.com`, with what is below it) or a CIDR."""
    return any(_matches(rule.strip().lower(), host.lower()) for rule in no_proxy.split(",") if rule.strip())


def _matches(rule: str, host: str) -> bool:
    if rule == "*":
        return True
    if "/" in rule:
        try:
            return ipaddress.ip_address(host) in ipaddress.ip_network(rule, strict=False)
        except ValueError:
            return False
    domain = rule.removeprefix("*").rsplit(":", 1)[0].removeprefix(".")
    return host.endswith(f".{domain}") or (host == domain and not rule.startswith((".", "*")))
