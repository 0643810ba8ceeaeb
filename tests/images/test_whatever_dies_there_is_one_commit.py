"""Kill a part with SIGKILL at each step of the way of an image, start it again: it ends in one commit, which runs.

The steps are held at a gate: the registry's webhook, the two looks at the tag, the look at the branch, the push before
git has it and after (when nobody has heard so), git's webhook, the fetch; then the pod template that is written. At
each of them those die who work on it then or are needed by who does, two at once where one alone would be no harder.
A registry that loses a webhook with its life is left out: what it never told is found by the polls. A writer that dies
before it hears that git has its commit may never announce it, when the cluster runs it before the writer is back.

`TIPHYS_KILLS=every` kills every part alone at every step instead (some ten minutes).
"""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from services.stack.gitserver import Webhook
from shared.bus import connect
from shared.events import ImageUpdated
from shared.git.mirror import heads_of, open_mirror
from shared.kube import Informer, verbs
from tests.parts.delivery import read
from tests.parts.gate import Gate, Proxy, proxied
from tests.parts.images import push_image
from tests.parts.registry import RunningRegistry, running_registry
from tests.parts.separate import Parts, separate
from tests.parts.shop import CHART, KEYS, SECRET, config_map, webhook_secret

Obj = dict[str, Any]
SERVICES = ("gateway", "git_watcher", "renderer", "reconciler", "registry_watcher", "image_updater")
APPS = ("shop-0", "shop-1")
LONGEST = 120.0


class Step(NamedTuple):
    """A request to one of the three hosts; `by`: whose it is."""

    host: str
    request: str
    by: str
    nth: int = 1
    done: bool = False


PUSH = r"^POST .*/git-receive-pack$"
STEPS = {
    "the registry tells": Step("gateway", r"^POST /api/webhook/registry", "registry"),
    "the tag is looked at": Step("registry", r"^HEAD /v2/team/web/manifests/", "registry_watcher"),
    "the tag is looked at again": Step("registry", r"^HEAD /v2/team/web/manifests/", "registry_watcher", nth=2),
    "the branch is looked at": Step("git", r"^GET .*service=git-upload-pack$", "image_updater"),
    "git is given the commit": Step("git", PUSH, "image_updater"),
    "git has the commit": Step("git", PUSH, "image_updater", done=True),
    "git tells": Step("gateway", r"^POST /api/webhook$", "git"),
    "the commit is fetched": Step("git", r"^POST .*/git-upload-pack$", "git_watcher"),
}
WRITTEN = "the pod template is written"
ROUNDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("git has the commit", ("image_updater",)),
    ("the registry tells", ("gateway", "nats-server")),
    ("the tag is looked at", ("registry_watcher",)),
    ("the tag is looked at again", ("registry", "kube-apiserver")),
    ("the branch is looked at", ("git", "image_updater")),
    ("git is given the commit", ("image_updater",)),
    ("git is given the commit", ("git", "nats-server")),
    ("git has the commit", ("nats-server",)),
    ("git has the commit", ("git",)),
    ("git tells", ("gateway", "git_watcher")),
    ("the commit is fetched", ("git", "git_watcher")),
    (WRITTEN, ("reconciler", "nats-server")),
)

PARTS = (*SERVICES, "nats-server", "kube-apiserver", "registry", "git")
EVERY = [
    (step, (part,))
    for step in (*STEPS, WRITTEN)
    for part in PARTS
    if (step, part) != ("the registry tells", "registry")
]


class Hosts:
    """The registry, the git host and the way to the gateway, each behind its gate."""

    def __init__(self, folder: Path, parts: Parts, gates: dict[str, Gate]) -> None:
        self.folder, self.parts, self.gates = folder, parts, gates
        self.registry: Proxy | None = None
        self.gateway: Proxy | None = None
        self._running = AsyncExitStack()

    async def start_registry(self) -> None:
        assert self.registry
        assert self.gateway
        webhook = f"http://{self.gateway.host}/api/webhook/registry"
        running = running_registry(self.folder, webhook=webhook, secret=SECRET)
        self.registry.server = (await self._running.enter_async_context(running)).host

    async def end_registry(self) -> None:
        await self._running.aclose()

    async def kill(self, part: str) -> None:
        if part in ("registry", "git"):
            self.gates[part].shut = True
        if part == "registry":
            await self.end_registry()
        elif part != "git":
            await self.parts.kill(part)

    async def start(self, part: str) -> None:
        if part == "registry":
            await self.start_registry()
        elif part != "git":
            await self.parts.start(part)
        if part in ("registry", "git"):
            self.gates[part].shut = False


@asynccontextmanager
async def hosts(folder: Path) -> AsyncIterator[Hosts]:
    gates = {name: Gate() for name in ("registry", "git", "gateway")}
    async with separate(folder, SERVICES, (gates["git"].middleware,)) as parts:
        made = Hosts(folder / "registry", parts, gates)
        async with (
            proxied(gates["gateway"], f"127.0.0.1:{parts.gateway_port}") as made.gateway,
            proxied(gates["registry"]) as made.registry,
        ):
            parts.git.webhook = Webhook(f"http://{made.gateway.host}/api/webhook")
            await made.start_registry()
            yield made
            await made.end_registry()


