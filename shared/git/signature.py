"""What a signature on a commit or a tag turned out to be, whoever looked. Pure.

In: what gpg or ssh-keygen said. Out: a `Signature`; whether its key is one that a policy allows; the words for people.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple

State = Literal["good", "unsigned", "bad", "expired", "revoked", "unknown", "unreadable"]
WORDS: dict[State, str] = {
    "good": "signed with unallowed key",
    "unsigned": "unsigned",
    "bad": "bad signature",
    "expired": "signed with expired key",
    "revoked": "signed with revoked key",
    "unknown": "signed with key not in keyring",
    "unreadable": "signature can't be read",
}
ID_LENGTH = 16


class Signature(NamedTuple):
    """`keys`: the fingerprints that it answers to, the signing (sub)key's first."""

    state: State
    keys: tuple[str, ...] = ()

    @property
    def key_id(self) -> str:
        """How people name the key: a GPG key by its long ID, an SSH key by its fingerprint."""
        key = self.keys[0] if self.keys else ""
        return key if key.startswith("SHA256:") else key[-ID_LENGTH:]

    def made_by(self, allowed: Iterable[str]) -> bool:
        """Tell whether it is good, and by one of these keys: IDs or fingerprints."""
        return self.state == "good" and any(_same(one, key) for one in allowed for key in self.keys)


UNSIGNED = Signature("unsigned")


def _same(allowed: str, key: str) -> bool:
    if allowed.startswith("SHA256:") or key.startswith("SHA256:"):
        return allowed == key
    written = allowed.removeprefix("0x").upper()
    return len(written) >= 8 and key.upper().endswith(written)


def failure(revision: str, author: str, signature: Signature) -> str:
    """Say what is wrong with one revision, in Argo CD's words."""
    why = f"{WORDS[signature.state]} (key_id={signature.key_id})"
    return f"GIT/GPG: Failed verifying revision {revision} by '{author}': {why}"
