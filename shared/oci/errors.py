"""What can go wrong with a registry or a download, classified once; no message holds a credential or a query string.

OciFailure
├── Unreachable (retriable: refused, reset, timed out, 5xx, 429)
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
