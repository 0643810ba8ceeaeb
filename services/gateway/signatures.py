"""Is this body from who it says? One pure function per way that providers sign, all in constant time."""

import base64
from collections.abc import Callable, Mapping

from shared.security import Secret, hmac_equal, hmac_hex

Headers = Mapping[str, str]
Check = Callable[[Headers, bytes, "Credentials"], bool]
Credentials = Mapping[str, Secret]  # by the part after `webhook.<provider>.`


def github(headers: Headers, body: bytes, known: Credentials) -> bool:
    """sha256; sha1 only from servers that send nothing better."""
    if (given := headers.get("x-hub-signature-256")) is not None:
        return hmac_equal("sha256=" + hmac_hex(known["secret"], body, "sha256"), given)
    return hmac_equal("sha1=" + hmac_hex(known["secret"], body, "sha1"), headers.get("x-hub-signature", ""))


def gitlab(headers: Headers, _body: bytes, known: Credentials) -> bool:
    return hmac_equal(known["secret"].reveal(), headers.get("x-gitlab-token", ""))


def gogs(headers: Headers, body: bytes, known: Credentials) -> bool:
    given = headers.get("x-gitea-signature") or headers.get("x-gogs-signature", "")
    return hmac_equal(hmac_hex(known["secret"], body, "sha256"), given)


def bitbucket(headers: Headers, _body: bytes, known: Credentials) -> bool:
    return hmac_equal(known["uuid"].reveal().strip("{}"), headers.get("x-hook-uuid", "").strip("{}"))


def bitbucketserver(headers: Headers, body: bytes, known: Credentials) -> bool:
    return hmac_equal("sha256=" + hmac_hex(known["secret"], body, "sha256"), headers.get("x-hub-signature", ""))


def azuredevops(headers: Headers, _body: bytes, known: Credentials) -> bool:
    """Both halves are compared whatever the first says."""
    user, password = _basic(headers.get("authorization", ""))
    nothing = Secret("")
    user_fits = hmac_equal(known.get("username", nothing).reveal(), user)
    return hmac_equal(known.get("password", nothing).reveal(), password) and user_fits


def _basic(header: str) -> tuple[str, str]:
    scheme, _, encoded = header.partition(" ")
    try:
        user, _, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return (user, password) if scheme.lower() == "basic" else ("", "")
