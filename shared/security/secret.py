"""A secret value that never prints itself, and comparisons that take the same time whatever differs."""

import hmac
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """`reveal()` is the only way out, so every use of the value can be found by its name."""

    value: str

    def reveal(self) -> str:
        return self.value

    def __bool__(self) -> bool:
        return bool(self.value)

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__


def hmac_hex(secret: Secret, body: bytes, algorithm: Literal["sha1", "sha256", "sha512"]) -> str:
    return hmac.new(secret.reveal().encode(), body, algorithm).hexdigest()


def hmac_equal(expected: str, given: str) -> bool:
    """Text of any kind, compared in constant time (the standard function refuses text beyond ASCII)."""
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogateescape"))
