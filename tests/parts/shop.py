"""A team whose images are followed: a registry, a repository with a chart, Applications, and a CI job that pushes.

On the running stack, from outside: kubectl, git, HTTP. Tests keep apart by their names.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from shared.bus import Bus, connect
from shared.events import ImagePushed, ImageUpdated
from shared.git.mirror import heads_of, open_mirror
from shared.git.tree import GitTree
from tests.parts.images import push_image
from tests.parts.registry import RunningRegistry, running_registry
from tests.parts.stack import Stack

Obj = dict[str, Any]
CHART = {
    "Chart.yaml": "apiVersion: v2\nname: web\nversion: 0.1.0\n",
    "values.yaml": "image:\n  repository: none\n  tag: none\n",
    "templates/deployment.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"}
""",
}
KEYS = {"name": "image.repository", "tag": "image.tag"}


@dataclass
class Shop:
    """`name` is the repository's, the image's and, with a number, the Applications' and their namespaces'."""

    stack: Stack
    registry: RunningRegistry
    bus: Bus
    name: str
    repo_url: str = ""
    apps: list[str] = field(default_factory=list)

    @property
    def image(self) -> str:
        return f"{self.registry.host}/{self.name}/web"

    async def push(self, tag: str, **facts: Any) -> str:
        """What a CI job does; the registry itself tells the gateway."""
        return await push_image(self.registry, f"{self.name}/web", tag, **facts)

    def begin(self, tag: str, extra: dict[str, str] | None = None) -> None:
        values = f"# values of dev\nimage:\n  repository: {self.image}\n  tag: {json.dumps(tag)} # set by CI\n"
        files = {f"chart/{path}": text for path, text in CHART.items()} | {"chart/values-dev.yaml": values}
        self.repo_url = self.stack.repository(
            self.name, {path: text.encode() for path, text in (files | (extra or {})).items()}
        )

    async def application(self, number: int = 0, source: Obj | None = None, **metadata: Any) -> str:
        """An Application of the chart, with the values of dev."""
        name = f"{self.name}-{number}"
        self.apps.append(name)
        await self.apply(
            {
                "apiVersion": "argoproj.io/v1alpha1",
                "kind": "Application",
                "metadata": {"name": name, "namespace": "argocd", **metadata},
                "spec": {
                    "project": "default",
                    "source": {
                        "repoURL": self.repo_url,
                        "path": "chart",
                        "targetRevision": "main",
                        **(source or {"helm": {"valueFiles": ["values-dev.yaml"]}}),
                    },
                    "destination": {"server": "https://kubernetes.default.svc", "namespace": name},
                    "syncPolicy": {
                        "automated": {"prune": True, "selfHeal": True},
                        "syncOptions": ["CreateNamespace=true"],
                    },
                },
            }
        )
        return name

    def updater(self, constraint: str = "", **spec: Any) -> Obj:
        """An ImageUpdater of all the Applications of this test, writing to the values of dev."""
        image = {
            "alias": "web",
            "imageName": self.image + (f":{constraint}" if constraint else ""),
            "manifestTargets": {"helm": KEYS},
            **spec.pop("image", {}),
        }
        git = {"method": "git", "gitConfig": {"writeBackTarget": "helmvalues:values-dev.yaml"}}
        return {
            "apiVersion": "argocd-image-updater.argoproj.io/v1alpha1",
            "kind": "ImageUpdater",
            "metadata": {"name": self.name, "namespace": "argocd"},
            "spec": {
                "writeBackConfig": git,
                "applicationRefs": [{"namePattern": f"{self.name}-*", "images": [image]}],
                **spec,
            },
        }

    async def apply(self, obj: Obj) -> None:
        done = await self.stack.kubectl("apply", "-f", "-", stdin=json.dumps(obj))
        assert done.code == 0, done.err

    async def runs(self, app: str, tag: str) -> None:
        """Wait until the pod template in the cluster names the tag."""
        path = f"{{.spec.template.spec.containers[0].image}}={self.image}:{tag}"
        await self.until(
            lambda: self.stack.kubectl("wait", "deployment/web", "-n", app, f"--for=jsonpath={path}", "--timeout=5s")
        )

    async def until(self, ask: Callable[[], Any], seconds: float = 90.0) -> Any:
        """Ask until it succeeds (a command ends well, an answer is there)."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    found = await ask()
                    if found is not None and found is not False and getattr(found, "code", 0) == 0:
                        return found
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"not within {seconds} s; {await self.told()}") from None

    async def told(self) -> str:
        shown = await self.stack.kubectl("get", "imageupdater", self.name, "-n", "argocd", "-o", "jsonpath={.status}")
        listed = await self.stack.tiphys("image", "list")
        return f"{shown.out}\n{listed.out}{listed.err}\n{self.commits()}"

    async def status(self) -> Obj:
        found = await self.stack.get("imageupdater", self.name, "-n", "argocd")
        status: Obj = found.get("status") or {}
        return status

    def commits(self, branch: str = "main") -> list[str]:
        """The subjects of a branch, newest first."""
        bare = self.stack.data / "git" / f"{self.name}.git"
        tip = heads_of(bare).get(f"refs/heads/{branch}")
        return [str(one.message) for one in open_mirror(bare).walk(tip)] if tip else []

    def read(self, path: str, branch: str = "main") -> str:
        bare = self.stack.data / "git" / f"{self.name}.git"
        return (GitTree(bare, heads_of(bare)[f"refs/heads/{branch}"]).read(path) or b"").decode()

    async def events(self) -> list[ImageUpdated]:
        """What was announced of this test's Applications."""
        found = [envelope.event() async for envelope in self.bus.replay("delivery.image.updated")]
        return [one for one in found if isinstance(one, ImageUpdated) and one.image == self.image]

    async def pushes(self) -> list[ImagePushed]:
        found = [envelope.event() async for envelope in self.bus.replay("delivery.image.pushed")]
        return [one for one in found if isinstance(one, ImagePushed) and one.image == self.image]


