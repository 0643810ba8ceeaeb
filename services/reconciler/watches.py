"""What the reconciler watches on the control plane: Applications, AppProjects, `argocd-cm`, cluster Secrets.

Each watch hands every change to its function in handlers.py and is listed once before the next begins, so that the
first Application finds its project, its settings and its cluster.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import orjson

from services.reconciler import handlers
from services.reconciler.keys import AppKey
from services.reconciler.parts import Parts
from shared.kinds.clusters import ClusterSecret
from shared.kinds.keyring import GPG_CONFIG_MAP, SIGNERS, SSH_CONFIG_MAP
from shared.kinds.secrets import InvalidSecret
from shared.kinds.settings import ArgoSettings
from shared.kube import Applications, Discovery, EventType, Informer, Key
from shared.run import Context
from shared.telemetry import get_logger

Obj = dict[str, Any]
log = get_logger()
CONFIG_MAP = "argocd-cm"
CLUSTER_LABEL = "argocd.argoproj.io/secret-type=cluster"


def read(raw: bytes) -> Obj:
    """Decode an object whole."""
    obj: Obj = orjson.loads(raw)
    return obj


async def watch(
    context: Context, tasks: asyncio.TaskGroup, informer: Informer[Obj] | Applications[bytes], take: Callable[..., None]
) -> None:
    """Run an informer in the group, and wait for its first list."""
    tasks.create_task(informer.run(take))
    context.health.set_ready(informer.resource.plural, ok=False, why="not listed yet")
    await informer.synced.wait()
    context.health.set_ready(informer.resource.plural, ok=True)


async def watch_settings(parts: Parts, context: Context, discovery: Discovery, tasks: asyncio.TaskGroup) -> None:
    """Keep Argo CD's settings current; bad values are logged and left at their defaults."""
    resource = await discovery.resource("", "ConfigMap")
    informer = Informer(
        context.cluster, resource, read, namespace=context.namespace, field_selector=f"metadata.name={CONFIG_MAP}"
    )

    def take(type_: EventType, _key: Key, obj: Obj, _old: Obj | None) -> None:
        settings = ArgoSettings.from_configmap({} if type_ is EventType.DELETED else obj.get("data") or {})
        for problem in settings.problems:
            log.warning("argocd-cm has a value that can't be used; its default holds", problem=problem)
        parts.argo = settings
        handlers.on_settings(parts)

    await watch(context, tasks, informer, take)


async def watch_keys(parts: Parts, context: Context, discovery: Discovery, tasks: asyncio.TaskGroup) -> None:
    """Keep the digest of the keys current that commits may be signed with; the keys themselves are git_watcher's."""
    resource = await discovery.resource("", "ConfigMap")
    known: dict[str, dict[str, str]] = {}

    def take(type_: EventType, key: Key, obj: Obj, _old: Obj | None) -> None:
        known[key.name] = {} if type_ is EventType.DELETED else obj.get("data") or {}
        handlers.on_keys(parts, known.get(GPG_CONFIG_MAP, {}), known.get(SSH_CONFIG_MAP, {}).get(SIGNERS, ""))

    for name in (GPG_CONFIG_MAP, SSH_CONFIG_MAP):
        one = f"metadata.name={name}"
        informer = Informer(context.cluster, resource, read, namespace=context.namespace, field_selector=one)
        await watch(context, tasks, informer, take)


async def watch_clusters(parts: Parts, context: Context, discovery: Discovery, tasks: asyncio.TaskGroup) -> None:
    """Keep the cluster Secrets current."""
    resource = await discovery.resource("", "Secret")
    informer = Informer(context.cluster, resource, read, namespace=context.namespace, label_selector=CLUSTER_LABEL)

    def take(*_event: object) -> None:
        changed = parts.destinations.set_secrets(cluster_secrets(list(informer.store.values())))
        if changed:
            tasks.create_task(handlers.on_clusters(parts, changed))

    await watch(context, tasks, informer, take)


def cluster_secrets(objects: list[Obj]) -> list[ClusterSecret]:
    """Read the cluster Secrets; one that can't be read is logged and left out."""
    found = []
    for obj in objects:
        try:
            found.append(ClusterSecret.from_secret(obj))
        except InvalidSecret as error:
            log.warning("a cluster Secret can't be used", secret=obj["metadata"]["name"], problem=str(error))
    return found


async def watch_projects(parts: Parts, context: Context, discovery: Discovery, tasks: asyncio.TaskGroup) -> None:
    """Keep the projects current."""
    resource = await discovery.resource("argoproj.io", "AppProject")
    informer = Informer(context.cluster, resource, read, namespace=context.namespace)

    def take(type_: EventType, key: Key, obj: Obj, _old: Obj | None) -> None:
        handlers.on_project(parts, key.name, None if type_ is EventType.DELETED else obj)

    await watch(context, tasks, informer, take)


async def watch_applications(parts: Parts, context: Context, _discovery: Discovery, tasks: asyncio.TaskGroup) -> None:
    """Hear of every Application, in Argo CD's namespace and in those that `application.namespaces` lists."""

    def take(type_: EventType, key: Key, raw: bytes, _old: bytes | None) -> None:
        if parts.membership.holds(AppKey(*key)):  # others are not even parsed
            handlers.on_application(parts, AppKey(*key), None if type_ is EventType.DELETED else read(raw))

    await watch(context, tasks, parts.known_applications, take)
