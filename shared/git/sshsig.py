"""SSH signatures of git, verified by ssh-keygen against a file of allowed signers (ssh-keygen(1), ALLOWED SIGNERS).

Blocking, and bounded in time. A key that the file does not name, or no longer at this time, is not in the keyring.
"""

import re
import tempfile
from pathlib import Path

from shared.git.gpg import run_tool
from shared.git.signature import Signature

_KEY = re.compile(rb"key (SHA256:[A-Za-z0-9+/]{43})")


def verify(signers: Path, signature: bytes, payload: bytes) -> Signature:
    """Say what a signature is worth. Raises ToolFailed."""
    with tempfile.TemporaryDirectory(prefix="ssh-") as folder:
        home = Path(folder)
        file = home / "signature"
        file.write_bytes(signature)
        made = run_tool(_keygen("check-novalidate", file), payload, home)
        key = _KEY.search(made.stdout)
        if made.returncode or key is None:
            return Signature("bad" if b"incorrect signature" in made.stdout + made.stderr else "unreadable")
        keys = (key.group(1).decode(),)
        found = run_tool((*_keygen("find-principals", file), "-f", str(signers)), b"", home)
        principal = found.stdout.decode(errors="replace").partition("\n")[0].strip()
        if found.returncode or not principal:
            return Signature("unknown", keys)
        named = ("-f", str(signers), "-I", principal)
        good = run_tool((*_keygen("verify", file), *named), payload, home)
    same = _KEY.search(good.stdout)
    is_good = good.returncode == 0 and same is not None and same.group(1).decode() == keys[0]
    return Signature("good" if is_good else "bad", keys)


def _keygen(verb: str, signature: Path) -> tuple[str, ...]:
    return ("ssh-keygen", "-Y", verb, "-n", "git", "-s", str(signature))
