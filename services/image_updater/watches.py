"""What the image updater watches: git credentials and settings, then ImageUpdaters, then Applications."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

from services.image_updater import handlers
from services.image_updater.commitstyle import CONFIG_MAP, style_of
from services.image_updater.keys import AppKey
from services.image_updater.parts import Parts
from services.image_updater.view import AppView, decode
from shared.git.mirrors import Mirrors
from shared.kinds.appproject import AppProject
from shared.kinds.imageupdater import ImageUpdater
from shared.kinds.secretdata import TYPE_LABEL
from shared.kinds.wire import InvalidObject
from shared.kube import Applications, EventType, Informer, Key, Resource
from shared.run import Context
from shared.telemetry import get_logger

Obj = dict[str, Any]
READ = frozenset({"list", "watch"})
SECRETS = Resource("", "v1", "Secret", "secrets", True, READ)
CONFIG_MAPS = Resource("", "v1", "ConfigMap", "configmaps", True, READ)
APPLICATIONS = Resource("argoproj.io", "v1alpha1", "Application", "applications", True, READ)
PROJECTS = Resource("argoproj.io", "v1alpha1", "AppProject", "appprojects", True, READ)
REPOSITORIES = f"{TYPE_LABEL} in (repository,repo-creds)"
log = get_logger()


def read(raw: bytes) -> Obj:
    obj: Obj = msgspec.json.decode(raw)
    return obj


async def _start(
    context: Context, tasks: asyncio.TaskGroup, part: str, informer: Informer[Any], take: Callable[..., None]
) -> None:
    context.health.set_ready(part, False, "not listed yet")
    tasks.create_task(informer.run(take))
    await informer.listed()
    context.health.set_ready(part, True)


async def watch_all(context: Context, the: Parts, mirrors: Mirrors, tasks: asyncio.TaskGroup) -> None:
    def known_hosts(data: dict[str, str]) -> None:
        mirrors.trust_hosts(data.get("ssh_known_hosts", ""))

    def authorities(data: dict[str, str]) -> None:
        the.credentials.authorities = data

    def style(data: dict[str, str]) -> None:
        the.style = style_of(the.settings, data)

    await _config_map(context, tasks, "argocd-ssh-known-hosts-cm", known_hosts)
    await _config_map(context, tasks, "argocd-tls-certs-cm", authorities)
    await _config_map(context, tasks, CONFIG_MAP, style)
    await _secrets(context, the, tasks)
    await _projects(context, the, tasks)
    await _updaters(context, the, tasks)
    await _applications(context, the, tasks)


async def _config_map(
    context: Context, tasks: asyncio.TaskGroup, name: str, take: Callable[[dict[str, str]], None]
) -> None:
    informer = Informer(
        context.cluster, CONFIG_MAPS, read, namespace=context.namespace, field_selector=f"metadata.name={name}"
    )

    def changed(type_: EventType, _key: Key, obj: Obj, _old: Obj | None) -> None:
        take({} if type_ is EventType.DELETED else obj.get("data") or {})

    await _start(context, tasks, name, informer, changed)


async def _secrets(context: Context, the: Parts, tasks: asyncio.TaskGroup) -> None:
    informer = Informer(context.cluster, SECRETS, read, namespace=context.namespace, label_selector=REPOSITORIES)

    def take(type_: EventType, key: Key, obj: Obj, _old: Obj | None) -> None:
        the.credentials.put(key, None if type_ is EventType.DELETED else obj)

    await _start(context, tasks, "secrets", informer, take)


async def _updaters(context: Context, the: Parts, tasks: asyncio.TaskGroup) -> None:
    informer = Informer(context.cluster, the.image_updaters, read)

    def take(type_: EventType, key: Key, obj: Obj, _old: Obj | None) -> None:
        updater = None if type_ is EventType.DELETED else _updater(obj)
        unreadable = updater is None and type_ is not EventType.DELETED
        (the.unreadable.add if unreadable else the.unreadable.discard)(AppKey(*key))
        handlers.on_updater(the, AppKey(*key), updater)

    await _start(context, tasks, "imageupdaters", informer, take)


def _updater(obj: Obj) -> ImageUpdater | None:
    """One that can't be read decides nothing."""
    try:
        return ImageUpdater.parse(obj)
    except InvalidObject as error:
        log.warning("an ImageUpdater can't be used", name=obj["metadata"]["name"], problem=str(error))
        return None


async def _projects(context: Context, the: Parts, tasks: asyncio.TaskGroup) -> None:
    informer = Informer(context.cluster, PROJECTS, read, namespace=context.namespace)

    def take(type_: EventType, key: Key, obj: Obj, _old: Obj | None) -> None:
        the.projects.pop(key.name, None)
        if type_ is not EventType.DELETED and (project := _project(obj)) is not None:
            the.projects[key.name] = project

    await _start(context, tasks, "appprojects", informer, take)


def _project(obj: Obj) -> AppProject | None:
    """One that can't be read permits nothing."""
    try:
        return AppProject.parse(obj)
    except InvalidObject as error:
        log.warning("an AppProject can't be used", name=obj["metadata"]["name"], problem=str(error))
        return None


async def _applications(context: Context, the: Parts, tasks: asyncio.TaskGroup) -> None:
    """Of the namespaces that count only: nobody else may have a repository written."""
    given = context.common.application_namespaces
    applications = Applications(context.cluster, APPLICATIONS, decode, own=context.namespace, given=given)

    def take(type_: EventType, key: Key, view: AppView, _old: AppView | None) -> None:
        handlers.on_application(the, AppKey(*key), None if type_ is EventType.DELETED else view)

    context.health.set_ready("applications", False, "not listed yet")
    tasks.create_task(applications.run(take))
    await applications.synced.wait()
    context.health.set_ready("applications", True)
