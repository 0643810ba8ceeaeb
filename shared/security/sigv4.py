"""AWS Signature Version 4 of a request, as AWS documents it: in its headers, or in its URL. Pure."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True)
class Login:
    """Whose keys sign."""

    key_id: str
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)


@dataclass(frozen=True)
class Scope:
    """What a signature is good for."""

    at: datetime
    region: str
    service: str

    @property
    def text(self) -> str:
        return f"{self.at:%Y%m%d}/{self.region}/{self.service}/aws4_request"

    @property
    def date(self) -> str:
        return self.at.strftime("%Y%m%dT%H%M%SZ")


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
    scope, parts = Scope(now.astimezone(UTC), region, service), urlsplit(url)
    all_ = {name.lower(): value.strip() for name, value in headers.items()}
    all_ |= {"host": parts.netloc, "x-amz-date": scope.date}
    all_ |= {"x-amz-security-token": login.token} if login.token else {}
    request = _canonical(method, parts.path, parts.query, all_, hashlib.sha256(body).hexdigest())
    signature = _signature(login, scope, request)
    credential = f"Credential={login.key_id}/{scope.text}, SignedHeaders={_names(all_)}, Signature={signature}"
    return {**all_, "authorization": f"{ALGORITHM} {credential}"}


def presigned(  # noqa: PLR0917 - what is signed
    url: str,
    headers: Mapping[str, str],
    login: Login,
    region: str,
    service: str,
    now: datetime,
    *,
    expires: int,
    payload: str = hashlib.sha256(b"").hexdigest(),
) -> str:
    """The URL of a GET with its signature in the query, for whoever sends these headers with it."""
    scope, parts = Scope(now.astimezone(UTC), region, service), urlsplit(url)
    all_ = {**{name.lower(): value.strip() for name, value in headers.items()}, "host": parts.netloc}
    said = {
        "X-Amz-Algorithm": ALGORITHM,
        "X-Amz-Credential": f"{login.key_id}/{scope.text}",
        "X-Amz-Date": scope.date,
        "X-Amz-Expires": str(expires),
        "X-Amz-SignedHeaders": _names(all_),
    }
    said |= {"X-Amz-Security-Token": login.token} if login.token else {}
    own = "&".join(f"{name}={quote(value, safe='-_.~')}" for name, value in said.items())
    query = f"{parts.query}&{own}" if parts.query else own
    signature = _signature(login, scope, _canonical("GET", parts.path, query, all_, payload))
    return f"{parts.scheme}://{parts.netloc}{parts.path or '/'}?{query}&X-Amz-Signature={signature}"


def _names(headers: Mapping[str, str]) -> str:
    return ";".join(sorted(headers))


def _canonical(method: str, path: str, query: str, headers: Mapping[str, str], payload: str) -> str:
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    return "\n".join((method, quote(path or "/"), "&".join(sorted(query.split("&"))), lines, _names(headers), payload))


def _signature(login: Login, scope: Scope, request: str) -> str:
    text = "\n".join((ALGORITHM, scope.date, scope.text, hashlib.sha256(request.encode()).hexdigest()))
    key = f"AWS4{login.secret}".encode()
    for part in scope.text.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()
