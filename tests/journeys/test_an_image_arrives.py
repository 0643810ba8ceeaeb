"""A team with Jenkins: a job builds an image and pushes it to a registry; a Helm chart with values-dev.yaml
is in a private repository; the pod in namespace anotherclass-223 shall run it. First the job writes the tag, then it
leaves that to Tiphys. Nothing but public interfaces: git, HTTP, the registry, kubectl, tiphys.

On a real node, whose containerd pulls the image and runs it; without root on the simulated one, where a pod is Ready
when its template says so.
"""

import asyncio
import json
import os
import platform
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from services.stack.cluster import machine
from services.stack.cluster.images import Image, archive
from services.stack.demo.git import git
from services.stack.gitserver import GitServer, Webhook
from tests.parts.images import push_archive
from tests.parts.registry import RunningRegistry
from tests.parts.shop import CHART, telling
from tests.parts.stack import Stack, stack_of

Obj = dict[str, Any]
NAME = NAMESPACE = "anotherclass-223"
TOKENS = {"jenkins": "token-of-jenkins", "tiphys": "token-of-tiphys"}
VALUES = """\
# dev: the tag is written by a machine, the rest by people
image:
  repository: {image}
  tag: "1.0.0"
replicas: 1 # enough for dev
"""


class Jenkins:
    """The job: build, push, and (in the first variant) write the tag to git with its token."""

    def __init__(self, registry: RunningRegistry, url: str, folder: Path) -> None:
        self.registry, self.folder = registry, folder
        self.url = url.replace("http://", f"http://jenkins:{TOKENS['jenkins']}@")

    async def build(self, tag: str) -> str:
        labels = {"org.opencontainers.image.revision": "c0ffee", "org.opencontainers.image.source": "https://git/shop"}
        (self.folder / "version").write_text(tag)
        return await push_archive(self.registry, f"{NAME}/web", tag, await asyncio.to_thread(self._built), labels)

    def _built(self) -> bytes:
        files = {"bin/busybox": busybox(), "version": self.folder / "version"}
        links = {f"bin/{applet}": "busybox" for applet in ("sh", "cat", "sleep")}
        command = ("/bin/sh", "-c", "trap exit TERM; sleep 3600 & wait")
        return archive(Image(f"{NAME}/web", files, command, links), platform.machine())

    async def write(self, tag: str) -> str:
        clone = self.folder / f"job-{tag}"
        await git("clone", "-q", self.url, str(clone))
        values = clone / "chart" / "values-dev.yaml"
        lines = values.read_text().splitlines(keepends=True)
        values.write_text("".join(f'  tag: "{tag}"\n' if line.startswith("  tag:") else line for line in lines))
        await git("-C", str(clone), "commit", "-q", "-a", "-m", f"Deploy {tag} to dev")
        await git("-C", str(clone), "push", "-q", "origin", "HEAD")
        return await git("-C", str(clone), "rev-parse", "HEAD")


class Story:
    def __init__(self, stack: Stack, registry: RunningRegistry, server: GitServer, folder: Path, *, real: bool) -> None:
        self.real = real
        self.stack, self.registry, self.server = stack, registry, server
        self.url = server.create(NAME)
        self.image = f"{registry.host}/{NAME}/web"
        self.jenkins = Jenkins(registry, self.url, folder)

    async def apply(self, obj: Obj) -> None:
        done = await self.stack.kubectl("apply", "-f", "-", stdin=json.dumps(obj))
        assert done.code == 0, done.err

    async def begin(self) -> None:
        await self.jenkins.build("1.0.0")
        files = {f"chart/{path}": text.encode() for path, text in CHART.items()}
        values = VALUES.format(image=self.image).encode()
        await self.server.commit(NAME, files | {"chart/values-dev.yaml": values}, "Begin")
        await self.apply(secret(self.url))
        await self.apply(application(self.url))

    async def runs(self, tag: str) -> None:
        """Until the pod of the new image is Ready in the namespace."""
        wanted = f"{self.image}:{tag}"
        try:
            async with asyncio.timeout(90):
                while wanted not in await self.ready():  # noqa: ASYNC110 - asked from outside, as a person would
                    await asyncio.sleep(0.1)
        except TimeoutError:
            told = [await self.stack.tiphys(*words) for words in (("app", "get", NAME), ("image", "list"))]
            raise AssertionError("\n".join(one.out + one.err for one in told)) from None

    async def ready(self) -> list[str]:
        found = await self.stack.kubectl("get", "pods", "-n", NAMESPACE, "-o", "json")
        pods = json.loads(found.out or '{"items": []}')["items"]
        return [pod["spec"]["containers"][0]["image"] for pod in pods if is_ready(pod)]

    async def is_inside(self, tag: str) -> None:
        """What runs is what the job has built."""
        if self.real:
            said = await self.stack.kubectl("exec", "-n", NAMESPACE, "deployment/web", "--", "cat", "/version")
            assert (said.code, said.out) == (0, tag), said.err

    async def trace(self, change: str, *steps: str) -> None:
        """The pod is Ready a moment before its Application says so: the last steps are waited for."""
        async with asyncio.timeout(90):
            while True:
                told = await self.stack.tiphys("trace", change)
                assert told.code == 0, told.err
                places = [told.out.find(step) for step in steps]
                if -1 not in places:
                    break
                await asyncio.sleep(0.2)
        assert places == sorted(places), told.out


