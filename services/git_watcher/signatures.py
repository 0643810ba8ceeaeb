"""Whether a revision is signed as a project wants it: its own signature, or with `strict` those of its whole history.

In: a mirror, a policy, keys. Out: a `RevisionVerification`. What a signature is worth is kept for as long as the keys
stay the same, and of a history that was good once only what came after is looked at: the cost follows the push. A tool
that fails, or a history too long for one answer, is an error that asking again may help; it is never "verified".
"""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from services.git_watcher.keyring import Home, Keyring
from services.git_watcher.proven import Proven
from shared.events import RevisionVerification, VerifyRevision
from shared.git import gpg, sshsig
from shared.git.errors import VerificationUnfinished
from shared.git.mirrors import Mirrors
from shared.git.revisions import TAGS
from shared.git.signature import UNSIGNED, Signature, failure
from shared.git.signed import Signed, history, signed_commit, signed_tag

BUDGET_SECONDS = 20.0
AT_ONCE = 2
REMEMBERED = 200_000
NAMED = 5
LARGEST = 4 * 1024 * 1024
SSH = b"-----BEGIN SSH SIGNATURE-----"


class _Judged(NamedTuple):
    name: str
    author: str
    signature: Signature


class Signatures:
    """One instance a process."""

    def __init__(self, mirrors: Mirrors, keyring: Keyring, proven: Proven) -> None:
        self._mirrors, self._keyring, self._proven = mirrors, keyring, proven
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._judged: dict[tuple[str, str], _Judged] = {}

    async def verify(self, mirror: Path, question: VerifyRevision) -> RevisionVerification:
        """Raises GitFailure, RequestError."""
        home = await self._keyring.at(question.keyring)
        async with self._turns:
            return await self._mirrors.call(self._verify, home, mirror, question)

    def _verify(self, home: Home, mirror: Path, question: VerifyRevision) -> RevisionVerification:
        """On git's threads."""
        rule = (home.digest, mirror, question.keys)
        strict = question.mode == "strict"
        looked_at, problems = 0, list[str]()
        for judged in self._all(home, mirror, question, self._proven.tip(*rule) if strict else ""):
            looked_at += 1
            if isinstance(judged, str):
                problems.append(judged)
            elif not judged.signature.made_by(question.keys):
                problems.append(failure(judged.name, judged.author, judged.signature))
        if not problems and strict:
            self._proven.put(*rule, question.revision)
        return RevisionVerification(verified=not problems, problems=_few(problems), looked_at=looked_at)

    def _all(self, home: Home, mirror: Path, question: VerifyRevision, known_good: str) -> Iterator[_Judged | str]:
        """Give everything whose signature counts, judged; a sentence for what can't be looked at."""
        revision = question.revision
        tag = signed_tag(mirror, question.ref, revision) if question.ref.startswith(TAGS) else None
        if tag is not None:
            yield self._keep(home, tag)
        if question.mode == "head":
            yield from () if tag is not None else (self._commit(home, mirror, revision),)
            return
        wanted, cut = history(mirror, revision, known_good)
        for oid in cut:
            yield f"GIT/GPG: the history before {oid} is not in the mirror: strict needs it, or a seal"
        until = time.monotonic() + BUDGET_SECONDS
        for done, oid in enumerate(wanted):
            if time.monotonic() > until:
                raise VerificationUnfinished(f"{done:,} of {len(wanted):,} commits are verified so far; it goes on")
            yield self._commit(home, mirror, oid)

    def _commit(self, home: Home, mirror: Path, oid: str) -> _Judged:
        known = self._judged.get((oid, home.digest))
        return known or self._keep(home, signed_commit(mirror, oid))

    def _keep(self, home: Home, signed: Signed) -> _Judged:
        found = _Judged(signed.name, signed.author, judge(home, signed))
        if not home.gpg.is_dir():
            raise VerificationUnfinished("the keys were changed meanwhile")
        self._judged[signed.oid, home.digest] = found
        while len(self._judged) > REMEMBERED:
            self._judged.pop(next(iter(self._judged)), None)
        return found


def judge(home: Home, signed: Signed) -> Signature:
    """Have the right tool say what a signature is worth. Raises ToolFailed."""
    if not signed.signature:
        return UNSIGNED
    if len(signed.signature) + len(signed.payload) > LARGEST:
        return Signature("unreadable")
    if signed.signature.lstrip().startswith(SSH):
        return sshsig.verify(home.signers, signed.signature, signed.payload)
    return gpg.verify(home.gpg, signed.signature, signed.payload)


def _few(problems: list[str]) -> tuple[str, ...]:
    more = [f"and {len(problems) - NAMED} more"] if len(problems) > NAMED else []
    return (*problems[:NAMED], *more)