SECRET = "told-by-the-registry"


def config_map(registry: RunningRegistry) -> Obj:
    """The registry has no TLS, which registries.conf says."""
    conf = f"registries:\n- name: test\n  prefix: {registry.host}\n  api_url: http://{registry.host}\n  limit: 1000\n"
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "argocd-image-updater-config", "namespace": "argocd"},
        "data": {"registries.conf": conf},
    }


def webhook_secret() -> Obj:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "argocd-image-updater-secret", "namespace": "argocd"},
        "stringData": {"webhook.distribution-secret": SECRET},
    }


async def configure(shop: Shop, data: dict[str, str | None]) -> None:
    """Set keys of the ConfigMap, or take them back (None): other tests run on it too."""
    words = ("patch", "configmap", "argocd-image-updater-config", "-n", "argocd", "--type=merge")
    done = await shop.stack.kubectl(*words, "-p", json.dumps({"data": data}))
    assert done.code == 0, done.err


@asynccontextmanager
async def telling(stack: Stack, folder: Path) -> AsyncIterator[RunningRegistry]:
    """A registry that tells a stack's gateway of every push."""
    webhook = f"{stack.state.url}/api/webhook/registry"
    async with running_registry(folder, webhook=webhook, secret=SECRET) as registry:
        for obj in (config_map(registry), webhook_secret()):
            done = await stack.kubectl("apply", "-f", "-", stdin=json.dumps(obj))
            assert done.code == 0, done.err
        yield registry


@pytest_asyncio.fixture(scope="session")
async def telling_registry(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningRegistry]:
    async with telling(stack, tmp_path_factory.mktemp("registry")) as registry:
        yield registry


@pytest_asyncio.fixture
async def shop(stack: Stack, telling_registry: RunningRegistry, unique: str) -> AsyncIterator[Shop]:
    async with connect(stack.state.nats_url, service="tests") as bus:
        made = Shop(stack, telling_registry, bus, unique)
        yield made
        await stack.kubectl("delete", "imageupdater", unique, "-n", "argocd", "--ignore-not-found", "--wait=false")
        for app in made.apps:
            await stack.kubectl("delete", "application", app, "-n", "argocd", "--ignore-not-found", "--wait=false")
            await stack.kubectl("delete", "namespace", app, "--ignore-not-found", "--wait=false")