def busybox() -> Path:
    """The real node's own; on the simulated one nobody starts it."""
    found = shutil.which("busybox", path=machine.search_path())
    return Path(found or sys.executable)


def is_ready(pod: Obj) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def secret(url: str) -> Obj:
    labels = {"argocd.argoproj.io/secret-type": "repository"}
    data = {"type": "git", "url": url, "username": "tiphys", "password": TOKENS["tiphys"]}
    metadata = {"name": f"repo-{NAME}", "namespace": "argocd", "labels": labels}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data}


def application(url: str) -> Obj:
    source = {"repoURL": url, "path": "chart", "targetRevision": "main", "helm": {"valueFiles": ["values-dev.yaml"]}}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {
            "name": NAME,
            "namespace": "argocd",
            "finalizers": ["resources-finalizer.argocd.argoproj.io"],
        },
        "spec": {
            "project": "default",
            "source": source,
            "destination": {"server": "https://kubernetes.default.svc", "namespace": NAMESPACE},
            "syncPolicy": {
                "automated": {"prune": True, "selfHeal": True},
                "syncOptions": ["CreateNamespace=true"],
            },
        },
    }


def updater(image: str) -> Obj:
    keys = {"name": "image.repository", "tag": "image.tag"}
    followed = {"alias": "web", "imageName": f"{image}:1.x", "manifestTargets": {"helm": keys}}
    git_config = {"writeBackTarget": "helmvalues:values-dev.yaml"}
    return {
        "apiVersion": "argocd-image-updater.argoproj.io/v1alpha1",
        "kind": "ImageUpdater",
        "metadata": {"name": NAME, "namespace": "argocd"},
        "spec": {
            "writeBackConfig": {"method": "git:repocreds", "gitConfig": git_config},
            "applicationRefs": [{"namePattern": NAME, "images": [followed]}],
        },
    }


@pytest_asyncio.fixture
async def story(
    request: pytest.FixtureRequest, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Story]:
    if os.geteuid() == 0:
        short = tmp_path_factory.mktemp("up")  # the kubelet's sockets are in it, whose paths may have 108 bytes
        async with (
            stack_of(short, "--node", "real") as stack,
            telling(stack, tmp_path / "registry") as registry,
            told(stack, registry, tmp_path, real=True) as made,
        ):
            yield made
        return
    stack, registry = (request.getfixturevalue(name) for name in ("stack", "telling_registry"))
    async with told(stack, registry, tmp_path, real=False) as made:
        yield made


@asynccontextmanager
async def told(stack: Stack, registry: RunningRegistry, folder: Path, *, real: bool) -> AsyncIterator[Story]:
    webhook = Webhook(f"{stack.state.url}/api/webhook")
    async with GitServer(folder / "forge", users=TOKENS, webhook=webhook) as server:
        yield Story(stack, registry, server, folder, real=real)
        for kind, name in (("imageupdater", NAME), ("application", NAME), ("secret", f"repo-{NAME}")):
            await stack.kubectl("delete", kind, name, "-n", "argocd", "--ignore-not-found")
        await stack.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait=false")


@pytest.mark.timeout(900)
async def test_a_ci_job_delivers_to_anotherclass_223(story: Story) -> None:
    await story.begin()
    await story.runs("1.0.0")

    await story.jenkins.build("1.1.0")
    commit = await story.jenkins.write("1.1.0")
    await story.runs("1.1.0")
    await story.is_inside("1.1.0")
    await story.trace(commit, "webhook received", "revision fetched", "sync-started", "sync-finished", "Healthy")

    await story.apply(updater(story.image))
    checked = "--for=jsonpath={.status.conditions[?(@.type=='Ready')].status}=True"
    waited = await story.stack.kubectl("wait", "imageupdater", NAME, "-n", "argocd", checked, "--timeout=90s")
    assert waited.code == 0, waited.err
    await story.jenkins.build("1.2.0")
    await story.runs("1.2.0")
    await story.is_inside("1.2.0")
    steps = ("image pushed", "image written", "revision fetched", "sync-started", "sync-finished", "Healthy")
    await story.trace(NAME, *steps)
    values = await git("-C", str(story.server.path_of(NAME)), "show", "main:chart/values-dev.yaml")
    assert values.splitlines() == VALUES.format(image=story.image).replace("1.0.0", "1.2.0").splitlines()
