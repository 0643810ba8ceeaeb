"""What the registry watcher watches on the control plane: two ConfigMaps that say how registries are reached."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from services.registry_watcher.parts import Parts
from shared.kube import EventType, Informer, Key, Resource
from shared.oci.registries import BadRegistries, read_registries
from shared.run import Context
from shared.telemetry import get_logger

log = get_logger()
Obj = dict[str, Any]
CONFIG_MAPS = Resource("", "v1", "ConfigMap", "configmaps", True, frozenset({"list", "watch"}))
SETTINGS, CERTIFICATES = "argocd-image-updater-config", "argocd-tls-certs-cm"
CONF = "registries.conf"


def decode(raw: bytes) -> Obj:
    obj: Obj = msgspec.json.decode(raw)
    return obj


async def watch_all(context: Context, parts: Parts, tasks: asyncio.TaskGroup) -> None:
    """How registries are reached, before the first one is asked."""

    def certificates(data: dict[str, str]) -> None:
        parts.credentials.authorities = data
        parts.changed()

    def settings(data: dict[str, str]) -> None:
        take_registries(context, parts, data.get(CONF, ""))

    await _config_map(context, tasks, CERTIFICATES, certificates)
    if parts.settings.registries_conf is None:
        await _config_map(context, tasks, SETTINGS, settings)
    else:
        take_registries(context, parts, await asyncio.to_thread(read_file, parts.settings.registries_conf))


def read_file(path: Path) -> str:
    """On a thread."""
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise BadRegistries(f"{path} can't be read: {type(error).__name__}") from error


def take_registries(context: Context, parts: Parts, text: str) -> None:
    """What can't be used changes nothing, and is said in readiness and in the log."""
    try:
        registries = read_registries(text)
    except BadRegistries as error:
        log.warning("registries.conf is left out", why=str(error))
        context.health.note(CONF, f"left out: {error}")
        return
    context.health.note(CONF, "")
    parts.images.doors.changed(registries)
    parts.changed()


async def _config_map(
    context: Context, tasks: asyncio.TaskGroup, name: str, take: Callable[[dict[str, str]], None]
) -> None:
    informer = Informer(
        context.cluster, CONFIG_MAPS, decode, namespace=context.namespace, field_selector=f"metadata.name={name}"
    )

    def changed(type_: EventType, _key: Key, obj: Obj, _old: Obj | None) -> None:
        take({} if type_ is EventType.DELETED else obj.get("data") or {})

    context.health.set_ready(name, False, "not listed yet")
    tasks.create_task(informer.run(changed))
    await informer.listed()
    context.health.set_ready(name, True)
