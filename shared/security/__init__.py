"""Keeping secrets secret: redaction of text, a value that does not print itself, comparisons in constant time.

Nothing in here does I/O, and nothing in here knows what a repository or a cluster is.
"""

from shared.security.redaction import forget, redact, register
from shared.security.secret import Secret, hmac_equal, hmac_hex

__all__ = ["Secret", "forget", "hmac_equal", "hmac_hex", "redact", "register"]
