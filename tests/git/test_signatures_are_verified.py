"""Signatures of commits and tags, made by real gpg and ssh-keygen, held against what a project's policy asks.

Not here: revoked keys and several signatures at once, which are shown on gpg's own status lines below.
"""

import shutil
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pygit2
import pytest
import pytest_asyncio

from services.git_watcher.proven import Proven
from services.git_watcher.signatures import Signatures
from shared.bus import Bus
from shared.events import RequestError, RevisionVerification, VerifyRevision
from shared.git.errors import GitFailure
from shared.git.gpg import keys_in, read_status
from shared.git.signature import Signature
from shared.kinds.keyring import keyring_digest
from tests.git.watching import Watcher, watching
from tests.parts.gitserver import GitHost, Repository
from tests.parts.signing import GpgKey, Signing, SshKey, Work, signers


@dataclass
class Case:
    """A repository with a history, a watcher that knows some keys, and the question."""

    work: Work
    repository: Repository
    watcher: Watcher
    ada: GpgKey
    bob: GpgKey
    stranger: GpgKey
    old: GpgKey
    carol: SshKey

    def know(self, *keys: GpgKey, ssh: str = "") -> None:
        self.gpg = {key.id: key.armored for key in keys}
        self.ssh = ssh
        self.watcher.parts.keyring.set_gpg(self.gpg)
        self.watcher.parts.keyring.set_signers(ssh)

    async def ask(
        self, revision: str, *keys: str, mode: Literal["head", "strict"] = "head", **said: Any
    ) -> RevisionVerification:
        known = {"keyring": keyring_digest(self.gpg, self.ssh)}
        question = VerifyRevision(
            repo_url=self.repository.url, revision=revision, mode=mode, keys=keys or (self.ada.id,), **(known | said)
        )
        return await self.watcher.bus.request(question, timeout=60)


@pytest.fixture(scope="module")
def people() -> Iterator[tuple[Signing, dict[str, GpgKey], SshKey]]:
    with signers() as signing:
        keys = {name: signing.gpg_key(name, expired=name == "old") for name in ("ada", "bob", "stranger", "old")}
        yield signing, keys, signing.ssh_key("carol")


@pytest_asyncio.fixture
async def case(
    people: tuple[Signing, dict[str, GpgKey], SshKey], git_host: GitHost, own_bus: Bus, tmp_path: Path
) -> AsyncIterator[Case]:
    signing, keys, carol = people
    repository = git_host.repository()
    async with watching(own_bus, tmp_path / "mirrors") as watcher:
        made = Case(Work(signing, repository.path, tmp_path / "work"), repository, watcher, **keys, carol=carol)
        made.know(keys["ada"], keys["bob"], keys["old"], ssh=carol.signer)
        yield made


async def test_the_commit_itself(case: Case) -> None:
    unsigned = case.work.commit("nobody signs")
    good = case.work.commit("ada signs", case.ada)
    assert (await case.ask(good)).verified
    found = await case.ask(unsigned)
    assert not found.verified
    assert found.problems == (
        f"GIT/GPG: Failed verifying revision {unsigned} by 'Ada <ada@example.org>': unsigned (key_id=)",
    )


async def test_a_key_that_is_not_allowed_not_known_or_expired(case: Case) -> None:
    unallowed = case.work.commit("bob signs", case.bob)
    unknown = case.work.commit("a stranger signs", case.stranger)
    expired = case.work.commit("an old key signs", case.old)
    every = (case.ada.id, case.stranger.id, case.old.id)
    assert f"signed with unallowed key (key_id={case.bob.id})" in (await case.ask(unallowed, *every)).problems[0]
    assert (
        f"signed with key not in keyring (key_id={case.stranger.id})" in (await case.ask(unknown, *every)).problems[0]
    )
    assert f"signed with expired key (key_id={case.old.id})" in (await case.ask(expired, *every)).problems[0]
    assert (await case.ask(unallowed, case.bob.id.lower())).verified


async def test_a_signature_taken_from_another_commit(case: Case) -> None:
    signed = case.work.commit("ada signs", case.ada)
    bare = pygit2.Repository(str(case.repository.path))
    commit = bare[signed].peel(pygit2.Commit)
    signature, payload = commit.gpg_signature
    other = payload.decode().replace("ada signs", "somebody else's words")
    forged = str(bare.create_commit_with_signature(other, signature.decode()))
    case.repository.ref("refs/heads/main", forged)
    found = await case.ask(forged)
    assert not found.verified
    assert "bad signature" in found.problems[0]


