"""SSH host keys that are trusted, where libgit2 looks for them: `.ssh/known_hosts` in a home folder of our own.

libssh2 gives up on a whole file for one line that it can't read, so only lines that it can read are written.
"""

from pathlib import Path

import pygit2

KEY_TYPES = (
    "ssh-rsa",
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
)


def usable_lines(known_hosts: str) -> list[str]:
    """`hosts type key` lines; comments, markers (@revoked, @cert-authority) and unknown key types are left out."""
    lines = (line.strip() for line in known_hosts.splitlines())
    return [line for line in lines if line[:1] not in ("", "@", "#") and _key_type(line) in KEY_TYPES]


def _key_type(line: str) -> str:
    parts = line.split()
    return parts[1] if len(parts) >= 3 else ""


def trust_hosts(home: Path, known_hosts: str) -> None:
    """From now on exactly these hosts are known to this process."""
    folder = home / ".ssh"
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / "known_hosts.new"
    fresh.write_text("".join(f"{line}\n" for line in usable_lines(known_hosts)))
    fresh.replace(folder / "known_hosts")
    pygit2.settings.homedir = str(home)
