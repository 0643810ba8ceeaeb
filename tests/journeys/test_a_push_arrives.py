"""The spine: a commit is pushed over HTTP, the forge's webhook tells the gateway, and the cluster runs it; the
trace explains it.
"""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest_asyncio

from services.stack.demo import world
from services.stack.demo.git import git
from tests.parts.stack import Stack

Obj = dict[str, Any]


class Delivered:
    def __init__(self, stack: Stack, name: str, repo_url: str) -> None:
        self.stack, self.name, self.repo_url = stack, name, repo_url

    async def wait(self, *words: str) -> None:
        waited = await self.stack.tiphys("app", "wait", self.name, "--timeout", "90", *words)
        assert waited.code == 0, waited.err

    async def trace(self, change: str, last: str) -> str:
        """The way of a change, once its last step is told: what is told follows what is done."""
        async with asyncio.timeout(60):
            while True:
                told = await self.stack.tiphys("trace", change)
                assert told.code == 0, told.err
                if last in told.out:
                    return told.out

    async def image(self) -> str:
        return world.image_of(await self.stack.get("deployment", "web", "-n", self.name))


def application(name: str, repo_url: str) -> Obj:
    app = world.applications(repo_url, "argocd")[0]
    app["metadata"]["name"] = app["spec"]["destination"]["namespace"] = name
    return app


@pytest_asyncio.fixture
async def delivered(stack: Stack, unique: str) -> Delivered:
    repo_url = await asyncio.to_thread(stack.repository, unique, world.seed())
    applied = await stack.kubectl("apply", "-f", "-", stdin=json.dumps(application(unique, repo_url)))
    assert applied.code == 0, applied.err
    one = Delivered(stack, unique, repo_url)
    await one.wait()
    return one


async def test_a_pushed_tag_is_live_soon_and_its_way_is_told(delivered: Delivered, tmp_path: Path) -> None:
    manifest, image = world.bumped((world.SEED / world.CHANGED).read_text())
    commit = await delivered.stack.push(
        delivered.repo_url, tmp_path / "clone", {world.CHANGED: manifest.encode()}, f"Use {image}"
    )
    await delivered.wait("--revision", commit)
    assert await delivered.image() == image
    told = await delivered.trace(commit, "sync-finished")
    assert f"Use {image}" in told
    assert "webhook received" in told, "and no poll, which comes after three minutes"


async def test_pushes_that_follow_each_other_closely_end_at_the_last(delivered: Delivered, tmp_path: Path) -> None:
    """Each arrives while the sync of the one before is on its way."""
    clone = tmp_path / "clone"
    await git("clone", "-q", delivered.repo_url, str(clone))
    file = clone / world.CHANGED
    image = commit = ""
    for _ in range(8):
        changed, image = world.bumped(file.read_text())
        file.write_text(changed)
        await git("-C", str(clone), "commit", "-q", "-a", "-m", f"Use {image}")
        await git("-C", str(clone), "push", "-q", "origin", "HEAD")
        commit = await git("-C", str(clone), "rev-parse", "HEAD")
    waited = await delivered.stack.tiphys("app", "wait", delivered.name, "--revision", commit, "--timeout", "90")
    assert waited.code == 0, waited.err
    assert await delivered.image() == image


async def test_what_is_removed_from_git_is_pruned(delivered: Delivered, tmp_path: Path) -> None:
    only_deployment = {"plain/service.yaml": b"# nothing left\n"}
    commit = await delivered.stack.push(delivered.repo_url, tmp_path / "clone", only_deployment, "Drop the service")
    await delivered.wait("--revision", commit)
    left = await delivered.stack.kubectl("get", "service", "-n", delivered.name, "-o", "name")
    assert left.out == ""


async def test_drift_is_healed(delivered: Delivered) -> None:
    scaled = await delivered.stack.kubectl("scale", "deployment/web", "--replicas=5", "-n", delivered.name)
    assert scaled.code == 0, scaled.err
    healed = await delivered.stack.kubectl(
        "wait", "deployment/web", "-n", delivered.name, "--for=jsonpath={.spec.replicas}=2", "--timeout=90s"
    )
    assert healed.code == 0, healed.err
