"""What a registry asks for in `WWW-Authenticate`, read without guessing: the distribution token protocol, or Basic.

Pure: text in, values out.
"""

import base64
import ipaddress
import re
from typing import NamedTuple

from yarl import URL

from shared.oci.access import Access
from shared.oci.download import checked
from shared.oci.errors import Malformed, Refused

LONGEST = 8192
_WORD = re.compile(r"[\s,]*([A-Za-z][A-Za-z0-9_-]*)")
_VALUE = re.compile(r'\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')


class Challenge(NamedTuple):
    """`scheme` is lower case; the rest is only said for bearer."""

    scheme: str
    realm: str = ""
    service: str = ""
    scope: str = ""


def read_challenge(header: str) -> Challenge:
    """The best of a header's challenges: bearer before basic before others; `Malformed` when there is none."""
    found = [
        Challenge(scheme, *(given.get(name, "") for name in Challenge._fields[1:])) for scheme, given in _all(header)
    ]
    for wanted in ("bearer", "basic"):
        for challenge in found:
            if challenge.scheme == wanted:
                return challenge
    if not found:
        raise Malformed("the registry refuses access without saying how to get it")
    return found[0]


def _all(header: str) -> list[tuple[str, dict[str, str]]]:
    """Schemes with their parameters: a word that is followed by `=` is a parameter, one that isn't is a scheme."""
    found: list[tuple[str, dict[str, str]]] = []
    text, at = header[:LONGEST], 0
    while word := _WORD.match(text, at):
        at = word.end()
        value = _VALUE.match(text, at)
        if value is None:
            found.append((word[1].lower(), {}))
            continue
        at = value.end()
        if found:
            plain = re.sub(r"\\(.)", r"\1", value[1]) if value[1] is not None else value[2]
            found[-1][1].setdefault(word[1].lower(), plain)
    return found


def token_url(challenge: Challenge, default_scope: str, access: Access, registry: URL) -> URL:
    """Where to ask for a token. Without TLS only when the registry itself is reached without TLS."""
    realm = checked(challenge.realm)
    if realm.scheme != "https" and not (registry.scheme == "http" and access.plain_http):
        raise Refused(f"{registry.host} wants credentials sent to {realm.host} without TLS: that is refused")
    if realm.host != registry.host and _inside(realm.host or "", of_another=not _inside(registry.host or "")):
        raise Refused(f"{registry.host} wants credentials sent to the private address {realm.host}: that is refused")
    asked = {"scope": challenge.scope or default_scope}
    if challenge.service:
        asked["service"] = challenge.service
    return realm.update_query(asked)


def _inside(host: str, *, of_another: bool = True) -> bool:
    """An address that only this network or this machine has: nobody outside may choose that we talk to it.

    Link-local ones, where clouds keep their machines' credentials, are nobody's registry.
    """
    if host in ("localhost", "metadata.google.internal") or host.endswith(".localhost"):
        return of_another
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_link_local or (of_another and not address.is_global)


def basic(access: Access, *, only_token: bool = False) -> str:
    """An Authorization header, or "" for nobody. `only_token`: a ready token may go unasked, a password may not."""
    if access.token:
        return f"Bearer {access.token.reveal()}"
    if only_token or not (access.username and access.password):
        return ""
    pair = f"{access.username}:{access.password.reveal()}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"