async def test_an_annotated_tags_own_signature_counts(case: Case) -> None:
    commit = case.work.commit("nobody signs")
    case.work.tag("v1", case.ada)
    case.work.tag("v2")
    case.repository.tag("v3", commit)
    assert (await case.ask(commit, ref="refs/heads/main")).verified is False
    assert (await case.ask(commit, ref="refs/tags/v1")).verified
    unsigned = await case.ask(commit, ref="refs/tags/v2")
    assert "Failed verifying revision v2 by" in unsigned.problems[0]
    plain = await case.ask(commit, ref="refs/tags/v3")
    assert f"Failed verifying revision {commit} by" in plain.problems[0]
    strict = await case.ask(commit, ref="refs/tags/v1", mode="strict")
    assert f"Failed verifying revision {commit} by" in strict.problems[0]


async def test_strict_looks_at_all_ancestors_back_to_a_seal(case: Case) -> None:
    old = case.work.commit("before anybody signed")
    case.work.commit("ada signs", case.ada)
    top = case.work.commit("ada signs again", case.ada)
    found = await case.ask(top, mode="strict")
    assert len(found.problems) == 1
    assert old in found.problems[0]
    case.work.commit("all before is fine\n\nArgocd-gpg-seal: read by ada", case.ada)
    sealed = case.work.commit("and on", case.ada)
    assert await case.ask(sealed, mode="strict") == RevisionVerification(verified=True, looked_at=2)
    later = case.work.commit("one more", case.ada)
    assert await case.ask(later, mode="strict") == RevisionVerification(verified=True, looked_at=1)


async def test_a_restart_does_not_look_at_a_good_history_again(case: Case, tmp_path: Path) -> None:
    case.work.commit("ada signs", case.ada)
    top = case.work.commit("ada signs again", case.ada)
    assert await case.ask(top, mode="strict") == RevisionVerification(verified=True, looked_at=2)
    assert "unallowed" in (await case.ask(top, case.bob.id, mode="strict")).problems[0]
    again = Signatures(
        case.watcher.parts.mirrors, case.watcher.parts.keyring, Proven(tmp_path / "keys" / "proven.json")
    )
    keyring = keyring_digest(case.gpg, case.ssh)
    mirror = case.watcher.parts.repositories.of(case.repository.url).mirror
    question = VerifyRevision(
        repo_url=case.repository.url, revision=top, mode="strict", keys=(case.ada.id,), keyring=keyring
    )
    assert await again.verify(mirror, question) == RevisionVerification(verified=True, looked_at=0)
    case.know(case.bob)
    other = question.model_copy(update={"keyring": keyring_digest(case.gpg, case.ssh)})
    assert not (await again.verify(mirror, other)).verified


async def test_a_seal_that_is_not_signed_seals_nothing(case: Case) -> None:
    old = case.work.commit("before anybody signed")
    seal = case.work.commit("trust me\n\nArgocd-gpg-seal: me")
    found = await case.ask(case.work.commit("ada signs", case.ada), mode="strict")
    assert not found.verified
    assert seal in " ".join(found.problems)
    assert old


async def test_a_side_branch_from_before_the_seal(case: Case) -> None:
    case.work.commit("before anybody signed")
    case.work.git("branch", "side")
    case.work.commit("sealed\n\nargocd-gpg-seal: by ada", case.ada)
    case.work.git("checkout", "-q", "side")
    stray = case.work.commit("not signed, on the side")
    case.work.git("checkout", "-q", "main")
    found = await case.ask(case.work.merge("side", case.ada), mode="strict")
    assert len(found.problems) == 1, found.problems
    assert stray in found.problems[0]


async def test_ssh_signatures(case: Case) -> None:
    good = case.work.commit("carol signs", case.carol)
    assert (await case.ask(good, case.carol.fingerprint)).verified
    assert "signed with unallowed key" in (await case.ask(good)).problems[0]
    case.know(case.ada)
    found = await case.ask(good, case.carol.fingerprint)
    assert f"signed with key not in keyring (key_id={case.carol.fingerprint})" in found.problems[0]


async def test_ssh_tampered(case: Case) -> None:
    signed = case.work.commit("carol signs", case.carol)
    bare = pygit2.Repository(str(case.repository.path))
    signature, payload = bare[signed].peel(pygit2.Commit).gpg_signature
    forged = str(bare.create_commit_with_signature(payload.decode().replace("carol", "mallory"), signature.decode()))
    case.repository.ref("refs/heads/main", forged)
    assert "bad signature" in (await case.ask(forged, case.carol.fingerprint)).problems[0]


async def test_a_key_that_is_taken_away_counts_no_more(case: Case) -> None:
    good = case.work.commit("ada signs", case.ada)
    assert (await case.ask(good)).verified
    case.know(case.bob)
    assert "not in keyring" in (await case.ask(good)).problems[0]


