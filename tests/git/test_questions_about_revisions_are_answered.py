"""`git.resolve`, `git.metadata`, `git.changed`, `git.refs`: answers, what they cost, how they fail."""

import asyncio

import pytest

from services.git_watcher import known
from shared.bus import Bus
from shared.events import ChangedPaths, ListRefs, RequestError, ResolvedRevision, ResolveRevision, RevisionMetadata
from tests.git.watching import Watcher
from tests.parts.gitserver import GitHost, Repository


@pytest.fixture
def repository(git_host: GitHost) -> Repository:
    return git_host.repository()


@pytest.fixture
def bus(watcher: Watcher) -> Bus:
    return watcher.bus


async def resolve(bus: Bus, repository: Repository, target: str = "HEAD", **more: object) -> ResolvedRevision:
    question = {"repo_url": repository.url, "target_revision": target, **more}
    return await bus.request(ResolveRevision.model_validate(question))


async def test_names_become_commits_that_can_be_read_at_once(watcher: Watcher, repository: Repository) -> None:
    sha = repository.commit({"a": b"1"})
    other = repository.commit({"a": b"2"}, branch="team/one")
    repository.tag("v1", sha, annotated=True)
    expected = {
        "HEAD": (sha, "refs/heads/main"),
        "team/one": (other, "refs/heads/team/one"),
        "v1": (sha, "refs/tags/v1"),
        sha: (sha, ""),
        other[:8]: (other, ""),
    }
    for target, (revision, ref) in expected.items():
        assert await resolve(watcher.bus, repository, target) == ResolvedRevision(revision=revision, ref=ref)
        assert watcher.tree(repository, revision).list("") is not None


async def test_many_questions_at_once_share_one_fetch(bus: Bus, repository: Repository) -> None:
    sha = repository.commit({"a": b"1"})
    answers = await asyncio.gather(*(resolve(bus, repository, target) for target in ("HEAD", "main", sha) * 20))
    assert {answer.revision for answer in answers} == {sha}
    assert repository.host.fetches == 1
    assert repository.host.looks <= 3


async def test_what_is_known_and_fresh_costs_nothing(bus: Bus, repository: Repository) -> None:
    repository.commit({"a": b"1"})
    await resolve(bus, repository)
    repository.host.requests.clear()
    await resolve(bus, repository, "main")
    await bus.request(ListRefs(repo_url=repository.url))
    assert repository.host.requests == []


async def test_a_refresh_asks_the_host(bus: Bus, repository: Repository) -> None:
    old = repository.commit({"a": b"1"})
    await resolve(bus, repository)
    new = repository.commit({"a": b"2"})
    assert (await resolve(bus, repository)).revision == old
    assert (await resolve(bus, repository, refresh=True)).revision == new


async def test_branches_that_are_asked_for_together_are_all_remembered(
    watcher: Watcher, repository: Repository
) -> None:
    sha = repository.commit({"a": b"1"})
    branches = [f"b{number}" for number in range(30)]
    for branch in branches:
        repository.branch(branch, sha)
    await resolve(watcher.bus, repository)
    answers = await asyncio.gather(*(resolve(watcher.bus, repository, branch) for branch in branches))
    assert {answer.revision for answer in answers} == {sha}
    remembered = known.load(watcher.parts.repositories.of(repository.url).mirror.with_suffix(".json"))
    assert remembered is not None
    assert remembered.tracked >= {f"refs/heads/{branch}" for branch in branches}


async def test_a_branch_at_a_commit_that_is_here_already_is_followed_too(
    watcher: Watcher, repository: Repository
) -> None:
    old = repository.commit({"a": b"1"})
    repository.branch("twin", old)
    await resolve(watcher.bus, repository)
    await resolve(watcher.bus, repository, "twin")
    new = repository.commit({"a": b"2"})
    twin = repository.commit({"a": b"3"}, branch="twin")
    await resolve(watcher.bus, repository, refresh=True)
    events = [await watcher.revision(), await watcher.revision()]
    assert [(event.ref, event.new) for event in events] == [("refs/heads/main", new), ("refs/heads/twin", twin)]
    assert events[0].old == old


