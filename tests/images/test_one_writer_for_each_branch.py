"""Commits on real git: one for all, on top of whoever was faster, once and only once, or a reason why not."""

import asyncio
from pathlib import Path

import pytest

from services.image_updater.messages import CommitStyle
from services.image_updater.placing import Branches, Place
from services.image_updater.policy import HelmKeys
from shared.bus import Disconnected
from shared.engines.client import Engines
from shared.git.access import Access
from shared.git.commits import Author
from shared.git.errors import SigningFailed
from shared.kube import Unavailable
from shared.security import Secret
from tests.images.changes import change, place, wanted
from tests.images.writing import Desk, desk

VALUES = "image:\n  repository: ghcr.io/acme/web\n  tag: '1.0' # here\nother: 1\n"
AFTER = VALUES.replace("1.0", "1.1")


def to(desk: Desk, base: str = "main", target: str = "") -> Place:
    return place(url=desk.url, branches=Branches(base, target))


async def test_three_hundred_applications_are_one_commit(tmp_path: Path, engines: Engines) -> None:
    async with desk(tmp_path, engines, {"values.yaml": VALUES}) as the:
        [outcome] = await the.write(*(change(to=to(the), app=f"app-{at}") for at in range(300)))
        assert (outcome.refused, len(outcome.changes), outcome.commit) == (None, 300, the.tip())
        assert the.read("values.yaml") == AFTER
        newest, _ = the.log()
        assert newest.startswith("build: automatic update of 300 applications\n")
        assert newest.count("Tiphys-Delivery: image:") == 1


async def test_what_was_pushed_before_a_crash_is_not_pushed_again(tmp_path: Path, engines: Engines) -> None:
    async with desk(tmp_path, engines, {"values.yaml": VALUES}) as the:
        first = await the.write(change(to=to(the)))
        tip = the.tip()
        again = await the.write(change(to=to(the)))
        assert [one.commit for one in (*first, *again)] == [tip, tip]
        assert the.tip() == tip
        assert str(next(iter(the.surveys[-1].values()))) == "1.1"


@pytest.mark.parametrize("failure", [Disconnected("no server"), Unavailable("no answer", status=503)])
async def test_a_writer_outlives_the_bus_and_the_cluster(tmp_path: Path, engines: Engines, failure: Exception) -> None:
    async with desk(tmp_path, engines, {"values.yaml": VALUES}) as the, the.writer(window=0.0) as writer:
        the.failures.append(failure)
        writer.submit([change(to=to(the))])
        await the.until(lambda: len(the.outcomes) == 1)
        refused = the.outcomes[0].refused
        assert refused is not None
        assert (refused.reason, refused.retriable) == (type(failure).__name__, True)
        writer.submit([change(to=to(the))])
        await the.until(lambda: len(the.outcomes) == 2)
        assert the.outcomes[1].commit == the.tip()


async def test_a_person_who_pushes_at_the_same_time_loses_nothing(tmp_path: Path, engines: Engines) -> None:
    async with desk(tmp_path, engines, {"values.yaml": VALUES}) as the:
        async with the.writer(window=0.0) as writer:
            for number in range(8):
                writer.submit([change(to=to(the), tag=f"2.{number}")])
                await the.server.commit("acme/apps", {f"mine/{number}": b"x"}, f"Mine {number}")
            await the.until(lambda: bool(the.outcomes) and str(the.outcomes[-1].changes[0].new) == "2.7")
        assert the.read("values.yaml") == VALUES.replace("1.0", "2.7")
        assert [the.read(f"mine/{number}") for number in range(8)] == ["x"] * 8
        assert all(one.refused is None for one in the.outcomes)


async def test_a_template_and_a_sign_off_shape_the_message(tmp_path: Path, engines: Engines) -> None:
    template = (
        "chore: {{ .AppName }} [{{ range .AppChanges }}{{ .Alias }} {{ .OldTag }} -> {{ .NewTag }}{{ end }}]\n"
        "Co-authored-by: mallory\nTiphys-Delivery: forged\nline\u202ewith \x1b[31mescapes\n"
    )
    async with desk(tmp_path, engines, {"values.yaml": VALUES}) as the:
        the.style = CommitStyle(Author("Ada", "ada@example.org"), template, sign_off=True)
        await the.write(change(to=to(the)))
        message = the.log()[0]
        assert message.splitlines() == [
            "chore: web [web 1.0 -> 1.1]",
            "linewith [31mescapes",
            "",
            "Signed-off-by: Ada <ada@example.org>",
            f"Tiphys-Delivery: image:{'0' * 8}:{'a' * 64}",
        ]


