"""How a chart repository is reached: what its Secret says, turned into an `Access`, chosen as Argo CD chooses it.

Pure. In: a URL, a project, the repository Secrets of Argo's namespace. Out: one `ChartRepository`.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from services.renderer.failures import Reason, RenderFailure
from services.renderer.paths import url_scheme
from shared.kinds.secrets import Access as SecretAccess
from shared.kinds.secrets import RepositoryCredentials, RepositorySecret, credentials_for
from shared.oci.access import ANONYMOUS, Access
from shared.oci.reference import SCHEME


@dataclass(frozen=True, slots=True)
class ChartRepository:
    """`oci`: charts are artifacts of a registry; else there is an index.yaml. `url` has no trailing slash."""

    url: str
    oci: bool
    access: Access = ANONYMOUS

    @property
    def identity(self) -> str:
        """Who we are there, for keys of caches: what one identity fetched is not shown to another."""
        parts = (
            self.access.username,
            self.access.password.reveal(),
            self.access.token.reveal(),
            self.access.key.reveal(),
        )
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


Lookup = Callable[[str, str], ChartRepository]
"""(repository URL or `@name`, project) -> the repository."""


@dataclass(frozen=True, slots=True)
class KnownRepositories:
    """What Argo's namespace says of repositories; `authorities` are certificates by host (argocd-tls-certs-cm)."""

    repositories: tuple[RepositorySecret, ...] = ()
    templates: tuple[RepositoryCredentials, ...] = ()
    authorities: Mapping[str, str] = field(default_factory=dict)

    def lookup(self, url: str, project: str) -> ChartRepository:
        """The repository at a URL, or the registered one that `@name` or `alias:name` means."""
        if url.startswith(("@", "alias:")):
            url = self._by_name(url.removeprefix("@").removeprefix("alias:"), project).url
        address = checked_url(url)
        registered, credentials = self._credentials(address, project)
        oci = is_registry(address, declared=any(_says_oci(each) for each in (registered, credentials)))
        return ChartRepository(address, oci, self._access(address, registered, credentials))

    def _by_name(self, name: str, project: str) -> RepositorySecret:
        for each in self.repositories:
            if each.name == name and each.project in ("", project):
                return each
        message = f"no repository is registered under the name {name!r}: add a repository Secret with that name"
        raise RenderFailure(Reason.CHART_NOT_FOUND, message)

    def _credentials(self, url: str, project: str) -> SecretAccess:
        """Registries are often registered without a scheme, and one Secret may stand for what lies below it."""
        tried = [credentials_for(form, self.repositories, self.templates, project) for form in _forms(url)]
        found = next((each for each in tried if each.credentials is not None), tried[0])
        if found.credentials is not None or not is_registry(url, declared=False):
            return found
        bare = url.removeprefix(SCHEME)
        above = [
            each
            for each in self.repositories
            if each.project in ("", project) and _says_oci(each) and bare.startswith(f"{_bare(each.url)}/")
        ]
        nearest = max(above, key=lambda each: len(each.url), default=None)
        return SecretAccess(found.repository or nearest, nearest)

    def _access(
        self, url: str, registered: RepositorySecret | None, credentials: RepositoryCredentials | None
    ) -> Access:
        settings = registered or credentials
        host = urlsplit(url if url_scheme(url) else f"{SCHEME}{url}").hostname or ""
        login = credentials or RepositoryCredentials()
        return Access(
            username=login.username,
            password=login.password,
            token=login.bearer_token,
            plain_http=bool(settings and settings.insecure_oci_force_http),
            insecure=bool(settings and settings.insecure),
            authorities=self.authorities.get(host, ""),
            certificate=login.tls_client_cert_data,
            key=login.tls_client_cert_key,
            proxy=settings.proxy if settings else "",
        )


def _forms(url: str) -> tuple[str, ...]:
    bare = _bare(url)
    return (url, bare) if url.startswith(SCHEME) else (url, f"{SCHEME}{bare}") if url_scheme(url) is None else (url,)


def _bare(url: str) -> str:
    return url.removeprefix(SCHEME).rstrip("/")


def _says_oci(given: RepositoryCredentials | None) -> bool:
    return given is not None and (given.enable_oci or given.type == "oci")


def http_origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def checked_url(url: str) -> str:
    """A repository address of a scheme that is served: http, https, oci, or a bare registry name."""
    scheme = url_scheme(url)
    if scheme not in (None, "http", "https", "oci"):
        raise RenderFailure(
            Reason.INVALID_SOURCE, f"charts are not read from {scheme}:// addresses: use https:// or oci://"
        )
    return url.rstrip("/")


def is_registry(url: str, *, declared: bool) -> bool:
    """An OCI registry: by its scheme, by its Secret, or because it has no scheme at all."""
    return declared or url.startswith(SCHEME) or url_scheme(url) is None
