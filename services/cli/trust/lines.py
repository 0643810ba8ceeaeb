"""Lines of OpenSSH's files, known_hosts and allowed_signers, taken apart. Pure."""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator
from typing import NamedTuple

_KEY = re.compile(r"(?:^|\s)((?:sk-)?(?:ssh|ecdsa)-[a-zA-Z0-9@.-]+)\s+([A-Za-z0-9+/]+=*)(?:\s|$)")


class SshLine(NamedTuple):
    """`names`: hosts or principals; `rest`: the whole line."""

    names: str
    kind: str
    key: str
    rest: str

    @property
    def fingerprint(self) -> str:
        digest = hashlib.sha256(base64.b64decode(self.key)).digest()
        return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"


class NotSsh(ValueError):
    """A line that names no host or person with a key."""


def parsed(text: str) -> list[SshLine]:
    """Read all lines; comments and empty ones are left out. Raises NotSsh with the line's number."""
    return list(_lines(text))


def _lines(text: str) -> Iterator[SshLine]:
    for number, line in enumerate(text.splitlines(), 1):
        written = line.strip()
        if not written or written.startswith("#"):
            continue
        found = _KEY.search(written)
        names = written[: found.start()].split()[0] if found and written[: found.start()].split() else ""
        if found is None or not _is_key(found.group(1), found.group(2)):
            raise NotSsh(f"line {number} holds no SSH key")
        yield SshLine(names, found.group(1), found.group(2), written)


def _is_key(kind: str, key: str) -> bool:
    """Tell whether the blob says itself that it is such a key."""
    try:
        blob = base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError):
        return False
    size = int.from_bytes(blob[:4], "big")
    return blob[4 : 4 + size] == kind.encode()
