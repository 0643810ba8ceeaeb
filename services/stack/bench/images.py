"""`make bench-images`: from the push of an image to the commit and to the cluster, on a real registry and real git.

Three measures: pushes followed by one Application, one push followed by all, and a full pass over many Applications on
many repositories of many tags, cold and warm. The registry is Debian's docker-registry, which tells the gateway itself.
"""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp

from services.stack.bench import field, layout, machine
from services.stack.bench.field import ARGO, Field
from services.stack.bench.measures import each
from services.stack.bench.numbers import Spread, seconds, spread
from services.stack.bench.registry import Registry, running
from services.stack.install import ensure
from shared.git.mirror import heads_of
from shared.kube import verbs

Obj = dict[str, Any]
PUSHES, SHARED, REPOSITORIES, EACH, TAGS = 20, 300, 200, 5, 1000
SECRET = "bench"  # noqa: S105 - of a registry that lives for some minutes
GROUP = "argocd-image-updater.argoproj.io"


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def main() -> None:
    say(f"on {machine.describe()}")
    with tempfile.TemporaryDirectory(prefix="tiphys-bench-", ignore_cleanup_errors=True) as folder:
        async with field.opened(Path(folder), lambda _line: None) as world:
            webhook = f"http://127.0.0.1:{world.options.port}/api/webhook/registry"
            async with running(Path(folder) / "registry", webhook, SECRET) as registry:
                await _prepare(world, registry)
                await _latency(world, registry)
                await _full_pass(world, registry)


async def _prepare(world: Field, registry: Registry) -> None:
    conf = (
        f"registries:\n- name: bench\n  prefix: {registry.host}\n  api_url: http://{registry.host}\n  limit: 100000\n"
    )
    for obj in (
        _named("v1", "ConfigMap", "argocd-image-updater-config", data={"registries.conf": conf}),
        _named("v1", "Secret", "argocd-image-updater-secret", stringData={"webhook.distribution-secret": SECRET}),
    ):
        await ensure(world.cluster, world.discovery, obj)


def _named(version: str, kind: str, name: str, **fields: Any) -> Obj:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": ARGO}, **fields}


async def _latency(world: Field, registry: Registry) -> None:
    await world.start()
    world.forge.create()
    async with aiohttp.ClientSession() as client:
        await registry.push(client, "shop/web", "1.0.0")
        image = f"{registry.host}/shop/web"
        world.forge.commit(_chart(image), "Begin")
        await _follow(world, 0, image)
        await _until_live(world, 1, f"{image}:1.0.0")
        times = [await _pushed(world, registry, client, f"1.1.{number}", 1) for number in range(PUSHES)]
        say(f"push of an image to commit pushed: {_spread(times, 0)}")
        say(f"push of an image to pod template:  {_spread(times, 1)}")
        for number in range(1, SHARED):
            await _application(world, number, "shop", "chart", {"helm": {"valueFiles": ["values.yaml"]}})
        await _until_live(world, SHARED, f"{image}:1.1.{PUSHES - 1}")
        before = _commits(world)
        commit, live = await _pushed(world, registry, client, "1.2.0", SHARED)
        count = _commits(world) - before
        say(f"{SHARED} Applications of one image: {count} commit after {seconds(commit)}, live after {seconds(live)}")


def _spread(times: list[tuple[float, float]], at: int) -> Spread:
    return spread([one[at] for one in times])


def _chart(image: str) -> dict[str, bytes]:
    deployment = layout.deployment(0)
    deployment["metadata"]["name"] = "{{ .Release.Name }}"
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    container["image"] = "{{ .Values.image.name }}:{{ .Values.image.tag }}"
    values = f"image:\n  name: {image}\n  tag: 1.0.0\n"
    chart = "apiVersion: v2\nname: web\nversion: 0.1.0\n"
    files = {"Chart.yaml": chart, "values.yaml": values, "templates/web.yaml": json.dumps(deployment)}
    return {f"chart/{path}": text.encode() for path, text in files.items()}


async def _application(
    world: Field, number: int, prefix: str, path: str, source: Obj, *, automated: bool = True
) -> None:
    app = layout.application(number, world.forge.repo_url, ARGO)
    app["metadata"]["name"] = f"{prefix}-{number:04d}"
    app["spec"]["source"] = {"repoURL": world.forge.repo_url, "targetRevision": "main", "path": path, **source}
    if not automated:
        app["spec"].pop("syncPolicy", None)
    await verbs.create(world.cluster, await world.discovery.resource("argoproj.io", "Application"), app)