class Team:
    """Two Applications of one image, and what became of it."""

    def __init__(self, hosts: Hosts, deployments: Informer[Obj]) -> None:
        assert hosts.registry
        self.hosts, self.parts, self.deployments = hosts, hosts.parts, deployments
        self.registry = RunningRegistry(hosts.registry.host)
        self.image = f"{self.registry.host}/team/web"
        self.changed = asyncio.Event()

    async def begin(self) -> None:
        await self.push("1.0.0")
        url = self.parts.git.create("team")
        values = f"image:\n  repository: {self.image}\n  tag: 1.0.0 # by CI\n"
        files = {f"chart/{path}": text.encode() for path, text in CHART.items()}
        await self.parts.git.commit("team", files | {"chart/values-dev.yaml": values.encode()}, "Begin")
        for obj in (config_map(self.registry), webhook_secret(), *objects(url, self.image)):
            group, _, version = obj["apiVersion"].rpartition("/")
            kind = await self.parts.discovery.resource(group, obj["kind"], version)
            await verbs.apply(self.parts.cluster, kind, obj, manager="the-test", force=True)
        await self.runs("1.0.0")

    async def push(self, tag: str) -> None:
        await push_image(self.registry, "team/web", tag, labels={"tag": tag})

    def take(self, *_event: object) -> None:
        self.changed.set()

    def running(self, tag: str) -> int:
        """How many of the Applications have it in the cluster."""
        templates = [one["spec"]["template"]["spec"]["containers"][0] for one in self.deployments.store.values()]
        return sum(one["image"] == f"{self.image}:{tag}" for one in templates)

    async def runs(self, tag: str, count: int = len(APPS)) -> None:
        async with asyncio.timeout(LONGEST):
            while self.running(tag) < count:
                self.changed.clear()
                await self.changed.wait()

    def commits(self) -> list[str]:
        bare = self.parts.git.path_of("team")
        return [str(one.message) for one in open_mirror(bare).walk(heads_of(bare)["refs/heads/main"])]

    def written(self, tag: str) -> int:
        return sum(f"to '{tag}'" in message for message in self.commits())

    async def round(self, tag: str, step: str, dying: tuple[str, ...]) -> None:
        """Push, kill at the step, start again, and see the end."""
        if step == WRITTEN:
            await self.push(tag)
            await self.runs(tag, 1)
            await asyncio.gather(*map(self.hosts.kill, dying))
        else:
            host, request, by, nth, done = STEPS[step]
            gate = self.hosts.gates[host]
            gate.hold(request, nth=nth, done=done)
            await self.push(tag)
            await gate.reached()
            await asyncio.gather(*map(self.hosts.kill, dying))
            gate.release(cut=by in dying or host in dying)
        for part in sorted(dying, key=lambda part: part in SERVICES):
            await self.hosts.start(part)
        await self.runs(tag)

    async def announced(self) -> list[str]:
        async with connect(self.parts.bus.url, service="tests") as bus:
            found = [envelope.event() async for envelope in bus.replay("delivery.image.updated")]
        return [one.new_tag for one in found if isinstance(one, ImageUpdated)]


def objects(url: str, image: str) -> list[Obj]:
    config = {"method": "git", "gitConfig": {"writeBackTarget": "helmvalues:values-dev.yaml"}}
    wanted = {"alias": "web", "imageName": image, "manifestTargets": {"helm": KEYS}}
    updater = {
        "apiVersion": "argocd-image-updater.argoproj.io/v1alpha1",
        "kind": "ImageUpdater",
        "metadata": {"name": "shop", "namespace": "argocd"},
        "spec": {"writeBackConfig": config, "applicationRefs": [{"namePattern": "shop-*", "images": [wanted]}]},
    }
    return [updater, *(application(url, name) for name in APPS)]


def application(url: str, name: str) -> Obj:
    source = {"repoURL": url, "path": "chart", "targetRevision": "main", "helm": {"valueFiles": ["values-dev.yaml"]}}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name, "namespace": "argocd"},
        "spec": {
            "project": "default",
            "source": source,
            "destination": {"server": "https://kubernetes.default.svc", "namespace": name},
            "syncPolicy": {"automated": {}, "syncOptions": ["CreateNamespace=true"]},
        },
    }


def rounds() -> Sequence[tuple[str, tuple[str, ...]]]:
    return EVERY if os.environ.get("TIPHYS_KILLS") == "every" else ROUNDS


def unannounced(step: str, dying: tuple[str, ...]) -> bool:
    return step == "git has the commit" and "image_updater" in dying


@pytest.mark.timeout(600 if rounds() is ROUNDS else 3600)
async def test_it_ends_in_one_commit_whoever_dies_at_whichever_step(tmp_path: Path) -> None:
    async with hosts(tmp_path) as made, asyncio.TaskGroup() as tasks:
        resource = await made.parts.discovery.resource("apps", "Deployment")
        team = Team(made, Informer(made.parts.cluster, resource, read))
        watching = tasks.create_task(team.deployments.run(team.take))
        await team.begin()
        planned = {f"1.{number}.0": one for number, one in enumerate(rounds(), start=1)}
        for tag, (step, dying) in planned.items():
            told = f"{' and '.join(dying)} died when {step}"
            try:
                await team.round(tag, step, dying)
            except TimeoutError:
                raise AssertionError(f"{tag} does not run: {told}; {team.commits()}\n{made.parts.logs()}") from None
            assert team.written(tag) == 1, told
        assert len(team.commits()) == 1 + len(planned)
        known = {tag for tag, (step, dying) in planned.items() if not unannounced(step, dying)}
        async with asyncio.timeout(LONGEST):
            while not known <= set(await team.announced()):  # noqa: ASYNC110 - the last one may come after its commit
                await asyncio.sleep(0.5)
        watching.cancel()