async def test_version_ranges_choose_among_the_tags(bus: Bus, repository: Repository) -> None:
    sha = repository.commit({"a": b"1"})
    later = repository.commit({"a": b"2"})
    repository.tag("v1.0.0", sha)
    repository.tag("v1.2.0", later, annotated=True)
    repository.tag("team-1.1.0", sha)
    assert await resolve(bus, repository, "1.*") == ResolvedRevision(revision=later, ref="refs/tags/v1.2.0")
    found = await resolve(bus, repository, "1.*", tag_prefix="team-")
    assert found == ResolvedRevision(revision=sha, ref="refs/tags/team-1.1.0")
    with pytest.raises(RequestError, match="check targetRevision"):
        await resolve(bus, repository, "9.*")


@pytest.mark.parametrize("target", ["none", "abcdef1", "refs/heads/none", "0" * 39 + "1"])
async def test_what_is_not_there_is_named(bus: Bus, repository: Repository, target: str) -> None:
    repository.commit({"a": b"1"})
    with pytest.raises(RequestError) as caught:
        await resolve(bus, repository, target)
    assert caught.value.reason == "RevisionNotFound"
    assert not caught.value.retriable


async def test_an_empty_repository_says_so(bus: Bus, repository: Repository) -> None:
    with pytest.raises(RequestError, match="empty"):
        await resolve(bus, repository)
    assert (await bus.request(ListRefs(repo_url=repository.url))).refs == {}


async def test_the_host_keeps_its_reason_over_the_bus(bus: Bus, git_host: GitHost) -> None:
    with pytest.raises(RequestError) as caught:
        await bus.request(ResolveRevision(repo_url=git_host.server.url_of("none")))
    assert caught.value.reason == "RepositoryNotFound"
    with pytest.raises(RequestError) as refused:
        await bus.request(ResolveRevision(repo_url="/etc/passwd"))
    assert refused.value.reason == "UnsupportedAddress"


async def test_a_commit_is_described_with_its_tags(bus: Bus, repository: Repository) -> None:
    sha = repository.commit({"a": b"1"}, "Add a\n\nAt length.")
    repository.tag("v1", sha, annotated=True)
    repository.tag("v2", sha)
    await resolve(bus, repository)
    found = await bus.request(RevisionMetadata(repo_url=repository.url, revision=sha))
    assert (found.author, found.subject_line) == ("Tiphys <tiphys@localhost>", "Add a")
    assert found.tags == ("v1", "v2")
    assert found.date is not None


async def test_changes_between_two_commits_are_brought_when_needed(bus: Bus, repository: Repository) -> None:
    old = repository.commit({"a": b"1", "b": b"1"}, branch="one")
    new = repository.commit({"a": b"2", "b": b"1"}, branch="two")
    assert (await bus.request(ChangedPaths(repo_url=repository.url, old=old, new=new))).changed == ("a",)
    with pytest.raises(RequestError) as caught:
        await bus.request(ChangedPaths(repo_url=repository.url, old=old, new="main"))
    assert caught.value.reason == "RevisionNotFound"


async def test_refs_are_listed_with_peeled_tags(bus: Bus, repository: Repository) -> None:
    sha = repository.commit({"a": b"1"})
    repository.tag("v1", sha, annotated=True)
    found = await bus.request(ListRefs(repo_url=repository.url))
    assert found.refs == {"refs/heads/main": sha, "refs/tags/v1": sha}
    assert found.head == "refs/heads/main"


async def test_a_branch_made_a_moment_ago_is_found_although_all_is_fresh(bus: Bus, repository: Repository) -> None:
    repository.commit({"a": b"1"})
    await resolve(bus, repository)
    sha = repository.commit({"a": b"2"}, branch="fresh")
    assert (await resolve(bus, repository, "fresh")).revision == sha


async def test_a_pull_requests_ref_is_fetched_when_asked_for(watcher: Watcher, repository: Repository) -> None:
    sha = repository.commit({"a": b"1"}, branch="main")
    repository.ref("refs/pull/1/head", sha)
    await resolve(watcher.bus, repository)
    assert (await watcher.bus.request(ListRefs(repo_url=repository.url))).refs == {"refs/heads/main": sha}
    found = await resolve(watcher.bus, repository, "refs/pull/1/head")
    assert found == ResolvedRevision(revision=sha, ref="refs/pull/1/head")
    new = repository.commit({"a": b"2"}, branch="pr")
    repository.ref("refs/pull/1/head", new)
    await watcher.bus.request(ListRefs(repo_url=repository.url, refresh=True))
    event = await watcher.revision()
    assert (event.ref, event.old, event.new) == ("refs/pull/1/head", sha, new)
