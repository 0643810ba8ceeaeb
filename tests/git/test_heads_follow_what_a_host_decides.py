"""What the reconciler holds a target revision to mean follows the host: its default branch, its tags, its commits."""

import asyncio
import subprocess

import pytest

from services.reconciler.heads import Heads, Moved
from services.reconciler.index import Branch
from shared.events import ListRefs
from tests.git.watching import Watcher
from tests.parts.gitserver import GitHost, Repository


@pytest.fixture
def repository(git_host: GitHost) -> Repository:
    return git_host.repository()


def default_branch(repository: Repository, name: str) -> None:
    subprocess.run(["git", "-C", str(repository.path), "symbolic-ref", "HEAD", f"refs/heads/{name}"], check=True)


async def test_another_default_branch_is_noticed(watcher: Watcher, repository: Repository) -> None:
    first = repository.commit({"a": b"1"})
    heads, source = Heads(watcher.bus), {"repoURL": repository.url}
    old = await heads.resolve(source, "default")
    assert (old.revision, old.branch) == (first, Branch(watcher.name_of(repository), "refs/heads/main"))
    assert old.branch is not None
    assert await heads.catch_up(old.branch) is None
    other = repository.commit({"a": b"2"}, branch="trunk")
    default_branch(repository, "trunk")
    await watcher.bus.request(ListRefs(repo_url=repository.url, refresh=True))
    assert await heads.catch_up(old.branch) == Moved(old.branch, None, None)
    new = await heads.resolve(source, "default")
    assert (new.revision, new.branch) == (other, Branch(old.branch.repo, "refs/heads/trunk"))


async def test_a_branch_asked_for_by_name_stays(watcher: Watcher, repository: Repository) -> None:
    repository.commit({"a": b"1"})
    repository.commit({"a": b"2"}, branch="trunk")
    heads = Heads(watcher.bus)
    head = await heads.resolve({"repoURL": repository.url, "targetRevision": "main"}, "default")
    default_branch(repository, "trunk")
    await watcher.bus.request(ListRefs(repo_url=repository.url, refresh=True))
    assert head.branch is not None
    assert await heads.catch_up(head.branch) is None


async def test_what_nobody_told_us_is_asked_for_before_applications_of_another_replica_are_rendered(
    watcher: Watcher, repository: Repository
) -> None:
    old = repository.commit({"a": b"1"})
    late: list[Moved] = []
    heads, source = Heads(watcher.bus, late.append), {"repoURL": repository.url, "targetRevision": "main"}
    head = await heads.resolve(source, "default")
    new = repository.commit({"a": b"2"})
    await watcher.bus.request(ListRefs(repo_url=repository.url, refresh=True))
    assert heads.commit(await heads.resolve(source, "default")) == old
    heads.doubt()
    found = await asyncio.gather(*(heads.resolve(source, "default") for _ in range(5)))
    assert {heads.commit(one) for one in found} == {new}
    assert head.branch is not None
    assert late == [Moved(head.branch, new, ("a",))], "told once, with what changed"
    heads.doubt()
    assert heads.commit(await heads.resolve(source, "default")) == new
    assert len(late) == 1


async def test_a_tag_prefix_chooses_among_the_tags(watcher: Watcher, repository: Repository) -> None:
    sha = repository.commit({"a": b"1"})
    later = repository.commit({"a": b"2"})
    repository.tag("team-1.1.0", sha)
    repository.tag("1.2.0", later)
    heads, source = Heads(watcher.bus), {"repoURL": repository.url, "targetRevision": "1.*"}
    assert (await heads.resolve(source, "default")).revision == later
    assert (await heads.resolve({**source, "tagPrefix": "team-"}, "default")).revision == sha
