"""From a webhook or a poll to `delivery.git.revision`: once, with what changed, and readable in the mirror."""

import asyncio
from pathlib import Path

import pytest

from services.git_watcher.usage import Use
from shared.bus import Bus
from shared.events import ImageUpdated, ListRefs, ResolveRevision
from shared.kinds.urls import normalise_url
from tests.git.watching import Watcher, hook, watching
from tests.parts.gitserver import GitHost, Repository

MAIN = "refs/heads/main"


@pytest.fixture
def repository(git_host: GitHost) -> Repository:
    return git_host.repository()


async def resolved(watcher: Watcher, repository: Repository, target: str = "HEAD") -> str:
    """The repository is known and its ref in use, as after an Application's first comparison."""
    asked = ResolveRevision(repo_url=repository.url, target_revision=target)
    found = await watcher.bus.request(asked)
    return found.revision


async def test_a_webhook_is_followed_by_one_look_and_one_fetch(watcher: Watcher, repository: Repository) -> None:
    old = repository.commit({"a/x": b"1", "b/x": b"1"})
    await resolved(watcher, repository)
    repository.host.requests.clear()
    new = repository.commit({"a/x": b"2"}, "Change a\n\nBecause.")
    await watcher.bus.publish(hook(repository, before=old, after=new))
    event = await watcher.revision()
    assert (event.ref, event.old, event.new, event.changed) == (MAIN, old, new, ("a/x",))
    assert (event.source, event.forced, event.subject_line) == ("webhook", False, "Change a")
    assert event.author == "Tiphys <tiphys@localhost>"
    assert event.delivery.endswith(new)
    assert watcher.tree(repository, new).read("a/x") == b"2"
    assert (repository.host.looks, repository.host.fetches) == (1, 1)


async def test_a_commit_for_an_image_continues_its_delivery(watcher: Watcher, repository: Repository) -> None:
    old = repository.commit({"a/x": b"1"})
    await resolved(watcher, repository)
    delivery = f"image:{'0' * 8}:{'a' * 64}"
    new = repository.commit({"a/x": b"2"}, f"Set it\n\nTiphys-Delivery: {delivery}\n")
    await watcher.bus.publish(hook(repository, before=old, after=new))
    assert (await watcher.revision()).delivery == delivery
    forged = repository.commit({"a/x": b"3"}, "Mine\n\nTiphys-Delivery: git:anything\n")
    await watcher.bus.publish(hook(repository, before=new, after=forged))
    assert (await watcher.revision()).delivery.endswith(forged)


async def test_what_image_updater_wrote_is_followed_without_a_webhook(watcher: Watcher, repository: Repository) -> None:
    old = repository.commit({"a/x": b"1"})
    await resolved(watcher, repository)
    repository.host.requests.clear()
    new = repository.commit({"a/x": b"2"})
    written = ImageUpdated(
        delivery=f"image:{'0' * 8}:{'a' * 64}",
        applications=("argocd/a",),
        image="docker.io/library/nginx",
        method="git",
        repo=normalise_url(repository.url),
        branch="main",
        commit=new,
    )
    await watcher.bus.publish(written.model_copy(update={"commit": "", "pull_request": "https://forge/1"}))
    await watcher.bus.publish(written)
    event = await watcher.revision()
    assert (event.old, event.new, event.changed) == (old, new, ("a/x",))
    assert (repository.host.looks, repository.host.fetches) == (1, 1)


async def test_webhooks_for_the_same_push_cost_one_fetch(watcher: Watcher, repository: Repository) -> None:
    old = repository.commit({"a": b"1"})
    await resolved(watcher, repository)
    repository.host.requests.clear()
    new = repository.commit({"a": b"2"})
    first = hook(repository, before=old, after=new)
    await asyncio.gather(*(watcher.bus.publish(first.model_copy(update={"delivery": f"d{i}"})) for i in range(8)))
    assert (await watcher.revision()).new == new
    await resolved(watcher, repository)
    assert watcher.heard.empty()
    assert repository.host.fetches == 1
    assert repository.host.looks <= 2


async def test_webhooks_while_one_is_in_flight_are_not_lost(watcher: Watcher, repository: Repository) -> None:
    first = repository.commit({"a": b"1"})
    await resolved(watcher, repository)
    second = repository.commit({"a": b"2"})
    repository.host.faults.hang, repository.host.faults.only = asyncio.Event(), "git-upload-pack"
    repository.host.arrived.clear()
    await watcher.bus.publish(hook(repository, before=first, after=second))
    await repository.host.arrived.wait()
    third = repository.commit({"a": b"3"})
    await watcher.bus.publish(hook(repository, before=second, after=third))
    repository.host.faults.hang.set()
    seen = [(await watcher.revision()).new]
    while seen[-1] != third:
        seen.append((await watcher.revision()).new)
    assert watcher.heard.empty()


