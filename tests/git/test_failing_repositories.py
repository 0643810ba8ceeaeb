"""What fails is told once, tried again at a decent pace, and starts anew when its cause is gone."""

import asyncio
import base64
from pathlib import Path

import pytest

from services.git_watcher.pauses import hold, until_next_poll
from shared.bus import Bus
from shared.events import RequestError, ResolveRevision
from shared.git.errors import AuthenticationFailed, RepositoryUnreachable
from tests.git.watching import Watcher, hook, watching
from tests.parts.gitserver import GitHost, git_hosting


async def test_wrong_credentials_are_told_once_and_not_tried_hot(watcher: Watcher, tmp_path: Path) -> None:
    async with git_hosting(tmp_path / "closed", users={"ada": "right-word"}) as host:
        repository = host.repository()
        sha = repository.commit({"a": b"1"})
        watcher.credentials.put(("argocd", "repo"), secret(repository.url, "wrong-word"))
        for _ in range(5):
            with pytest.raises(RequestError) as caught:
                await watcher.bus.request(ResolveRevision(repo_url=repository.url))
            assert caught.value.reason == "AuthenticationFailed"
        assert host.looks == 1
        told = await watcher.failed()
        assert (told.reason, told.retriable) == ("AuthenticationFailed", False)
        assert "wrong-word" not in told.to_bytes().decode()
        watcher.credentials.put(("argocd", "repo"), secret(repository.url, "right-word"))
        watcher.parts.repositories.release()
        assert (await watcher.bus.request(ResolveRevision(repo_url=repository.url))).revision == sha
        assert watcher.heard.empty()


async def test_a_host_that_comes_back_is_found_by_the_retry(own_bus: Bus, tmp_path: Path, git_host: GitHost) -> None:
    repository = git_host.repository()
    old = repository.commit({"a": b"1"})
    async with watching(own_bus, tmp_path / "mirrors") as watcher:
        await watcher.bus.request(ResolveRevision(repo_url=repository.url))
        git_host.faults.status = 503
        new = repository.commit({"a": b"2"})
        await watcher.bus.publish(hook(repository, before=old, after=new))
        assert (await watcher.failed()).reason == "RepositoryUnreachable"
        git_host.faults.status = None
        event = await watcher.revision()
        assert (event.old, event.new) == (old, new)


async def test_one_hanging_repository_does_not_hold_up_another(own_bus: Bus, tmp_path: Path, git_host: GitHost) -> None:
    hangs, fine = git_host.repository("hangs"), git_host.repository("fine")
    first = [each.commit({"a": b"1"}) for each in (hangs, fine)]
    async with watching(own_bus, tmp_path / "mirrors", idle_seconds=120.0) as watcher:
        for each in (hangs, fine):
            await watcher.bus.request(ResolveRevision(repo_url=each.url))
        git_host.faults.hang, git_host.faults.only = asyncio.Event(), "hangs"
        await watcher.bus.publish(hook(hangs, before=first[0], after=hangs.commit({"a": b"2"})))
        new = fine.commit({"a": b"2"})
        await watcher.bus.publish(hook(fine, before=first[1], after=new))
        assert (await watcher.revision()).new == new
        git_host.faults.hang.set()
        assert (await watcher.revision()).old == first[0]


def test_pauses_grow_and_respect_what_the_host_asks_for() -> None:
    unreachable = RepositoryUnreachable("x")
    assert [hold(unreachable, failures) for failures in (1, 2, 3, 20)] == [1, 2, 4, 300]
    assert hold(RepositoryUnreachable("x", retry_after=40), 1) == 40
    assert hold(AuthenticationFailed("x"), 1) == 30
    assert until_next_poll(100, 0.0) == 90
    assert until_next_poll(100, 1.0) == pytest.approx(110)
    assert until_next_poll(100, 0.5, held=7) == pytest.approx(7.1)


def secret(url: str, password: str) -> dict[str, object]:
    """A repository Secret as it stands in the cluster."""
    texts = {"type": "git", "url": url, "username": "ada", "password": password}
    return {
        "metadata": {
            "namespace": "argocd",
            "name": "repo",
            "labels": {"argocd.argoproj.io/secret-type": "repository"},
        },
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in texts.items()},
    }
