"""Logins that a kubeconfig holds in full: tokens, token files, passwords, client certificates.

In: a kubeconfig as a dict. Out: a `Login`, or None where it takes a plugin or is malformed (credentials.py then asks
kubernetes_asyncio, whose import costs half a second and 31 MB). Never: a command that is run.
"""

import base64
import hashlib
import ssl
from collections.abc import Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, NamedTuple

Obj = Mapping[str, Any]
_CLUSTER = {
    "server",
    "certificate-authority",
    "certificate-authority-data",
    "insecure-skip-tls-verify",
    "tls-server-name",
    "proxy-url",
    "disable-compression",
    "extensions",
}
_USER = {
    "token",
    "tokenFile",
    "username",
    "password",
    "client-certificate",
    "client-certificate-data",
    "client-key",
    "client-key-data",
    "as",
    "as-uid",
    "as-groups",
    "extensions",
}


class Login(NamedTuple):
    """Everything to connect with. `changing`: the token is in a file that somebody rewrites."""

    server: str
    authority: bytes
    insecure: bool
    server_name: str | None
    proxy: str | None
    authorization: str
    certificate: bytes
    key: bytes
    headers: tuple[tuple[str, str], ...]
    changing: bool

    @property
    def identity(self) -> bytes:
        """A digest of who we are to the server."""
        return hashlib.sha256(self.authorization.encode() + b"\0" + self.certificate).digest()

    def tls(self) -> ssl.SSLContext | None:
        """Make the TLS side of it. Raises OSError, ValueError."""
        if not self.server.startswith("https"):
            return None
        context = ssl.create_default_context(cadata=self.authority.decode() or None)
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if self.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self.certificate:
            with NamedTemporaryFile() as file:  # OpenSSL takes them from a file only
                file.write(self.certificate + b"\n" + self.key)
                file.flush()
                context.load_cert_chain(file.name)
        return context


def login(config: Obj, context: str | None, folder: Path) -> Login | None:
    """Read a context of a kubeconfig; relative files are in `folder`. Raises OSError, ValueError for its files."""
    chosen = _named(config, "contexts", context or config.get("current-context"), "context")
    cluster = _named(config, "clusters", chosen and chosen.get("cluster"), "cluster")
    user = _named(config, "users", chosen and chosen.get("user"), "user")
    if not cluster or not user or cluster.keys() - _CLUSTER or user.keys() - _USER or not cluster.get("server"):
        return None
    return Login(
        server=str(cluster["server"]).rstrip("/"),
        authority=_data(cluster, "certificate-authority", folder),
        insecure=bool(cluster.get("insecure-skip-tls-verify")),
        server_name=cluster.get("tls-server-name"),
        proxy=cluster.get("proxy-url"),
        authorization=_authorization(user, folder),
        certificate=_data(user, "client-certificate", folder),
        key=_data(user, "client-key", folder),
        headers=_stand_in(user),
        changing="tokenFile" in user,
    )


def _named(config: Obj, section: str, name: Any, what: str) -> Obj | None:
    found = config.get(section)
    entries = found if isinstance(found, list) else []
    return next(
        (
            one[what]
            for one in entries
            if isinstance(one, Mapping) and one.get("name") == name and isinstance(one.get(what), Mapping)
        ),
        None,
    )


def _data(section: Obj, name: str, folder: Path) -> bytes:
    """Give what stands in the kubeconfig in base64, or else in a file."""
    if text := section.get(f"{name}-data"):
        return base64.b64decode(text, validate=True)
    file = section.get(name)
    return (folder / file).read_bytes() if file else b""


def _authorization(user: Obj, folder: Path) -> str:
    """A token file wins over a token, as it does for kubectl."""
    if file := user.get("tokenFile"):
        return f"Bearer {(folder / file).read_text().strip()}"
    if token := user.get("token"):
        return f"Bearer {token}"
    if user.get("username"):
        pair = f"{user['username']}:{user.get('password') or ''}"
        return f"Basic {base64.b64encode(pair.encode()).decode()}"
    return ""


def stand_in(config: Obj, context: str | None) -> tuple[tuple[str, str], ...]:
    """Give the headers of a context's impersonation. It usually takes rights away, so it must not be forgotten."""
    chosen = _named(config, "contexts", context or config.get("current-context"), "context")
    return _stand_in(_named(config, "users", chosen and chosen.get("user"), "user") or {})


def _stand_in(user: Obj) -> tuple[tuple[str, str], ...]:
    if not user.get("as"):
        return ()
    uid = (("Impersonate-Uid", str(user["as-uid"])),) if user.get("as-uid") else ()
    groups = (("Impersonate-Group", str(group)) for group in user.get("as-groups") or ())
    return (("Impersonate-User", str(user["as"])), *uid, *groups)