async def test_a_lying_webhook_announces_nothing(watcher: Watcher, repository: Repository) -> None:
    sha = repository.commit({"a": b"1"})
    await resolved(watcher, repository)
    repository.host.requests.clear()
    await watcher.bus.publish(hook(repository, before="1" * 40, after="2" * 40))
    await watcher.bus.publish(hook(repository, before=sha, after=repository.commit({"a": b"2"})))
    assert (await watcher.revision()).old == sha
    assert watcher.heard.empty()
    assert repository.host.looks <= 2


async def test_a_webhook_for_a_repository_nobody_uses_costs_nothing(watcher: Watcher, git_host: GitHost) -> None:
    unused, used = git_host.repository("unused"), git_host.repository("used")
    old = used.commit({"a": b"1"})
    await resolved(watcher, used)
    git_host.requests.clear()
    await watcher.bus.publish(hook(unused, before=None, after=unused.commit({"a": b"1"})))
    await watcher.bus.publish(hook(used, before=old, after=used.commit({"a": b"2"})))
    await watcher.revision()
    assert not [line for line in git_host.requests if "unused" in line]


async def test_a_branch_nobody_uses_costs_nothing(watcher: Watcher, repository: Repository) -> None:
    old = repository.commit({"a": b"1"})
    await resolved(watcher, repository)
    repository.host.requests.clear()
    other = repository.commit({"a": b"1"}, branch="other")
    await watcher.bus.publish(hook(repository, before=None, after=other, ref="refs/heads/other"))
    await watcher.bus.publish(hook(repository, before=old, after=repository.commit({"a": b"2"})))
    assert (await watcher.revision()).ref == MAIN
    assert repository.host.looks == 1


async def test_a_branch_that_an_application_waits_for_is_announced_when_it_comes(
    watcher: Watcher, repository: Repository
) -> None:
    repository.commit({"a": b"1"})
    await resolved(watcher, repository)
    watcher.parts.usage.put(("argocd", "app"), [Use(repository.url, "soon")])
    new = repository.commit({"a": b"2"}, branch="soon")
    await watcher.bus.publish(hook(repository, before=None, after=new, ref="refs/heads/soon"))
    event = await watcher.revision()
    assert (event.ref, event.old, event.new, event.changed) == ("refs/heads/soon", None, new, None)


async def test_a_force_push_is_told_as_one(watcher: Watcher, repository: Repository) -> None:
    old = repository.commit({"a": b"1", "b": b"1"})
    await resolved(watcher, repository)
    new = repository.rewrite({"a": b"1"})
    await watcher.bus.publish(hook(repository, before=old, after=new))
    event = await watcher.revision()
    assert (event.forced, event.changed, event.old) == (True, ("b",), old)


async def test_a_deleted_branch_is_told_and_may_come_back(watcher: Watcher, repository: Repository) -> None:
    repository.commit({"a": b"1"})
    old = repository.commit({"a": b"1"}, branch="team")
    await resolved(watcher, repository, "team")
    watcher.use(repository, "team")
    repository.delete("refs/heads/team")
    await watcher.bus.publish(hook(repository, before=old, after=None, ref="refs/heads/team"))
    gone = await watcher.revision()
    assert (gone.ref, gone.old, gone.new) == ("refs/heads/team", old, None)
    back = repository.commit({"a": b"2"}, branch="team")
    await watcher.bus.publish(hook(repository, before=None, after=back, ref="refs/heads/team"))
    assert (await watcher.revision()).new == back


async def test_new_and_moved_tags_are_told(watcher: Watcher, repository: Repository) -> None:
    first = repository.commit({"a": b"1"})
    await resolved(watcher, repository)
    repository.tag("v1", first, annotated=True)
    await watcher.bus.publish(hook(repository, before=None, after=None, ref="refs/tags/v1"))
    new = await watcher.revision()
    assert (new.ref, new.old, new.new) == ("refs/tags/v1", None, first)
    await resolved(watcher, repository, "v1")
    second = repository.commit({"a": b"2"}, branch="next")
    repository.tag("v1", second)
    await watcher.bus.publish(hook(repository, before=first, after=second, ref="refs/tags/v1"))
    moved = await watcher.revision()
    assert (moved.old, moved.new, moved.changed) == (first, second, ("a",))


