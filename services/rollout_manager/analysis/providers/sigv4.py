"""AWS Signature Version 4 of a request, as AWS documents it; and whose login signs."""

import hashlib
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

from services.rollout_manager.analysis.providers.answer import ProviderError


@dataclass(frozen=True)
class Login:
    key_id: str
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)


def from_environment(region: str = "") -> tuple[Login, str]:
    """The rollout manager's own login, and its region where none is given. Raises ProviderError."""
    region = region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or ""
    given = {name: os.environ.get(name, "") for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    missing = [name for name, value in {**given, "AWS_REGION": region}.items() if not value]
    if missing:
        raise ProviderError(f"the rollout manager's environment has no {', no '.join(missing)}")
    key_id, secret = given.values()
    return Login(key_id, secret, os.environ.get("AWS_SESSION_TOKEN", "")), region


def signed(  # noqa: PLR0917 - what is signed
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    login: Login,
    region: str,
    service: str,
    now: datetime,
) -> dict[str, str]:
    """The headers with those that sign them."""
    at = now.astimezone(UTC)
    parts = urlsplit(url)
    all_ = {name.lower(): value.strip() for name, value in headers.items()}
    all_ |= {"host": parts.netloc, "x-amz-date": at.strftime("%Y%m%dT%H%M%SZ")}
    all_ |= {"x-amz-security-token": login.token} if login.token else {}
    names = ";".join(sorted(all_))
    lines = "".join(f"{name}:{all_[name]}\n" for name in sorted(all_))
    query = "&".join(sorted(parts.query.split("&"))) if parts.query else ""
    request = "\n".join((method, quote(parts.path or "/"), query, lines, names, hashlib.sha256(body).hexdigest()))
    scope = f"{at:%Y%m%d}/{region}/{service}/aws4_request"
    text = "\n".join(("AWS4-HMAC-SHA256", all_["x-amz-date"], scope, hashlib.sha256(request.encode()).hexdigest()))
    key = f"AWS4{login.secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    credential = f"Credential={login.key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {**all_, "authorization": f"AWS4-HMAC-SHA256 {credential}"}
