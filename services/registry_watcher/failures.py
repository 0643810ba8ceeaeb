"""What a registry's failure is called in an answer: one table. Pure."""

from shared.events import RequestError
from shared.oci import errors
from shared.oci.dockerconfig import BadCredentials

_REASONS: tuple[tuple[type[errors.OciFailure], str], ...] = (
    (BadCredentials, "CredentialsUnavailable"),
    (errors.RateLimited, "RateLimited"),
    (errors.Unreachable, "Unreachable"),
    (errors.NotFound, "NotFound"),
    (errors.Refused, "Unauthorized"),
    (errors.TooLarge, "TooLarge"),
    (errors.UnsupportedAddress, "InvalidImage"),
)


def reason_of(failure: errors.OciFailure) -> str:
    return next((reason for kind, reason in _REASONS if isinstance(failure, kind)), "BadAnswer")


def told(failure: errors.OciFailure) -> RequestError:
    """The same for whoever asked over the bus."""
    wait = failure.retry_after if isinstance(failure, errors.RateLimited) else None
    return RequestError(reason_of(failure), str(failure), retriable=failure.retriable, retry_after=wait)
