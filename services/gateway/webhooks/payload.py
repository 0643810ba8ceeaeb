"""What all providers' payloads share: JSON of any shape in, typed values or a clear complaint out.

A payload is read by a pydantic model that names just what we need; what is missing is told by path, the values never.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import parse_qs

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from shared.clock import parse_rfc3339

Headers = Mapping[str, str]  # names in lower case
FORM = "application/x-www-form-urlencoded"
MOST_COMPLAINTS = 5
MOST_PATHS, MOST_PATH_LETTERS = 5_000, 250_000
_CREDENTIALS = re.compile(r"^([a-z][a-z0-9+.-]*://)[^/@]*:[^/@]*@", re.IGNORECASE)
_ZERO = re.compile(r"0+")


class Malformed(Exception):
    """The body is no JSON."""


class WrongShape(Exception):
    """The body is JSON, but not what its event should carry; the text names the fields."""


@dataclass(frozen=True)
class Ignored:
    """Nothing to do, and why."""

    why: str


class Payload(BaseModel):
    """Only what is named is read, and only in its own type: a number is no text."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class Commit(Payload):
    """A commit as GitHub, GitLab, Gogs and Gitea list it in a push."""

    added: list[str] | None = None
    removed: list[str] | None = None
    modified: list[str] | None = None
    timestamp: str | None = None


P = TypeVar("P", bound=Payload)


def decode(headers: Headers, body: bytes) -> Any:
    """The JSON inside a body; providers may also send it as the field `payload` of a form."""
    try:
        if headers.get("content-type", "").partition(";")[0].strip().lower() == FORM:
            fields = parse_qs(body.decode(), max_num_fields=20)
            body = fields.get("payload", [""])[0].encode()
        return orjson.loads(body)
    except (ValueError, RecursionError) as error:
        raise Malformed("the body is not JSON") from error


def read(model: type[P], headers: Headers, body: bytes) -> P:
    return shaped(model, decode(headers, body))


def shaped(model: type[P], document: Any) -> P:
    """Decoded JSON as the model says it should be."""
    try:
        return model.model_validate(document)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        told = [f"{_path(problem['loc'])}: {problem['msg']}" for problem in problems[:MOST_COMPLAINTS]]
        raise WrongShape("; ".join(told)) from None


def _path(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "body"


def urls(*candidates: str | None) -> tuple[str, ...]:
    """Every form once, in order; passwords that a provider puts into its URLs go no further."""
    found = dict.fromkeys(_CREDENTIALS.sub(r"\1", text.strip()) for text in candidates if text and text.strip())
    if not found:
        raise WrongShape("repository: no URL in the payload")
    return tuple(found)


def commit(sha: str | None) -> str | None:
    """Providers write a missing commit as zeros."""
    return None if not sha or _ZERO.fullmatch(sha) else sha


def changed_paths(commits: Iterable[Commit]) -> tuple[str, ...] | None:
    """Every path once; None when there are more than an event should carry: anything may have changed then."""
    lists = (listed for item in commits for listed in (item.added, item.removed, item.modified))
    paths = {path for listed in lists for path in listed or ()}
    too_many = len(paths) > MOST_PATHS or sum(map(len, paths)) > MOST_PATH_LETTERS
    return None if too_many else tuple(sorted(paths))


def moment(text: str | None) -> datetime | None:
    """A time that can't be read is unknown, not an error: nothing depends on it."""
    try:
        return parse_rfc3339(text) if text else None
    except (ValueError, OverflowError):
        return None


def delivery(headers: Headers, names: Iterable[str], body: bytes) -> str:
    """The provider's own id of this delivery, or one made of the body, so that a repetition is recognised."""
    given = next((headers[name].strip() for name in names if headers.get(name, "").strip()), "")
    clean = given[:200].encode("utf-8", "replace").decode()
    return clean or hashlib.sha256(body).hexdigest()[:32]
