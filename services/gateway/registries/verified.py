"""Is this webhook from the registry it says? One function per way that registries prove it, all in constant time."""

import base64
from collections.abc import Callable

from services.gateway.registries.pushed import Received
from shared.security import Secret, hmac_equal, hmac_hex

Check = Callable[[Received, Secret], bool]


def shared_secret(received: Received, secret: Secret) -> bool:
    """The secret itself, where registries can be told to put it: `?secret=`, a header of ours, or Authorization.

    All places are looked at, whatever the first says.
    """
    headers = received.headers
    scheme, _, token = headers.get("authorization", "").partition(" ")
    given = (
        received.query.get("secret", ""),
        headers.get("x-webhook-secret", ""),
        headers.get("authorization", ""),
        token.strip() if scheme.lower() in ("bearer", "token") else "",
        _password(token) if scheme.lower() == "basic" else "",
    )
    return sum(hmac_equal(secret.reveal(), each) for each in given) > 0


def github(received: Received, secret: Secret) -> bool:
    expected = "sha256=" + hmac_hex(secret, received.body, "sha256")
    return hmac_equal(expected, received.headers.get("x-hub-signature-256", ""))


def gitlab(received: Received, secret: Secret) -> bool:
    """GitLab's registry sends the headers that its administrator writes down."""
    given = hmac_equal(secret.reveal(), received.headers.get("x-gitlab-token", ""))
    return shared_secret(received, secret) or given


def jfrog(received: Received, secret: Secret) -> bool:
    """The header holds the secret, or a signature of the body, as the webhook is set up."""
    header = received.headers.get("x-jfrog-event-auth", "")
    signed = hmac_equal(hmac_hex(secret, received.body, "sha256"), header.removeprefix("sha256="))
    return hmac_equal(secret.reveal(), header) or signed or shared_secret(received, secret)


def nexus(received: Received, secret: Secret) -> bool:
    expected = hmac_hex(secret, received.body, "sha1")
    return hmac_equal(expected, received.headers.get("x-nexus-webhook-signature", ""))


def bearer(received: Received) -> str:
    scheme, _, token = received.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _password(encoded: str) -> str:
    try:
        return base64.b64decode(encoded.strip(), validate=True).decode().partition(":")[2]
    except ValueError:
        return ""
