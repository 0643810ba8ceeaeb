"""What a registry asks for in `WWW-Authenticate`, read without guessing: the distribution token protocol, or Basic.

Pure: text in, values out.
"""

import base64
import re
from typing import NamedTuple

from yarl import URL

from shared.oci.access import Access
from shared.oci.download import checked
from shared.oci.errors import Malformed, Refused

_SCHEME = re.compile(r"\s*([A-Za-z]+)\s*(.*)", re.DOTALL)
_PARAMETER = re.compile(r'([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))')


class Challenge(NamedTuple):
    """`scheme` is lower case; the rest is only said for bearer."""

    scheme: str
    realm: str = ""
    service: str = ""
    scope: str = ""


def read_challenge(header: str) -> Challenge:
    """The first challenge of a header; `Malformed` when there is none."""
    match = _SCHEME.match(header)
    if match is None:
        raise Malformed("the registry refuses access without saying how to get it")
    found = {name.lower(): quoted or plain for name, quoted, plain in _PARAMETER.findall(match[2])}
    return Challenge(match[1].lower(), found.get("realm", ""), found.get("service", ""), found.get("scope", ""))


def token_url(challenge: Challenge, default_scope: str, access: Access, registry: URL) -> URL:
    """Where to ask for a token. Without TLS only when the registry itself is reached without TLS."""
    realm = checked(challenge.realm)
    if realm.scheme != "https" and not (registry.scheme == "http" and access.plain_http):
        raise Refused(f"{registry.host} wants credentials sent to {realm.host} without TLS: that is refused")
    asked = {"scope": challenge.scope or default_scope}
    if challenge.service:
        asked["service"] = challenge.service
    return realm.update_query(asked)


def basic(access: Access) -> str:
    """An Authorization header, or "" for nobody."""
    if access.token:
        return f"Bearer {access.token.reveal()}"
    if not (access.username and access.password):
        return ""
    pair = f"{access.username}:{access.password.reveal()}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"