async def test_a_branch_of_our_own_follows_its_base_and_spares_others(tmp_path: Path, engines: Engines) -> None:
    async with desk(tmp_path, engines, {"values.yaml": VALUES}) as the:
        there = to(the, "main", "images/{{ .AppName }}-{{ (index .Images 0).NewTag }}")
        [one] = await the.write(change(to=there))
        assert (one.branch, the.read("values.yaml", one.branch)) == ("images/web-1.1", AFTER)
        assert the.read("values.yaml") == VALUES
        await the.server.commit("acme/apps", {"values.yaml": VALUES.replace("other: 1", "other: 2").encode()}, "Mine")
        await the.write(change(to=there))
        assert the.read("values.yaml", one.branch) == AFTER.replace("other: 1", "other: 2")
        await the.server.commit("acme/apps", {"mine": b"x"}, "On your branch", branch=one.branch)
        await the.server.commit("acme/apps", {"values.yaml": VALUES.encode()}, "Moved on")
        [last] = await the.write(change(to=there))
        assert last.refused
        assert last.refused.reason == "BranchTaken"
        assert the.read("mine", one.branch) == "x"


REFUSED = [
    ({"base": "v1.0"}, "BranchNotFound", "set gitConfig.branch"),
    ({"target": "--upload-pack=x"}, "InvalidBranch", "no name for a branch"),
    ({"target": "a/../../b"}, "InvalidBranch", "no name for a branch"),
    ({"target": "x@{1}"}, "InvalidBranch", "no name for a branch"),
    ({"target": "{{ nope }}"}, "TemplateInvalid", "nope"),
]


@pytest.mark.parametrize(("branches", "reason", "words"), REFUSED)
async def test_branches_that_can_not_be(
    tmp_path: Path, engines: Engines, branches: dict[str, str], reason: str, words: str
) -> None:
    async with desk(tmp_path, engines, {"values.yaml": VALUES}) as the:
        tip = the.tip()
        [one] = await the.write(change(to=to(the, **branches)))
        assert one.refused
        assert (one.refused.reason, words in one.refused.message) == (reason, True), one.refused
        assert the.tip() == tip


async def test_branch_protection_is_told_in_the_hosts_words(tmp_path: Path, engines: Engines) -> None:
    async with desk(tmp_path, engines, {"values.yaml": VALUES}) as the:
        hook = the.server.path_of("acme/apps") / "hooks" / "update"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\nexit 1\n")
        hook.chmod(0o755)
        [one] = await the.write(change(to=to(the)))
        assert one.refused
        assert (one.refused.reason, one.refused.retriable) == ("PushRefused", False)
        assert "hook declined" in one.refused.message


async def test_credentials_are_asked_for_by_name_and_never_shown(tmp_path: Path, engines: Engines) -> None:
    async with desk(tmp_path, engines, {"values.yaml": VALUES}, users={"bot": "good-secret"}) as the:
        the.access = Access(username="bot", password=Secret("wrong-secret"))
        [one] = await the.write(change(to=to(the)))
        assert one.refused
        assert one.refused.reason == "AuthenticationFailed"
        assert "secret" not in one.refused.message.replace("Secret", "")
        the.access = Access(username="bot", password=Secret("good-secret"))
        [one] = await the.write(change(to=to(the)))
        assert one.refused is None


async def test_a_repository_that_is_gone_half_way_is_said_and_found_again(tmp_path: Path, engines: Engines) -> None:
    async with desk(tmp_path, engines, {"values.yaml": VALUES}) as the:
        home = the.server.path_of("acme/apps")
        home.rename(home.with_suffix(".away"))
        [one] = await the.write(change(to=to(the)))
        assert one.refused
        assert one.refused.reason == "RepositoryNotFound"
        home.with_suffix(".away").rename(home)
        [one] = await the.write(change(to=to(the)))
        assert (one.refused, the.read("values.yaml")) == (None, AFTER)


async def test_no_commit_goes_out_unsigned_when_the_key_fails(tmp_path: Path, engines: Engines) -> None:
    def broken(_text: bytes) -> str:
        raise SigningFailed("the key can't be read")

    async with desk(tmp_path, engines, {"values.yaml": VALUES}) as the:
        the.style = CommitStyle(Author("a", "b"), sign=broken)
        tip = the.tip()
        [one] = await the.write(change(to=to(the)))
        assert one.refused
        assert (one.refused.reason, the.tip()) == ("SigningFailed", tip)


async def test_what_a_person_has_set_back_is_left_out(tmp_path: Path, engines: Engines) -> None:
    async with desk(tmp_path, engines, {"values.yaml": VALUES}) as the:
        held = change(to=to(the))
        other = change(wanted("a/b", "b", HelmKeys(tag="other")), to(the))
        the.held = {held.key}
        async with the.writer() as writer:
            writer.submit([held, other])
            await the.until(lambda: bool(the.outcomes))
        assert [one.key for one in the.outcomes[0].changes] == [other.key]
        assert the.read("values.yaml") == VALUES.replace("other: 1", 'other: "1.1"')


async def test_branches_of_several_repositories_do_not_wait_for_each_other(tmp_path: Path, engines: Engines) -> None:
    async with desk(tmp_path, engines, {"values.yaml": VALUES}) as the:
        gone = place(url=f"{the.server.url}/nobody/has.git")
        async with asyncio.timeout(30):
            outcomes = await the.write(change(to=gone, app="lost"), change(to=to(the)))
        assert {one.changes[0].key.app.name: one.refused is None for one in outcomes} == {"lost": False, "web": True}
