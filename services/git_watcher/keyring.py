"""The keys that commits may be signed with, as folders that gpg and ssh-keygen read. No decision is made here.

In: argocd-gpg-keys-cm and tiphys-ssh-signers-cm. Out: a `Home` for the keys that the asker means: what it has heard
of, we hear of in a moment. A key that can't be read is left out and logged; no private key is ever taken.
"""

import asyncio
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from shared.events import RequestError
from shared.git import gpg
from shared.git.mirrors import Mirrors
from shared.kinds.keyring import keyring_digest
from shared.telemetry import get_logger

log = get_logger()
PATIENCE = 10.0


class Home(NamedTuple):
    digest: str
    gpg: Path
    signers: Path


class Keyring:
    """One instance a process; fed by informers. The folder is rebuilt by the first who asks after a change."""

    def __init__(self, mirrors: Mirrors, folder: Path) -> None:
        self._mirrors, self._folder = mirrors, folder
        self._gpg: dict[str, str] = {}
        self._signers = ""
        self._home: Home | None = None
        self._changed = asyncio.Event()
        self._building = asyncio.Lock()

    def set_gpg(self, keys: Mapping[str, str]) -> None:
        self._gpg = dict(keys)
        self._changed.set()

    def set_signers(self, text: str) -> None:
        self._signers = text
        self._changed.set()

    async def at(self, digest: str) -> Home:
        """Give the home of these keys; waits a moment for those that we have not heard of. Raises RequestError."""
        try:
            async with asyncio.timeout(PATIENCE):
                while keyring_digest(self._gpg, self._signers) != digest:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError as error:
            why = "the keys for signatures are changing: other ones are known here"
            raise RequestError("KeysChanging", why, retriable=True) from error
        async with self._building:
            if self._home is None or self._home.digest != digest:
                old, self._home = self._home, await self._mirrors.call(self._build, digest, self._gpg, self._signers)
                if old is not None:
                    await self._mirrors.call(shutil.rmtree, old.gpg.parent, ignore_errors=True)
            return self._home

    def _build(self, digest: str, keys: Mapping[str, str], signers: str) -> Home:
        """Each in a folder of its own, so that one that is in use is never half another; earlier runs' are removed."""
        if self._home is None:
            for left in self._folder.glob("ring-*"):
                shutil.rmtree(left, ignore_errors=True)
        self._folder.mkdir(parents=True, exist_ok=True)
        place = Path(tempfile.mkdtemp(prefix="ring-", dir=self._folder))
        home = Home(digest, place / "gpg", place / "allowed_signers")
        home.gpg.mkdir(mode=0o700, parents=True)
        home.signers.write_text(signers)
        for name, armored in sorted(keys.items()):
            if not gpg.import_key(home.gpg, armored):
                log.warning("a GPG key can't be read and is left out", config_map="argocd-gpg-keys-cm", key=name)
        return home
