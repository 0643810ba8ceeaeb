"""How a host may be reached: credentials and TLS, as a repository Secret says; and the TLS context made of it.

Values only: where they come from is the services' matter.
"""

import functools
import os
import ssl
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from shared.oci.errors import UnsupportedAddress
from shared.security import Secret

NO_SECRET = Secret("")


@dataclass(frozen=True, slots=True)
class Access:
    """One host's credentials. `plain_http`: no TLS at all; `insecure`: TLS, but any certificate is taken.

    `identity` is what a credential helper gives instead of a password: a refresh token for the token server.
    """

    username: str = ""
    password: Secret = NO_SECRET
    token: Secret = NO_SECRET
    identity: Secret = NO_SECRET
    plain_http: bool = False
    insecure: bool = False
    authorities: str = field(default="", repr=False)
    certificate: str = field(default="", repr=False)
    key: Secret = NO_SECRET
    proxy: str = field(default="", repr=False)

    @property
    def has_credentials(self) -> bool:
        return bool(self.token or self.identity or (self.username and self.password))

    def without_credentials(self) -> "Access":
        """The same way to the host, but as nobody: for where the credentials don't belong."""
        return Access(plain_http=self.plain_http, insecure=self.insecure, proxy=self.proxy)


ANONYMOUS = Access()


@functools.lru_cache(maxsize=128)
def tls_context(access: Access) -> ssl.SSLContext:
    """The TLS context of an access; `UnsupportedAddress` when its certificates can't be read."""
    context = ssl.create_default_context()
    if access.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    try:
        if access.authorities:
            context.load_verify_locations(cadata=access.authorities)
        if access.certificate and access.key:
            _load_client_certificate(context, access)
    except (ssl.SSLError, ValueError) as error:
        raise UnsupportedAddress("the repository's certificates can't be read: check that they are PEM") from error
    return context


def _load_client_certificate(context: ssl.SSLContext, access: Access) -> None:
    """The ssl module reads client certificates from files only: one that nobody else can read, gone at once."""
    descriptor, name = tempfile.mkstemp(suffix=".pem")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{access.certificate}\n{access.key.reveal()}\n")
        context.load_cert_chain(name)
    finally:
        Path(name).unlink()
