"""Kill image_updater with SIGKILL in the middle of its push: before git has the commit, and after, when nobody has
heard so; then the registry's watcher. Each time it ends in exactly one commit, which runs everywhere.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from shared.git.mirror import heads_of, open_mirror
from shared.kube import Informer, verbs
from tests.parts.delivery import read
from tests.parts.images import push_image
from tests.parts.registry import RunningRegistry, running_registry
from tests.parts.separate import Parts, separate
from tests.parts.shop import CHART, KEYS, SECRET, config_map, webhook_secret

Obj = dict[str, Any]
SERVICES = ("gateway", "git_watcher", "renderer", "reconciler", "registry_watcher", "image_updater")
APPS = [f"shop-{number}" for number in range(4)]


class Turn:
    """What happens to the next push that git is given."""

    def __init__(self) -> None:
        self.before: Callable[[], Awaitable[None]] | None = None
        self.after: Callable[[], Awaitable[None]] | None = None

    @web.middleware
    async def middleware(self, request: web.Request, handler: Any) -> web.StreamResponse:
        pushing = request.method == "POST" and request.path.endswith("/git-receive-pack")
        if pushing and self.before is not None:
            act, self.before = self.before, None
            await act()
            return web.Response(status=502)
        if pushing and self.after is not None:
            act, self.after = self.after, None
            body = await request.read()
            await self._passed_on(request, body)
            await act()
            return web.Response(status=502)
        answer: web.StreamResponse = await handler(request)
        return answer

    async def _passed_on(self, request: web.Request, body: bytes) -> None:
        """Git takes the push; the pusher never hears so."""
        headers = {name: request.headers[name] for name in ("Content-Type",) if name in request.headers}
        async with (
            aiohttp.ClientSession() as client,
            client.post(f"http://{request.host}{request.path}", data=body, headers=headers) as response,
        ):
            answer = await response.read()
            assert response.status == 200, answer
            assert b"ok refs/heads/main" in answer, answer


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


class Team:
    def __init__(self, parts: Parts, registry: RunningRegistry, turn: Turn) -> None:
        self.parts, self.registry, self.turn = parts, registry, turn
        self.changed = asyncio.Event()
        self.image = f"{registry.host}/team/web"
        self.deployments: Informer[Obj] | None = None

    async def begin(self) -> None:
        await self.push("1.0.0")
        url = self.parts.git.create("team")
        values = f"image:\n  repository: {self.image}\n  tag: 1.0.0 # by CI\n"
        files = {f"chart/{path}": text.encode() for path, text in CHART.items()}
        await self.parts.git.commit("team", files | {"chart/values-dev.yaml": values.encode()}, "Begin")
        resource = await self.parts.discovery.resource("apps", "Deployment")
        self.deployments = Informer(self.parts.cluster, resource, read)
        for obj in (config_map(self.registry), webhook_secret(), *objects(url, self.image)):
            group, _, version = obj["apiVersion"].rpartition("/")
            kind = await self.parts.discovery.resource(group, obj["kind"], version)
            await verbs.apply(self.parts.cluster, kind, obj, manager="the-test", force=True)

    async def push(self, tag: str) -> None:
        await push_image(self.registry, "team/web", tag)

    def take(self, *_event: object) -> None:
        self.changed.set()

    def running(self, tag: str) -> bool:
        assert self.deployments
        templates = [one["spec"]["template"]["spec"]["containers"][0] for one in self.deployments.store.values()]
        return len(templates) == len(APPS) and all(one["image"] == f"{self.image}:{tag}" for one in templates)

    async def runs(self, tag: str) -> None:
        try:
            async with asyncio.timeout(120):
                while not self.running(tag):
                    self.changed.clear()
                    await self.changed.wait()
        except TimeoutError:
            raise AssertionError(f"{tag} does not run: {self.commits()}\n{self.parts.logs()}") from None

    def commits(self) -> list[str]:
        bare = self.parts.git.path_of("team")
        return [str(one.message) for one in open_mirror(bare).walk(heads_of(bare)["refs/heads/main"])]

    def written(self, tag: str) -> int:
        return sum(f"to '{tag}'" in message for message in self.commits())

    async def killed(self) -> None:
        await self.parts.kill("image_updater")


async def test_it_ends_in_one_commit_wherever_it_is_killed(tmp_path: Path) -> None:
    turn = Turn()
    async with separate(tmp_path, SERVICES, (turn.middleware,)) as parts, asyncio.TaskGroup() as tasks:
        webhook = f"http://127.0.0.1:{parts.gateway_port}/api/webhook/registry"
        async with running_registry(tmp_path / "registry", webhook=webhook, secret=SECRET) as registry:
            team = Team(parts, registry, turn)
            await team.begin()
            assert team.deployments
            watching = tasks.create_task(team.deployments.run(team.take))
            await team.runs("1.0.0")
            for tag, moment in (("1.1.0", "before"), ("1.2.0", "after")):
                setattr(turn, moment, team.killed)
                await team.push(tag)
                await _until(lambda: "image_updater" not in parts.processes, parts)
                assert team.written(tag) == (0 if moment == "before" else 1), team.commits()
                await parts.start("image_updater")
                await team.runs(tag)
                assert team.written(tag) == 1
            await parts.kill("registry_watcher")
            await team.push("1.3.0")
            await parts.start("registry_watcher")
            await team.runs("1.3.0")
            assert [team.written(f"1.{minor}.0") for minor in (1, 2, 3)] == [1, 1, 1]
            assert len(team.commits()) == 4
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching


async def _until(holds: Callable[[], bool], parts: Parts) -> None:
    try:
        async with asyncio.timeout(60):
            while not holds():  # noqa: ASYNC110 - a process that dies has no event
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(parts.logs()) from None