async def test_without_webhooks_the_poll_finds_a_push(own_bus: Bus, tmp_path: Path, repository: Repository) -> None:
    old = repository.commit({"a": b"1"})
    async with watching(own_bus, tmp_path / "polled", poll_seconds=0.2) as watcher:
        watcher.use(repository)
        first = await watcher.revision()
        assert (first.old, first.new, first.source) == (None, old, "poll")
        new = repository.commit({"a": b"2"})
        event = await watcher.revision()
        assert (event.old, event.new, event.changed, event.source) == (old, new, ("a",), "poll")


async def test_a_push_while_we_were_down_is_found_once(own_bus: Bus, tmp_path: Path, repository: Repository) -> None:
    old = repository.commit({"a": b"1"})
    async with watching(own_bus, tmp_path / "kept") as watcher:
        await resolved(watcher, repository)
    new = repository.commit({"a": b"2"})
    for expected in ((old, new), None):
        async with watching(own_bus, tmp_path / "kept") as watcher:
            watcher.use(repository)
            watcher.parts.polls.sooner(watcher.name_of(repository))
            event = await watcher.revision()
            assert (event.old, event.new) == (old, new)
            if expected is None:
                await watcher.bus.request(ListRefs(repo_url=repository.url, refresh=True))
                assert watcher.heard.empty()


async def test_a_push_is_found_even_when_the_mirror_is_gone(
    own_bus: Bus, tmp_path: Path, repository: Repository
) -> None:
    old = repository.commit({"a": b"1"})
    async with watching(own_bus, tmp_path / "mirrors") as watcher:
        await resolved(watcher, repository)
        new = repository.commit({"a": b"2"})
        await watcher.parts.mirrors.discard(watcher.name_of(repository))
        await watcher.bus.publish(hook(repository, before=old, after=new))
        event = await watcher.revision()
        assert (event.old, event.new, event.changed) == (old, new, ("a",))


async def test_shallow_mirrors_announce_pushes_too(own_bus: Bus, tmp_path: Path, repository: Repository) -> None:
    repository.commit({"a": b"0"})
    old = repository.commit({"a": b"1"})
    async with watching(own_bus, tmp_path / "mirrors", depth=1) as watcher:
        await resolved(watcher, repository)
        new = repository.commit({"a": b"2"})
        await watcher.bus.publish(hook(repository, before=old, after=new))
        event = await watcher.revision()
        assert (event.old, event.new, event.changed, event.forced) == (old, new, ("a",), False)


async def test_a_mirror_damaged_under_a_push_is_fetched_anew(watcher: Watcher, repository: Repository) -> None:
    old = repository.commit({"a": b"1"})
    await resolved(watcher, repository)
    for path in watcher.parts.mirrors.path_of(watcher.name_of(repository)).glob("objects/pack/*.pack"):
        path.chmod(0o644)
        path.write_bytes(b"junk")
    new = repository.commit({"a": b"2"})
    await watcher.bus.publish(hook(repository, before=old, after=new))
    event = await watcher.revision()
    assert (event.old, event.new, event.changed) == (old, new, ("a",))
    assert watcher.tree(repository, new).read("a") == b"2"


async def test_a_webhook_that_is_faster_than_its_host_is_looked_after(watcher: Watcher, repository: Repository) -> None:
    """The branch moves after our first look: hosts have replicas."""
    old = repository.commit({"a": b"1"})
    await resolved(watcher, repository)
    watcher.use(repository)
    new = repository.commit({"a": b"2"}, branch="elsewhere")
    repository.host.requests.clear()
    repository.host.arrived.clear()
    await watcher.bus.publish(hook(repository, before=old, after=new))
    await repository.host.arrived.wait()
    await watcher.bus.request(ListRefs(repo_url=repository.url))
    repository.ref("refs/heads/main", new)
    assert (await watcher.revision()).new == new


async def test_a_repository_that_nobody_uses_any_more_is_removed(
    watcher: Watcher, tmp_path: Path, repository: Repository
) -> None:
    repository.commit({"a": b"1"})
    watcher.use(repository)
    await watcher.revision()
    unused = watcher.parts.repositories.of(repository.url)
    watcher.parts.usage.put(("argocd", "app"), ())
    unused.asked_at -= 2 * 24 * 3600
    await watcher.parts.polls._poll(unused.name)
    assert [path.name for path in (tmp_path / "mirrors").iterdir()] == ["ssh"]
