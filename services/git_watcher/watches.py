"""What the git watcher watches on the control plane: Applications (which repositories), Secrets and ConfigMaps (how).

Only names, sources and credentials are kept, never whole Applications.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

from services.git_watcher.parts import Parts
from services.git_watcher.usage import Use, uses_of
from shared.git.credentials import KnownCredentials
from shared.kinds.keyring import GPG_CONFIG_MAP, SIGNERS, SSH_CONFIG_MAP
from shared.kinds.secrets import TYPE_LABEL
from shared.kinds.urls import normalise_url
from shared.kube import Applications, EventType, Informer, Key, Resource
from shared.run import Context

Obj = dict[str, Any]
READ = frozenset({"list", "watch"})
APPLICATIONS = Resource("argoproj.io", "v1alpha1", "Application", "applications", True, READ)
SECRETS = Resource("", "v1", "Secret", "secrets", True, READ)
CONFIG_MAPS = Resource("", "v1", "ConfigMap", "configmaps", True, READ)
REPOSITORIES = f"{TYPE_LABEL} in (repository,repo-creds)"


class _Application(msgspec.Struct):
    spec: dict[str, Any] = {}


def decode(raw: bytes) -> Obj:
    obj: Obj = msgspec.json.decode(raw)
    return obj


def decode_uses(raw: bytes) -> frozenset[Use]:
    return uses_of(msgspec.json.decode(raw, type=_Application).spec)


async def watch_all(context: Context, parts: Parts, credentials: KnownCredentials, tasks: asyncio.TaskGroup) -> None:
    """Credentials first, so that the first look at a repository has them."""
    await _watch_settings(context, parts, tasks)
    await _watch_certificates(context, parts, credentials, tasks)
    await _watch_known_hosts(context, parts, tasks)
    await _watch_keys(context, parts, tasks)
    await _watch_secrets(context, parts, credentials, tasks)
    await _watch_applications(context, parts, tasks)


async def _start(
    context: Context, tasks: asyncio.TaskGroup, informer: Informer[Any], take: Callable[..., None]
) -> None:
    context.health.set_ready(informer.resource.plural, False, "not listed yet")
    tasks.create_task(informer.run(take))
    await informer.listed()
    context.health.set_ready(informer.resource.plural, True)


async def _config_map(
    context: Context, tasks: asyncio.TaskGroup, name: str, take: Callable[[dict[str, str]], None]
) -> None:
    informer = Informer(
        context.cluster, CONFIG_MAPS, decode, namespace=context.namespace, field_selector=f"metadata.name={name}"
    )

    def changed(type_: EventType, _key: Key, obj: Obj, _old: Obj | None) -> None:
        take({} if type_ is EventType.DELETED else obj.get("data") or {})

    await _start(context, tasks, informer, changed)


async def _watch_settings(context: Context, parts: Parts, tasks: asyncio.TaskGroup) -> None:
    await _config_map(context, tasks, "argocd-cm", parts.set_interval)


async def _watch_certificates(
    context: Context, parts: Parts, credentials: KnownCredentials, tasks: asyncio.TaskGroup
) -> None:
    def take(data: dict[str, str]) -> None:
        credentials.authorities = data
        parts.repositories.release()

    await _config_map(context, tasks, "argocd-tls-certs-cm", take)


async def _watch_known_hosts(context: Context, parts: Parts, tasks: asyncio.TaskGroup) -> None:
    def take(data: dict[str, str]) -> None:
        parts.mirrors.trust_hosts(data.get("ssh_known_hosts", ""))
        parts.repositories.release()

    await _config_map(context, tasks, "argocd-ssh-known-hosts-cm", take)


async def _watch_keys(context: Context, parts: Parts, tasks: asyncio.TaskGroup) -> None:
    """The keys that signatures are held against."""
    await _config_map(context, tasks, GPG_CONFIG_MAP, parts.keyring.set_gpg)
    await _config_map(context, tasks, SSH_CONFIG_MAP, lambda data: parts.keyring.set_signers(data.get(SIGNERS, "")))


async def _watch_secrets(
    context: Context, parts: Parts, credentials: KnownCredentials, tasks: asyncio.TaskGroup
) -> None:
    informer = Informer(context.cluster, SECRETS, decode, namespace=context.namespace, label_selector=REPOSITORIES)

    def take(type_: EventType, key: Key, obj: Obj, _old: Obj | None) -> None:
        credentials.put(key, None if type_ is EventType.DELETED else obj)
        parts.repositories.release()
        for failing in parts.repositories.failing():
            parts.polls.sooner(failing)

    await _start(context, tasks, informer, take)


async def _watch_applications(context: Context, parts: Parts, tasks: asyncio.TaskGroup) -> None:
    """Of the namespaces that count only: nobody else may have a repository fetched."""
    given = context.common.application_namespaces
    applications = Applications(context.cluster, APPLICATIONS, decode_uses, own=context.namespace, given=given)

    def take(type_: EventType, key: Key, uses: frozenset[Use], _old: frozenset[Use] | None) -> None:
        parts.usage.put(key, () if type_ is EventType.DELETED else uses)
        for name in {normalise_url(use.url) for use in uses}:
            parts.polls.watch(name)

    context.health.set_ready(APPLICATIONS.plural, False, "not listed yet")
    tasks.create_task(applications.run(take))
    await applications.synced.wait()
    context.health.set_ready(APPLICATIONS.plural, True)
