"""How a chart repository is reached: what its Secret says, turned into an `Access`, chosen as Argo CD chooses it.

Pure. In: a URL, a project, the repository Secrets of Argo's namespace. Out: one `ChartRepository`.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from services.renderer.failures import Reason, RenderFailure
from services.renderer.paths import url_scheme
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
