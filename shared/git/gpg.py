"""GnuPG: a home folder with public keys, what an armored text holds, and whether a signature is good.

Blocking, and bounded in time. Nothing of the user's own GnuPG is read, no agent is started, no network is used; the
trust model is Argo CD's: every key in the home is trusted. Out: `Signature`, from gpg's machine-readable status lines.
"""

import os
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from shared.git.errors import ToolFailed
from shared.git.signature import ID_LENGTH, Signature, State

SECONDS = 15.0
_OPTIONS = ("--batch", "--no-options", "--no-autostart", "--no-auto-key-retrieve", "--trust-model", "always")
_VERDICTS: dict[str, State] = {
    "BADSIG": "bad",
    "EXPSIG": "expired",
    "EXPKEYSIG": "expired",
    "REVKEYSIG": "revoked",
    "ERRSIG": "unknown",
    "NODATA": "unreadable",
    "GOODSIG": "good",
}


class Key(NamedTuple):
    fingerprint: str
    owner: str
    kind: str


def run_tool(command: tuple[str, ...], stdin: bytes, home: Path) -> subprocess.CompletedProcess[bytes]:
    """Run one of the signature tools with next to no environment. Raises ToolFailed."""
    environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(home), "LC_ALL": "C"}
    try:
        return subprocess.run(
            command, input=stdin, capture_output=True, timeout=SECONDS, env=environment, cwd=home, check=False
        )
    except FileNotFoundError as error:
        if not home.is_dir():
            raise ToolFailed("the keys were changed meanwhile") from error
        raise ToolFailed(f"{command[0]} is not installed where signatures are verified: install it") from error
    except subprocess.TimeoutExpired as error:
        raise ToolFailed(f"{command[0]} did not answer in {SECONDS:g} s") from error


def _gpg(home: Path, *words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return run_tool(("gpg", "--homedir", str(home), *_OPTIONS, *words), stdin, home)


def import_key(home: Path, armored: str) -> bool:
    """Add a public key to a home; False when there is none in the text. A secret key is never taken."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    if "PRIVATE KEY" in armored:
        return False
    said = _gpg(home, "--status-fd", "1", "--import", stdin=armored.encode())
    return b"[GNUPG:] IMPORT_OK" in said.stdout  # its exit code also says that no agent runs


def split_keys(armored: str) -> dict[str, str]:
    """Give each public key of a text by its long ID, in an armour of its own."""
    with tempfile.TemporaryDirectory(prefix="gpg-") as folder:
        home = Path(folder)
        if not import_key(home, armored):
            return {}
        keys = keys_in(armored)
        exported = (_gpg(home, "--armor", "--export", key.fingerprint).stdout.decode() for key in keys)
        return {key.fingerprint[-ID_LENGTH:]: text for key, text in zip(keys, exported, strict=True)}


def keys_in(armored: str) -> list[Key]:
    """Give the public keys that a text holds, without keeping them."""
    with tempfile.TemporaryDirectory(prefix="gpg-") as folder:
        shown = _gpg(Path(folder), "--with-colons", "--show-keys", stdin=armored.encode())
    return list(_keys(shown.stdout.decode(errors="replace").splitlines()))


def _keys(lines: Iterable[str]) -> Iterator[Key]:
    """Read gpg's colon listing: `pub`, then its `fpr` and its first `uid`; subkeys are part of their key."""
    algorithms = {"1": "rsa", "17": "dsa", "19": "ecdsa", "22": "ed25519"}
    kind, fingerprint, primary = "", "", False
    for line in lines:
        fields = line.split(":")
        if fields[0] in {"pub", "sub"}:
            primary = fields[0] == "pub"
            if primary:
                name = algorithms.get(fields[3], fields[3])
                kind = f"{name}{fields[2]}" if name in {"rsa", "dsa"} else fields[16] or name
        elif fields[0] == "fpr" and primary:
            fingerprint = fields[9]
        elif fields[0] == "uid" and fingerprint:
            yield Key(fingerprint, fields[9], kind)
            fingerprint = ""


def verify(home: Path, signature: bytes, payload: bytes) -> Signature:
    """Say what a detached signature is worth. Raises ToolFailed."""
    with tempfile.NamedTemporaryFile(suffix=".sig") as file:
        file.write(signature)
        file.flush()
        said = _gpg(home, "--status-fd", "1", "--verify", file.name, "-", stdin=payload)
    return read_status(said.stdout.decode(errors="replace"))


def read_status(text: str) -> Signature:
    """Read gpg's status lines. More than one signature, or a good one without VALIDSIG, is not good."""
    lines = [line.split()[1:] for line in text.splitlines() if line.startswith("[GNUPG:] ")]
    verdicts = [(words[0], words[1:]) for words in lines if words and words[0] in _VERDICTS]
    valid = [words[1:] for words in lines if words and words[0] == "VALIDSIG"]
    worst = next(((_VERDICTS[name], rest) for name, rest in verdicts if name != "GOODSIG"), None)
    keys = tuple(dict.fromkeys(key for words in valid for key in (words[0], words[-1])))
    if worst is not None:
        state, rest = worst
        return Signature(state, keys or tuple(rest[:1]))
    if len(verdicts) == 1 and len(valid) == 1:
        return Signature("good", keys)
    return Signature("unreadable", keys)