async def test_keys_that_nobody_here_has_heard_of_are_no_answer(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.git_watcher.keyring.PATIENCE", 0.2)
    good = case.work.commit("ada signs", case.ada)
    with pytest.raises(RequestError, match="KeysChanging") as raised:
        await case.ask(good, keyring="other")
    assert raised.value.retriable


def test_what_a_key_file_holds(people: tuple[Signing, dict[str, GpgKey], SshKey]) -> None:
    ada, bob = people[1]["ada"], people[1]["bob"]
    found = keys_in(ada.armored + "\n" + bob.armored)
    assert [(key.fingerprint[-16:], key.owner) for key in found] == [
        (ada.id, "ada <ada@example.org>"),
        (bob.id, "bob <bob@example.org>"),
    ]
    assert {key.kind for key in found} == {"ed25519"}
    assert keys_in("nonsense") == []


KEY = "D" * 40
PRIMARY = "E" * 40
VALID = f"VALIDSIG {KEY} 2026-01-01 1 0 4 0 22 8 00 {PRIMARY}"
STATUS: list[tuple[list[str], Signature]] = [
    (["NEWSIG", f"GOODSIG {KEY[-16:]} Ada", VALID], Signature("good", (KEY, PRIMARY))),
    ([f"GOODSIG {KEY[-16:]} Ada"], Signature("unreadable")),
    ([f"BADSIG {KEY[-16:]} Ada"], Signature("bad", (KEY[-16:],))),
    ([f"EXPKEYSIG {KEY[-16:]} Ada", VALID], Signature("expired", (KEY, PRIMARY))),
    ([f"REVKEYSIG {KEY[-16:]} Ada", VALID], Signature("revoked", (KEY, PRIMARY))),
    ([f"ERRSIG {KEY[-16:]} 22 8 00 1 9 {KEY}", f"NO_PUBKEY {KEY[-16:]}"], Signature("unknown", (KEY[-16:],))),
    ([f"GOODSIG {KEY[-16:]} Ada", VALID, f"GOODSIG {KEY[-16:]} Eve", VALID], Signature("unreadable", (KEY, PRIMARY))),
    ([f"GOODSIG {KEY[-16:]} Ada", VALID, f"BADSIG {KEY[-16:]} Eve"], Signature("bad", (KEY, PRIMARY))),
    (["NODATA 4"], Signature("unreadable", ("4",))),
    ([], Signature("unreadable")),
]


@pytest.mark.parametrize(("lines", "expected"), STATUS)
def test_gpgs_status_lines(lines: list[str], expected: Signature) -> None:
    assert read_status("\n".join(f"[GNUPG:] {line}" for line in lines)) == expected


def test_what_the_signer_wrote_is_no_status_line() -> None:
    assert read_status(f"gpg: Good signature\nGOODSIG {KEY}\n{VALID}\n").state == "unreadable"


def test_a_short_end_of_a_fingerprint_is_not_the_key() -> None:
    good = Signature("good", (KEY,))
    assert good.made_by([KEY[-8:]])
    assert not good.made_by([KEY[-4:], ""])


async def test_keys_that_change_during_a_verification_leave_nothing_behind(case: Case, tmp_path: Path) -> None:
    """What was found with a folder of keys that is gone is not remembered."""
    good = case.work.commit("ada signs", case.ada)
    assert (await case.ask(good)).verified
    home = await case.watcher.parts.keyring.at(keyring_digest(case.gpg, case.ssh))
    shutil.rmtree(home.gpg)
    fresh = Signatures(case.watcher.parts.mirrors, case.watcher.parts.keyring, Proven(tmp_path / "proven.json"))
    question = VerifyRevision(
        repo_url=case.repository.url, revision=good, mode="head", keys=(case.ada.id,), keyring=home.digest
    )
    mirror = case.watcher.parts.repositories.of(case.repository.url).mirror
    with pytest.raises(GitFailure, match="changed meanwhile"):
        await fresh.verify(mirror, question)
    case.know(case.bob)
    case.know(case.ada, case.bob, case.old, ssh=case.carol.signer)
    assert (await case.ask(good)).verified


def test_histories_that_are_proven_together_are_all_remembered(tmp_path: Path) -> None:
    proven = Proven(tmp_path / "proven.json")
    mirrors = [tmp_path / f"mirror-{number}" for number in range(100)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda mirror: proven.put("ring", mirror, ("key",), mirror.name), mirrors))
    again = Proven(tmp_path / "proven.json")
    assert [again.tip("ring", mirror, ("key",)) for mirror in mirrors] == [mirror.name for mirror in mirrors]


async def test_any_signer_may_be_named_by_a_star(case: Case) -> None:
    good = case.work.commit("carol signs", case.carol)
    case.know(ssh=f"* {case.carol.signer.split(' ', 1)[1]}")
    assert (await case.ask(good, case.carol.fingerprint)).verified


async def test_a_signer_whose_time_is_over(case: Case) -> None:
    good = case.work.commit("carol signs", case.carol)
    name, rest = case.carol.signer.split(" ", 1)
    case.know(ssh=f'{name} valid-before="20200101",{rest}')
    assert "signed with key not in keyring" in (await case.ask(good, case.carol.fingerprint)).problems[0]
