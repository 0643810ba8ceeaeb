"""Objects in an Application's namespace that belong to nobody (`AppProject.spec.orphanedResources`).

In: what projects want, what stands by itself in a namespace. Out: the orphans. An object is nobody's when no controller
owns it and no Application that exists tracks or wants it. No I/O: watching is `orphan_watch.py`.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from services.reconciler.destination import Destination
from services.reconciler.keys import AppKey
from shared.kinds.appproject import AppProject, OrphanedIgnore
from shared.kinds.globs import matches
from shared.kinds.project import permitted_resource
from shared.kinds.refs import GroupKind, ResourceKey

Tracked = dict[str, set[ResourceKey]]


class TopLevel:
    """What stands by itself in the namespaces of one cluster, by the instance name that its tracking gives, if any."""

    def __init__(self, on_change: Callable[[str], None]) -> None:
        self._on_change = on_change
        self._tracked: dict[str, Tracked] = defaultdict(dict)
        self._instances: dict[ResourceKey, str] = {}

    def put(self, key: ResourceKey, instance: str) -> None:
        """Take an object that nobody owns."""
        before = self._instances.get(key)
        if before == instance:
            return
        if before is not None:
            self._tracked[key.namespace][before].discard(key)
        self._instances[key] = instance
        self._tracked[key.namespace].setdefault(instance, set()).add(key)
        self._on_change(key.namespace)

    def drop(self, key: ResourceKey) -> None:
        """Take the news that an object is gone, or somebody's."""
        before = self._instances.pop(key, None)
        if before is not None:
            self._tracked[key.namespace][before].discard(key)
            self._on_change(key.namespace)

    def nobodys(self, namespace: str, exists: Callable[[str], bool]) -> Iterator[ResourceKey]:
        """Give the objects of a namespace that no Application tracks which exists."""
        for instance, keys in self._tracked.get(namespace, {}).items():
            if not instance or not exists(instance):
                yield from keys


@dataclass(slots=True)
class Watch:
    """One cluster: the Applications that ask, with their namespaces, and what stands there."""

    destination: Destination
    found: TopLevel
    asking: dict[AppKey, str] = field(default_factory=dict)
    kinds: set[GroupKind] = field(default_factory=set)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def stop(self) -> None:
        """End all watches."""
        for task in self.tasks:
            task.cancel()


def asks(project: AppProject) -> bool:
    """Tell whether a project wants to be warned of orphans."""
    wanted = project.spec.orphaned_resources
    return wanted is not None and wanted.warn is not False


def orphans(project: AppProject, found: Iterable[ResourceKey]) -> list[ResourceKey]:
    """Give those that the project does not want left alone, and that its Applications might hold."""
    wanted = project.spec.orphaned_resources
    ignored = wanted.ignore if wanted else ()
    return [
        key
        for key in found
        if not always_there(key)
        and not any(_means(rule, key) for rule in ignored)
        and permitted_resource(project, key.group_kind, name=key.name, namespaced=True)
    ]


def always_there(key: ResourceKey) -> bool:
    """Tell what Kubernetes itself puts into namespaces."""
    return (key.group, key.kind, key.name) in {
        ("", "ServiceAccount", "default"),
        ("", "ConfigMap", "kube-root-ca.crt"),
    } or key == ResourceKey("", "Service", "default", "kubernetes")


def _means(rule: OrphanedIgnore, key: ResourceKey) -> bool:
    return (
        (not rule.kind or matches(rule.kind, key.kind))
        and matches(rule.group, key.group)
        and (not rule.name or matches(rule.name, key.name))
    )
