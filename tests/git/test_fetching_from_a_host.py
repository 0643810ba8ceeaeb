"""Visits to real git hosts over HTTP: what they cost, how they fail, what is left behind."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest
import pytest_asyncio

from shared.git.access import ANONYMOUS, Access
from shared.git.errors import (
    AuthenticationFailed,
    RepositoryNotFound,
    RepositoryTooLarge,
    RepositoryUnreachable,
    UnsupportedAddress,
)
from shared.git.mirror import holds
from shared.git.mirrors import Limits, Mirrors
from shared.git.packs import consolidate
from shared.git.remote import RemoteRefs
from shared.git.tree import GitTree
from shared.security import Secret
from tests.parts.gitserver import GitHost, Repository, git_hosting

NAME = "host/apps"
SECOND = Limits(connect_seconds=1, idle_seconds=1, total_seconds=20)


@pytest_asyncio.fixture
async def mirrors(tmp_path: Path) -> AsyncIterator[Mirrors]:
    async with Mirrors(tmp_path / "mirrors") as made:
        yield made


def main(_seen: RemoteRefs) -> Iterable[str]:
    return ["refs/heads/main"]


def nothing(_seen: RemoteRefs) -> Iterable[str]:
    return []


async def test_a_fetch_costs_one_look_and_one_transfer(git_host: GitHost, mirrors: Mirrors) -> None:
    repository = git_host.repository()
    repository.commit({"a": b"1"})
    await mirrors.visit(NAME, repository.url, ANONYMOUS, main)
    sha = repository.commit({"a": b"2"})
    git_host.requests.clear()
    seen = await mirrors.visit(NAME, repository.url, ANONYMOUS, main)
    assert seen == RemoteRefs({"HEAD": sha, "refs/heads/main": sha}, "refs/heads/main")
    assert (git_host.looks, git_host.fetches) == (1, 1)
    assert GitTree(mirrors.path_of(NAME), sha).read("a") == b"2"


async def test_nothing_new_costs_one_look(git_host: GitHost, mirrors: Mirrors) -> None:
    repository = git_host.repository()
    repository.commit({"a": b"1"})
    await mirrors.visit(NAME, repository.url, ANONYMOUS, main)
    git_host.requests.clear()
    await mirrors.visit(NAME, repository.url, ANONYMOUS, main)
    assert (git_host.looks, git_host.fetches) == (1, 0)


async def test_an_open_tree_sees_what_is_fetched_later(git_host: GitHost, mirrors: Mirrors) -> None:
    repository = git_host.repository()
    first = repository.commit({"a": b"1"})
    await mirrors.visit(NAME, repository.url, ANONYMOUS, main)
    assert GitTree(mirrors.path_of(NAME), first).read("a") == b"1"
    second = repository.commit({"a": b"2"})
    await mirrors.visit(NAME, repository.url, ANONYMOUS, main)
    assert GitTree(mirrors.path_of(NAME), second).read("a") == b"2"


async def test_a_commit_is_fetched_by_its_sha(git_host: GitHost, mirrors: Mirrors) -> None:
    repository = git_host.repository()
    sha = repository.commit({"a": b"1"}, branch="other")
    await mirrors.visit(NAME, repository.url, ANONYMOUS, lambda _: [sha])
    assert holds(mirrors.path_of(NAME), sha)
    await mirrors.visit(NAME, repository.url, ANONYMOUS, lambda _: ["0" * 39 + "1"])
    assert not holds(mirrors.path_of(NAME), "0" * 39 + "1")


async def test_a_commit_inside_a_branch_is_found_where_shas_are_not_served(tmp_path: Path, mirrors: Mirrors) -> None:
    async with git_hosting(tmp_path / "host", serves_shas=False) as host:
        repository = host.repository()
        inside = repository.commit({"a": b"1"}, branch="other")
        repository.commit({"a": b"2"}, branch="other")
        await mirrors.visit(NAME, repository.url, ANONYMOUS, lambda _: [inside])
        assert holds(mirrors.path_of(NAME), inside)


async def test_an_empty_repository_has_no_refs(git_host: GitHost, mirrors: Mirrors) -> None:
    repository = git_host.repository()
    assert (await mirrors.visit(NAME, repository.url, ANONYMOUS, nothing)).refs == {}


async def test_annotated_tags_mean_their_commit(git_host: GitHost, mirrors: Mirrors) -> None:
    repository = git_host.repository()
    sha = repository.commit({"a": b"1"})
    repository.tag("v1", sha, annotated=True)
    seen = await mirrors.visit(NAME, repository.url, ANONYMOUS, lambda _: ["refs/tags/v1"])
    assert seen.refs["refs/tags/v1"] == sha
    assert holds(mirrors.path_of(NAME), sha)


async def test_credentials_go_out_with_the_first_request(tmp_path: Path, mirrors: Mirrors) -> None:
    async with git_hosting(tmp_path / "host", users={"ada": "s3cret-word"}) as host:
        repository = host.repository()
        repository.commit({"a": b"1"})
        await mirrors.visit(NAME, repository.url, Access("ada", Secret("s3cret-word")), main)
        assert (host.looks, host.fetches) == (1, 1)


async def test_wrong_credentials_are_named_without_being_shown(tmp_path: Path, mirrors: Mirrors) -> None:
    async with git_hosting(tmp_path / "host", users={"ada": "s3cret-word"}) as host:
        url = host.repository().url.replace("http://", "http://ada:wr0ng-word@")
        with pytest.raises(AuthenticationFailed, match="renew them") as caught:
            await mirrors.visit(NAME, url, Access("ada", Secret("wr0ng-word")), main)
        assert "wr0ng-word" not in str(caught.value)
        with pytest.raises(AuthenticationFailed, match="add a repository Secret"):
            await mirrors.visit(NAME, host.server.url_of("apps"), ANONYMOUS, main)


async def test_a_missing_repository_is_not_tried_in_vain(git_host: GitHost, mirrors: Mirrors) -> None:
    with pytest.raises(RepositoryNotFound) as caught:
        await mirrors.visit(NAME, git_host.server.url_of("none"), ANONYMOUS, main)
    assert not caught.value.retriable


@pytest.mark.parametrize("url", ["/etc", "file:///etc", "../x", "ext::sh -c id", "-oProxyCommand=id", ""])
async def test_only_the_network_is_a_repository(mirrors: Mirrors, url: str) -> None:
    with pytest.raises(UnsupportedAddress):
        await mirrors.visit(NAME, url, ANONYMOUS, main)


async def test_a_host_that_answers_nothing_ends_in_a_timeout(git_host: GitHost, tmp_path: Path) -> None:
    git_host.faults.hang = asyncio.Event()
    async with Mirrors(tmp_path / "impatient", SECOND) as mirrors:
        with pytest.raises(RepositoryUnreachable, match="does not answer in time"):
            await mirrors.visit(NAME, git_host.repository().url, ANONYMOUS, main)
    git_host.faults.hang.set()


async def test_hanging_hosts_do_not_starve_another(git_host: GitHost, tmp_path: Path) -> None:
    """More hanging repositories than threads: once they have failed, they hold two at most."""
    hanging, fine = [git_host.repository(f"hangs-{number}") for number in range(6)], git_host.repository("fine")
    fine.commit({"a": b"1"})
    git_host.faults.status, git_host.faults.only = 503, "hangs-"
    async with Mirrors(tmp_path / "few", Limits(idle_seconds=120, threads=4)) as mirrors:

        async def visit_all() -> list[RemoteRefs | BaseException]:
            visits = (mirrors.visit(each.name, each.url, ANONYMOUS, nothing) for each in hanging)
            return await asyncio.gather(*visits, return_exceptions=True)

        assert all(isinstance(result, RepositoryUnreachable) for result in await visit_all())
        git_host.faults.status, git_host.faults.hang = None, asyncio.Event()
        git_host.arrived.clear()
        again = asyncio.create_task(visit_all())
        await git_host.arrived.wait()
        await mirrors.visit("fine", fine.url, ANONYMOUS, main)
        assert not again.done(), "they hang still"
        again.cancel()
        await asyncio.wait([again])
    git_host.faults.hang.set()


async def test_a_visit_that_is_called_off_lets_go_of_its_thread(git_host: GitHost, tmp_path: Path) -> None:
    repository = git_host.repository()
    sha = repository.commit({"a": b"1"})
    git_host.faults.hang = asyncio.Event()
    async with Mirrors(tmp_path / "m", Limits(threads=1)) as mirrors:
        visit = asyncio.create_task(mirrors.visit(NAME, repository.url, ANONYMOUS, main))
        await git_host.arrived.wait()
        visit.cancel()
        await asyncio.wait_for(asyncio.wait([visit]), 60)
        git_host.faults.hang.set()
        git_host.faults.hang = None
        await mirrors.visit(NAME, repository.url, ANONYMOUS, main)
        assert holds(mirrors.path_of(NAME), sha)


async def test_a_broken_transfer_leaves_a_usable_mirror(git_host: GitHost, mirrors: Mirrors) -> None:
    repository = git_host.repository()
    sha = repository.commit({"a": b"1"})
    git_host.faults.cut_after, git_host.faults.only = 20, "/git-upload-pack"
    with pytest.raises(RepositoryUnreachable) as caught:
        await mirrors.visit(NAME, repository.url, ANONYMOUS, main)
    assert caught.value.retriable
    git_host.faults.cut_after = None
    await mirrors.visit(NAME, repository.url, ANONYMOUS, main)
    assert GitTree(mirrors.path_of(NAME), sha).read("a") == b"1"


async def test_a_busy_host_says_when_to_come_back(git_host: GitHost, mirrors: Mirrors) -> None:
    git_host.faults.status, git_host.faults.headers = 429, {"Retry-After": "7"}
    with pytest.raises(RepositoryUnreachable) as caught:
        await mirrors.visit(NAME, git_host.repository().url, ANONYMOUS, main)
    assert caught.value.retry_after == 7


async def test_a_repository_over_the_limit_is_refused(git_host: GitHost, tmp_path: Path) -> None:
    repository = git_host.repository()
    repository.commit({"noise": b"".join(number.to_bytes(8, "big") * 3 for number in range(100_000))})
    async with Mirrors(tmp_path / "small", Limits(max_bytes=50_000)) as mirrors:
        with pytest.raises(RepositoryTooLarge, match="50,000"):
            await mirrors.visit(NAME, repository.url, ANONYMOUS, main)


async def test_a_shallow_fetch_brings_the_tip_only(git_host: GitHost, mirrors: Mirrors) -> None:
    repository = git_host.repository()
    first = repository.commit({"a": b"1"})
    second = repository.commit({"a": b"2"})
    await mirrors.visit(NAME, repository.url, Access(depth=1), main)
    assert GitTree(mirrors.path_of(NAME), second).read("a") == b"2"
    assert not holds(mirrors.path_of(NAME), first)
    third = repository.commit({"a": b"3"})
    await mirrors.visit(NAME, repository.url, Access(depth=1), main)
    assert GitTree(mirrors.path_of(NAME), third).read("a") == b"3"


async def test_a_branch_may_become_a_folder_of_branches(git_host: GitHost, mirrors: Mirrors) -> None:
    repository = git_host.repository()
    repository.commit({"a": b"1"}, branch="team")
    await mirrors.visit(NAME, repository.url, ANONYMOUS, lambda _: ["refs/heads/team"])
    repository.delete("refs/heads/team")
    sha = repository.commit({"a": b"2"}, branch="team/one")
    await mirrors.visit(NAME, repository.url, ANONYMOUS, lambda _: ["refs/heads/team/one"])
    assert holds(mirrors.path_of(NAME), sha)


@pytest.mark.parametrize("damage", ["packs", "head", "all"])
async def test_a_damaged_mirror_is_fetched_anew(git_host: GitHost, mirrors: Mirrors, damage: str) -> None:
    repository = git_host.repository()
    sha = await mirrored(repository, mirrors)
    mirror = mirrors.path_of(NAME)
    damaged = {"packs": mirror.glob("objects/pack/*"), "head": [mirror / "HEAD"], "all": mirror.rglob("*")}[damage]
    for path in damaged:
        if path.is_file():
            path.chmod(0o644)
            path.write_bytes(b"junk")
    await mirrors.visit(NAME, repository.url, ANONYMOUS, main)
    assert GitTree(mirror, sha).read("a") == b"1"


async def mirrored(repository: Repository, mirrors: Mirrors) -> str:
    sha = repository.commit({"a": b"1"})
    await mirrors.visit(NAME, repository.url, ANONYMOUS, main)
    return sha


async def test_many_packs_become_one_under_open_trees(git_host: GitHost, mirrors: Mirrors) -> None:
    repository = git_host.repository()
    shas = []
    for number in range(12):
        shas.append(repository.commit({f"a{number}": b"%d" % number}))
        await mirrors.visit(NAME, repository.url, ANONYMOUS, main)
    path = mirrors.path_of(NAME)
    opened = [GitTree(path, sha) for sha in shas]
    assert not await mirrors.call(consolidate, path, many=50)
    assert await mirrors.call(consolidate, path, many=10)
    assert len(list(path.glob("objects/pack/*.pack"))) == 1
    assert [tree.read(f"a{number}") for number, tree in enumerate(opened)] == [b"%d" % n for n in range(12)]
    shas.append(repository.commit({"a12": b"12"}))
    await mirrors.visit(NAME, repository.url, ANONYMOUS, main)
    assert [GitTree(path, sha).read(f"a{number}") for number, sha in enumerate(shas)] == [b"%d" % n for n in range(13)]
