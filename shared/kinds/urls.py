"""Repository URLs: which ones mean the same repository, however they are written.

In: URLs as people and providers write them: https, ssh, `git@host:path`, with or without user, `.git`, port.
Out: one form.
"""

import re
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

_SCP = re.compile(r"(?:(?P<user>[^@/\s]+)@)?(?P<host>\[[0-9a-fA-F:]+\]|[^:/\s]+):(?!//)(?P<path>[^\s]+)")
_DEFAULT_PORTS = {"https": 443, "http": 80, "ssh": 22, "git": 9418, "git+ssh": 22}


class RepoURL(NamedTuple):
    scheme: str
    host: str
    port: int | None
    path: str

    @property
    def is_git_host(self) -> bool:
        return self.scheme in _DEFAULT_PORTS


def split_url(url: str) -> RepoURL:
    """Take a URL apart; user, password, query and a default port are dropped."""
    text = url.strip()
    match = _SCP.fullmatch(text) if "://" not in text else None
    if match is not None and len(match["host"]) > 1:
        return RepoURL("ssh", match["host"].lower(), None, _path(match["path"]))
    parts = urlsplit(text)
    try:
        port = parts.port
    except ValueError:
        port = None
    scheme = parts.scheme.lower()
    kept = None if port == _DEFAULT_PORTS.get(scheme) else port
    return RepoURL(scheme, (parts.hostname or "").lower(), kept, _path(parts.path))


def _path(path: str) -> str:
    return unquote(path).strip("/").removesuffix(".git").rstrip("/")


def normalise_url(url: str) -> str:
    """Give the one name of a repository: `host[:port]/path` for whatever git speaks; other schemes keep theirs."""
    scheme, host, port, path = found = split_url(url)
    if not host:
        return f"{scheme}:///{path}" if scheme else f"/{path}" if url.strip().startswith("/") else path
    place = f"{host}:{port}" if port else host
    return f"{place}/{path}" if found.is_git_host else f"{scheme}://{place}/{path}"


def same_repository(one: str, other: str) -> bool:
    """Tell whether a webhook's URL means this repository: by host and path, whatever the scheme, user, port or case."""
    first, second = split_url(one), split_url(other)
    return bool(first.host) and (first.host, first.path.lower()) == (second.host, second.path.lower())


def credential_url(url: str) -> str:
    """Give the form in which a URL is compared with the prefixes of credentials: the scheme matters there."""
    scheme, host, port, path = split_url(url)
    place = f"{host}:{port}" if port else host
    return f"{scheme}://{place}/{path}".rstrip("/")
