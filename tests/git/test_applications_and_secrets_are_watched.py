"""The whole service on a real cluster: Applications say what is watched, Secrets and ConfigMaps how."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from pydantic import SecretStr

from services.git_watcher.app import app
from shared.bus import Bus, Envelope
from shared.events import GitRevision, ResolveRevision
from shared.kube import connect
from shared.run import Common, Context, EnginesOnce, Health
from tests.bus.tools import background
from tests.git.watching import hook
from tests.parts.cluster import ClusterUnderTest
from tests.parts.gitserver import Repository, git_hosting


@asynccontextmanager
async def serving(cluster: ClusterUnderTest, bus: Bus, namespace: str, data: Path) -> AsyncIterator[None]:
    """The service as `python -m services.git_watcher` would run it, ready."""
    common = Common(namespace=namespace, kubeconfig=cluster.kubeconfig, data=data, nats_url=SecretStr("unused"))
    health = Health("git_watcher")
    async with connect(cluster.kubeconfig) as connection, AsyncExitStack() as stack:
        overrides = {"poll_seconds": 3600.0}
        pool = EnginesOnce(1, stack)
        context = Context("git_watcher", common, bus, connection, health, pool, overrides)
        async with background(app(context)):
            await asyncio.wait_for(health.until_ready(), 90)
            yield


def application(repository: Repository, target: str) -> dict[str, object]:
    source = {"repoURL": repository.url, "targetRevision": target, "path": "."}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "app"},
        "spec": {
            "project": "default",
            "source": source,
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "x"},
        },
    }


def secret(repository: Repository, password: str) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "repo", "labels": {"argocd.argoproj.io/secret-type": "repository"}},
        "stringData": {"type": "git", "url": repository.url, "username": "ada", "password": password},
    }


async def test_a_push_to_an_applications_repository_is_announced(
    cluster: ClusterUnderTest, namespace: str, own_bus: Bus, tmp_path: Path
) -> None:
    async with git_hosting(tmp_path / "host", users={"ada": "right-word"}) as host:
        repository = host.repository()
        old = repository.commit({"a": b"1"})
        repository.tag("v1.3.0", old)
        for each in (secret(repository, "right-word"), application(repository, "main")):
            await apply(cluster, namespace, each)
        async with serving(cluster, own_bus, namespace, tmp_path / "data"):
            heard = own_bus.replay("delivery.git.>", follow=True)
            first = await revision(heard)
            assert (first.ref, first.new, first.source) == ("refs/heads/main", old, "poll")
            new = repository.commit({"a": b"2"})
            await own_bus.publish(hook(repository, before=old, after=new))
            event = await revision(heard)
            assert (event.old, event.new, event.changed) == (old, new, ("a",))
            asked = ResolveRevision(repo_url=repository.url, target_revision="v1.3.0")
            assert (await own_bus.request(asked)).revision == old


async def test_a_corrected_secret_is_used_at_once(
    cluster: ClusterUnderTest, namespace: str, own_bus: Bus, tmp_path: Path
) -> None:
    async with git_hosting(tmp_path / "host", users={"ada": "right-word"}) as host:
        repository = host.repository()
        sha = repository.commit({"a": b"1"})
        for each in (secret(repository, "wrong-word"), application(repository, "HEAD")):
            await apply(cluster, namespace, each)
        async with serving(cluster, own_bus, namespace, tmp_path / "data"):
            heard = own_bus.replay("delivery.git.>", follow=True)
            failed = (await asyncio.wait_for(anext(heard), 60)).event()
            assert failed is not None
            assert failed.kind == "git.failed"
            await apply(cluster, namespace, secret(repository, "right-word"))
            assert (await revision(heard)).new == sha


async def apply(cluster: ClusterUnderTest, namespace: str, obj: dict[str, object]) -> None:
    await asyncio.to_thread(cluster.kubectl, "apply", "-n", namespace, "-f", "-", stdin=json.dumps(obj))


async def revision(heard: AsyncIterator[Envelope]) -> GitRevision:
    envelope = await asyncio.wait_for(anext(heard), 60)
    event = envelope.event()
    assert isinstance(event, GitRevision), event
    return event
