"""People who sign: GnuPG keys in a home of their own, SSH keys, and a work tree of a bare repository to commit in.

Everything is real gpg, ssh-keygen and git; the agent that gpg starts ends with the test.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

WRAPPER = """#!/bin/sh
exec gpg --batch --pinentry-mode loopback --passphrase '' ${FAKED_TIME:+--faked-system-time "$FAKED_TIME"} "$@"
"""
LONG_AGO = "20200601T000000!"


class GpgKey(NamedTuple):
    """`id`: the long key ID, as Argo CD names keys."""

    id: str
    armored: str
    expired: bool = False


class SshKey(NamedTuple):
    fingerprint: str
    signer: str
    file: Path


class Signing:
    """`home` is short: the agent's socket lies in it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.program = home / "gpg-for-git"
        self.program.write_text(WRAPPER)
        self.program.chmod(0o700)

    def run(self, *command: str, cwd: Path | None = None, faked: str = "") -> str:
        """Run one of the tools with this home."""
        clean = {"GNUPGHOME": str(self.home), "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        environment = {**os.environ, **clean, **({"FAKED_TIME": faked} if faked else {})}
        done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def gpg_key(self, name: str, *, expired: bool = False) -> GpgKey:
        """A new key pair; `expired`: it could sign until the summer of 2020."""
        faked, until = (LONG_AGO, "1m") if expired else ("", "never")
        owner = f"{name} <{name}@example.org>"
        self.run(str(self.program), "--quick-gen-key", owner, "ed25519", "sign", until, faked=faked)
        listed = self.run("gpg", "--with-colons", "--list-keys", owner).splitlines()
        fingerprint = next(line.split(":")[9] for line in listed if line.startswith("fpr"))
        return GpgKey(fingerprint[-16:], self.run("gpg", "--armor", "--export", fingerprint), expired)

    def ssh_key(self, name: str) -> SshKey:
        """A new key pair, with its line of an allowed_signers file."""
        file = self.home / f"{name}.key"
        self.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(file))
        public = file.with_suffix(".key.pub").read_text().strip()
        fingerprint = self.run("ssh-keygen", "-l", "-f", str(file)).split()[1]
        return SshKey(fingerprint, f'{name}@example.org namespaces="git" {public}', file)


class Work:
    """A work tree whose commits are pushed to a bare repository or an address. `key`: who signs; None: nobody does."""

    def __init__(self, signing: Signing, bare: Path | str, folder: Path) -> None:
        self.signing, self.bare, self.folder = signing, bare, folder
        signing.run("git", "init", "-q", "-b", "main", str(folder))
        for name, value in {
            "user.name": "Ada",
            "user.email": "ada@example.org",
            "gpg.program": str(signing.program),
        }.items():
            self.git("config", name, value)

    def git(self, *words: str, key: GpgKey | SshKey | None = None) -> str:
        ssh = ("-c", "gpg.format=ssh", "-c", f"user.signingkey={key.file}") if isinstance(key, SshKey) else ()
        gpg = ("-c", f"user.signingkey={key.id}!") if isinstance(key, GpgKey) else ()
        faked = "20200610T000000!" if isinstance(key, GpgKey) and key.expired else ""
        return self.signing.run("git", *ssh, *gpg, *words, cwd=self.folder, faked=faked)

    def commit(self, message: str, key: GpgKey | SshKey | None = None, files: dict[str, bytes] | None = None) -> str:
        """Commit and push; the commit."""
        for name, content in (files or {}).items():
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_bytes(content)
        self.git("add", "-A")
        sign = ("-S",) if key else ("--no-gpg-sign",)
        self.git("commit", "-q", "--allow-empty", "-m", message, *sign, key=key)
        return self.push()

    def tag(self, name: str, key: GpgKey | SshKey | None = None) -> None:
        """An annotated tag at HEAD, signed or not."""
        self.git("tag", "-s" if key else "-a", "-m", f"release {name}", name, key=key)
        self.git("push", "-q", str(self.bare), name)

    def merge(self, branch: str, key: GpgKey | None) -> str:
        self.git("merge", "-q", "--no-ff", "-m", f"merge {branch}", *(("-S",) if key else ()), branch, key=key)
        return self.push()

    def push(self) -> str:
        self.git("push", "-q", "-f", str(self.bare), "HEAD")
        return self.git("rev-parse", "HEAD")


@contextmanager
def signers() -> Iterator[Signing]:
    """A home for keys."""
    home = Path(tempfile.mkdtemp(prefix="tg"))
    try:
        # gpg gives an agent that it starts itself five seconds, which is short on a busy machine
        subprocess.run(["gpgconf", "--homedir", str(home), "--launch", "gpg-agent"], capture_output=True, check=False)
        yield Signing(home)
    finally:
        subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False)
        shutil.rmtree(home, ignore_errors=True)
