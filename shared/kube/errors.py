"""What can go wrong between us and a Kubernetes API server, as types.

    KubeError                      everything below; has `message` and `retriable`
    |- ApiError                    the server answered with a Status, or did not answer (status 0)
    |  |- BadRequest 400   Unauthorized 401   Forbidden 403   NotFound 404   NotAcceptable 406
    |  |- Conflict 409     AlreadyExists 409  Gone 410        TooLarge 413   UnsupportedMediaType 415
    |  |- Invalid 422      TooManyRequests 429   InternalError 500   ServerTimeout 504 or no answer in time
    |  |- NoCluster        no usable kubeconfig or credentials
    |  |- Fenced           a write that was not sent, for its sender may have lost its lease
    |  `- Unavailable 503  or the connection was refused, reset or cut
    |     `- DiscoveryIncomplete   a group's API server is down: its kinds are unknown, not missing
    `- UnknownKind                 the cluster was asked and does not have this kind

In: status codes and Status bodies. Out: one error, its texts clipped and redacted. Never: bodies that are not a
Status in full.
"""

import re
from typing import ClassVar, NamedTuple

import msgspec

from shared.security import redact

MESSAGE_LIMIT = 1024
CAUSE_LIMIT = 400
CAUSES_LIMIT = 50
_UNTYPED = "failed to create typed patch object"  # a field of the wrong type or name, answered as 500
_TYPED_VALUE = re.compile(r"valueUnstructured\{Value:.*?\}(?=$|[\s,;])", re.DOTALL)
_VALUE = re.compile(r'(Invalid value|Duplicate value|Unsupported value): (?:"(?:[^"\\]|\\.)*"|[^\s:,]+)')


class Cause(NamedTuple):
    """One reason of several: for Invalid the field that is wrong, for a Conflict the field another manager owns."""

    field: str
    message: str
    reason: str


class KubeError(Exception):
    """The root: `message` says what to do, `retriable` whether the same call may succeed later."""

    retriable: bool = False

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class UnknownKind(KubeError):
    """The cluster answered and does not know the kind."""

    def __init__(self, group: str, kind: str, version: str | None = None) -> None:
        name = "/".join(part for part in (group, version, kind) if part)
        super().__init__(
            f"the cluster does not know the kind {name}: install its CustomResourceDefinition or correct the apiVersion"
        )
        self.group, self.kind, self.version = group, kind, version


class ApiError(KubeError):
    """A call to the API server failed. `status` is 0 when it did not answer."""

    transient: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        reason: str = "",
        causes: tuple[Cause, ...] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason or type(self).__name__
        self.causes = causes
        self.retry_after = retry_after
        self.retriable = self.transient or retry_after is not None


class NoCluster(ApiError):
    """There is no usable kubeconfig, context, credential plugin or service account to connect with."""


class Fenced(ApiError):
    """A write that was not sent: by the clock of this process its lease has run out, so another may be at work."""

    transient = True


class BadRequest(ApiError): ...


class Unauthorized(ApiError): ...


class Forbidden(ApiError): ...


class NotFound(ApiError): ...


class NotAcceptable(ApiError): ...


class AlreadyExists(ApiError): ...


class TooLarge(ApiError): ...


class UnsupportedMediaType(ApiError): ...


class Invalid(ApiError): ...


class Conflict(ApiError):
    """The object is at another version (retriable after reading again), or others own fields (not retriable)."""

    transient = True

    def __init__(self, message: str, **rest: object) -> None:
        super().__init__(message, **rest)  # type: ignore[arg-type]
        self.retriable = not self.managers

    @property
    def managers(self) -> tuple[Cause, ...]:
        """The fields that other field managers own."""
        return tuple(cause for cause in self.causes if cause.reason == "FieldManagerConflict")


class Gone(ApiError):
    """The resource version or continue token is too old: list again."""

    transient = True


class TooManyRequests(ApiError):
    transient = True


class InternalError(ApiError):
    transient = True


class ServerTimeout(ApiError):
    transient = True


class Unavailable(ApiError):
    transient = True


class DiscoveryIncomplete(Unavailable):
    """A group's API server does not answer, so whether it has the kind is not known."""


_BY_REASON: dict[str, type[ApiError]] = {
    "AlreadyExists": AlreadyExists,
    "Conflict": Conflict,
    "Expired": Gone,
    "Gone": Gone,
    "ServerTimeout": ServerTimeout,
    "Timeout": ServerTimeout,
}
_BY_STATUS: dict[int, type[ApiError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    406: NotAcceptable,
    409: Conflict,
    410: Gone,
    413: TooLarge,
    415: UnsupportedMediaType,
    422: Invalid,
    429: TooManyRequests,
    500: InternalError,
    502: Unavailable,
    503: Unavailable,
    504: ServerTimeout,
}


class _Cause(msgspec.Struct):
    reason: str = ""
    message: str = ""
    field: str = ""


class _Details(msgspec.Struct):
    kind: str = ""
    causes: list[_Cause] | None = None
    retryAfterSeconds: int | None = None  # noqa: N815  # the name on the wire


class _Status(msgspec.Struct):
    kind: str = ""
    reason: str = ""
    message: str = ""
    code: int = 0
    details: _Details | None = None


_decoder = msgspec.json.Decoder(_Status)


def _clean(text: str, limit: int, *, secret: bool) -> str:
    text = redact(_TYPED_VALUE.sub("***", _VALUE.sub(r"\1: ***", text)) if secret else text)
    if len(text) <= limit:
        return text
    return f"{text[: limit // 2]} … {text[-limit // 2 + 3 :]}"  # the server writes the reason last


def _read(body: bytes, status: int) -> _Status:
    try:
        found = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        found = _Status()
    if found.kind == "Status":
        return found
    text = body[:256].decode("utf-8", "replace").strip()
    return _Status(message=text or f"the API server answered {status} without a reason", code=status)


def _kind(found: _Status, status: int) -> type[ApiError]:
    if found.message.startswith(_UNTYPED):
        return Invalid
    return _BY_REASON.get(found.reason) or _BY_STATUS.get(status) or (InternalError if status >= 500 else ApiError)


def from_status(body: bytes, status: int = 0, retry_after: float | None = None) -> ApiError:
    """Make the error that a Status body tells of; `status` is the HTTP status, or 0 for the code inside (watches)."""
    found = _read(body, status)
    status = status or found.code
    kind = _kind(found, status)
    details = found.details or _Details()
    secret = details.kind.lower() in {"secret", "secrets"} or "Kind=Secret)" in found.message
    causes = tuple(
        Cause(cause.field, _clean(cause.message, CAUSE_LIMIT, secret=secret), cause.reason)
        for cause in (details.causes or ())[:CAUSES_LIMIT]
    )
    if retry_after is None and kind in {TooManyRequests, Unavailable, ServerTimeout, InternalError}:
        retry_after = details.retryAfterSeconds
    message = _clean(found.message or found.reason or f"HTTP {status}", MESSAGE_LIMIT, secret=secret)
    return kind(message, status=status, reason=found.reason, causes=causes, retry_after=retry_after)