async def _follow(world: Field, number: int, image: str) -> None:
    await _application(world, number, "shop", "chart", {"helm": {"valueFiles": ["values.yaml"]}})
    git = {"method": "git", "gitConfig": {"writeBackTarget": "helmvalues:values.yaml"}}
    keys = {"helm": {"name": "image.name", "tag": "image.tag"}}
    refs = [{"namePattern": "shop-*", "images": [{"alias": "web", "imageName": image, "manifestTargets": keys}]}]
    updater = _named(
        f"{GROUP}/v1alpha1", "ImageUpdater", "shop", spec={"writeBackConfig": git, "applicationRefs": refs}
    )
    await ensure(world.cluster, world.discovery, updater)


async def _until_live(world: Field, count: int, image: str) -> None:
    def live() -> bool:
        templates = [one["spec"]["template"]["spec"] for one in world.observed.objects("Deployment").values()]
        found = [template for template in templates if template["containers"][0]["image"] == image]
        return len(found) >= count

    await world.observed.until(live, 300.0, lambda: f"{image} runs not {count} times")


async def _pushed(
    world: Field, registry: Registry, client: aiohttp.ClientSession, tag: str, count: int
) -> tuple[float, float]:
    """Seconds from the push to the commit, and to the pod templates."""
    before = heads_of(world.forge.bare)["refs/heads/main"]
    await registry.push(client, "shop/web", tag)
    begun = time.monotonic()
    live = asyncio.create_task(_until_live(world, count, f"{registry.host}/shop/web:{tag}"))
    await _until(lambda: heads_of(world.forge.bare)["refs/heads/main"] != before)
    commit = time.monotonic() - begun
    await live
    return commit, time.monotonic() - begun


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(120):
        while not holds():  # noqa: ASYNC110 - a bare repository tells nobody
            await asyncio.sleep(0.005)


def _commits(world: Field) -> int:
    from shared.git.mirror import open_mirror

    return sum(1 for _ in open_mirror(world.forge.bare).walk(heads_of(world.forge.bare)["refs/heads/main"]))


async def _full_pass(world: Field, registry: Registry) -> None:
    say(f"making {REPOSITORIES} repositories of {TAGS} tags")
    async with aiohttp.ClientSession() as client:
        await each(registry.push(client, f"many/r{number}", "1.0.0") for number in range(REPOSITORIES))
    await asyncio.to_thread(registry.multiply, [f"many/r{number}" for number in range(REPOSITORIES)], TAGS)
    files = {f"many/r{number}/web.json": _deployment(registry, number) for number in range(REPOSITORIES)}
    world.forge.head = heads_of(world.forge.bare)["refs/heads/main"]
    world.forge.commit(files, "Many")
    await each(
        _application(world, number, f"many-{number // EACH:03d}", f"many/r{number // EACH}", {}, automated=False)
        for number in range(REPOSITORIES * EACH)
    )
    await _known(world)
    await world.stop()
    refs = [_many(registry, number) for number in range(REPOSITORIES)]
    updater = _named(f"{GROUP}/v1alpha1", "ImageUpdater", "many", spec={"applicationRefs": refs})
    await ensure(world.cluster, world.discovery, updater)
    for how in ("cold", "warm"):
        requests, begun = registry.requests(), time.monotonic()
        await world.start()
        await _checked(world, REPOSITORIES * EACH)
        took, asked = time.monotonic() - begun, registry.requests() - requests
        count = REPOSITORIES + 1  # and that of the first measures, whose Applications are still there
        say(f"full pass, {how}: {seconds(took)} from the start of the stack; {asked} requests for {count} repositories")
        await world.stop()
        await _forget(world)


def _deployment(registry: Registry, number: int) -> bytes:
    deployment = layout.deployment(number)
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    container["image"] = f"{registry.host}/many/r{number}:1.0.0"
    return json.dumps(deployment).encode()


def _many(registry: Registry, number: int) -> Obj:
    """The rule for the Applications whose repository this is."""
    image = {"alias": "web", "imageName": f"{registry.host}/many/r{number}:~1.0"}
    return {"namePattern": f"many-{number:03d}-*", "images": [image]}


async def _known(world: Field) -> None:
    """Every Application's images are in its status."""

    def known() -> bool:
        apps = world.observed.objects("Application").values()
        return sum(bool(((app.get("status") or {}).get("summary") or {}).get("images")) for app in apps) >= (
            REPOSITORIES * EACH
        )

    await world.observed.until(known, 600.0, lambda: "images are not known")


async def _checked(world: Field, count: int) -> None:
    resource = await world.discovery.resource(GROUP, "ImageUpdater")
    async with asyncio.timeout(600):
        while True:
            status = (await verbs.get(world.cluster, resource, ARGO, "many")).get("status") or {}
            if status.get("imagesManaged") == count:
                return
            await asyncio.sleep(0.05)


async def _forget(world: Field) -> None:
    resource = await world.discovery.resource(GROUP, "ImageUpdater")
    await verbs.patch_status(world.cluster, resource, ARGO, "many", {"imagesManaged": 0})


if __name__ == "__main__":
    asyncio.run(main())
    sys.exit(0)
