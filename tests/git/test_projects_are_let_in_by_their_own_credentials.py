"""A repository that one project may read is no other project's: the mirror is shared, the way in is not."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from services.git_watcher.usage import Use
from shared.events import RequestError, ResolveRevision
from tests.git.watching import Watcher
from tests.parts.gitserver import GitHost, Repository, git_hosting


@pytest_asyncio.fixture
async def closed(tmp_path: Path) -> AsyncIterator[GitHost]:
    async with git_hosting(tmp_path / "closed", users={"ada": "right-word"}) as host:
        yield host


def use(repository: Repository, project: str) -> Use:
    return Use(repository.url, "HEAD", project)


def credentials(watcher: Watcher, repository: Repository, project: str, password: str = "right-word") -> None:
    """A repository Secret of one project."""
    texts = {"type": "git", "url": repository.url, "username": "ada", "password": password, "project": project}
    data = {name: base64.b64encode(value.encode()).decode() for name, value in texts.items()}
    labels = {"argocd.argoproj.io/secret-type": "repository"}
    secret = {"metadata": {"name": f"repo-{project}", "namespace": "argocd", "labels": labels}, "data": data}
    watcher.credentials.put(("argocd", f"repo-{project}"), secret)


async def resolve(watcher: Watcher, repository: Repository, project: str, target: str = "HEAD") -> str:
    question = ResolveRevision(repo_url=repository.url, target_revision=target, project=project)
    return (await watcher.bus.request(question)).revision


async def test_another_project_is_not_let_in(watcher: Watcher, closed: GitHost) -> None:
    repository = closed.repository()
    sha = repository.commit({"a": b"1"})
    credentials(watcher, repository, "red")
    watcher.parts.usage.put(("argocd", "red-app"), [use(repository, "red")])
    assert await resolve(watcher, repository, "red") == sha
    for target in ("HEAD", "main", sha):
        with pytest.raises(RequestError) as raised:
            await resolve(watcher, repository, "blue", target)
        assert raised.value.reason == "AuthenticationFailed"
    assert await resolve(watcher, repository, "red") == sha


async def test_with_credentials_of_its_own_it_is(watcher: Watcher, closed: GitHost) -> None:
    repository = closed.repository()
    sha = repository.commit({"a": b"1"})
    credentials(watcher, repository, "red")
    credentials(watcher, repository, "blue", "wrong-word")
    watcher.parts.usage.put(("argocd", "red-app"), [use(repository, "red")])
    with pytest.raises(RequestError):
        await resolve(watcher, repository, "blue")
    credentials(watcher, repository, "blue")
    assert await resolve(watcher, repository, "blue") == sha


async def test_a_repository_that_is_open_to_all_is_asked_once(watcher: Watcher, git_host: GitHost) -> None:
    repository = git_host.repository()
    sha = repository.commit({"a": b"1"})
    credentials(watcher, repository, "red")
    watcher.parts.usage.put(("argocd", "red-app"), [use(repository, "red")])
    assert await resolve(watcher, repository, "red") == sha
    git_host.requests.clear()
    for _ in range(3):
        assert await resolve(watcher, repository, "blue") == sha
    assert git_host.looks == 1
    assert git_host.fetches == 0
