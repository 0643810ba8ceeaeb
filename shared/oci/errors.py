"""What can go wrong with a registry or a download, classified once; no message holds a credential or a query string.

OciFailure
├── Unreachable (retriable: refused, reset, timed out, 5xx)
│   └── RateLimited (429, or a host that asked to slow down before)
├── NotFound
├── Refused (401, 403)
├── TooLarge
├── DigestMismatch
├── Malformed (the answer is not what the protocol says)
└── UnsupportedAddress
"""

from typing import ClassVar


class OciFailure(Exception):
    retriable: ClassVar[bool] = False


class Unreachable(OciFailure):
    retriable = True


class RateLimited(Unreachable):
    """`retry_after`: seconds for which asking again is no use."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class NotFound(OciFailure):
    pass


class Refused(OciFailure):
    pass


class TooLarge(OciFailure):
    pass


class DigestMismatch(OciFailure):
    pass


class Malformed(OciFailure):
    pass


class UnsupportedAddress(OciFailure):
    pass
