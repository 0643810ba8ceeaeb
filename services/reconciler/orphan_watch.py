"""Watching for orphans, only in clusters where an Application's project asks for it: metadata of every namespaced kind.

In: an Application at the end of a look at it. Out: its OrphanedResourceWarning. The watches of a cluster end with the
last Application that asks. A kind that can't be listed has no orphans that we know of: that is a warning less, never an
object less.
"""

from collections.abc import Callable

import msgspec

from services.reconciler.desired import Condition
from services.reconciler.destination import Destination
from services.reconciler.keys import AppKey
from services.reconciler.orphans import TopLevel, Watch, asks, orphans
from services.reconciler.parts import Parts
from services.reconciler.state import AppState
from shared.kinds.refs import GroupKind, ResourceKey
from shared.kinds.tracking import owner_of
from shared.kube import EventType, Informer, Resource

COALESCED = 0.5


class Metadata(msgspec.Struct):
    """What is looked at of an object."""

    name: str = ""
    namespace: str = ""
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    owners: list[msgspec.Raw] | None = msgspec.field(default=None, name="ownerReferences")


class Partial(msgspec.Struct):
    metadata: Metadata


async def orphan_warning(parts: Parts, state: AppState, destination: Destination) -> tuple[Condition, ...]:
    """Give the warning of an Application, if its project asks for one."""
    known = parts.projects.get(state.project)
    namespace = (state.obj["spec"].get("destination") or {}).get("namespace") or ""
    if known is None or not asks(known.project) or not namespace:
        release(parts, state.key)
        return ()
    watch = await watch_of(parts, destination)
    watch.asking[state.key] = namespace
    nobodys = watch.found.nobodys(namespace, lambda instance: instance in parts.instances)
    unwanted = (key for key in nobodys if not parts.wanted.get((destination.server, key)))
    count = len(orphans(known.project, unwanted))
    return (Condition("OrphanedResourceWarning", f"Application has {count} orphaned resources"),) if count else ()


async def watch_of(parts: Parts, destination: Destination) -> Watch:
    """Give the watch of a cluster, begun if need be, also for kinds that were defined since."""
    watch = parts.orphan_watches.get(destination.server)
    if watch is None or watch.destination is not destination:
        if watch is not None:
            watch.stop()
        watch = Watch(destination, TopLevel(waker(parts, destination.server)))
        parts.orphan_watches[destination.server] = watch
    for resource in await destination.discovery.resources():
        kind = GroupKind(resource.group, resource.kind)
        if kind not in watch.kinds:
            watch.kinds.add(kind)
            begin(parts, watch, resource)
    return watch


def begin(parts: Parts, watch: Watch, resource: Resource) -> None:
    """Watch one kind, wherever we may, if Applications may hold it at all."""
    excluded = parts.argo.excludes(GroupKind(resource.group, resource.kind), watch.destination.server)
    if resource.namespaced and resource.watchable and not excluded:
        places = watch.destination.reach.places(resource)
        watch.tasks += [parts.spawn(follow(parts, watch, resource, place)) for place in places]


def waker(parts: Parts, server: str) -> Callable[[str], None]:
    """Give the function that has the Applications of a namespace look again."""

    def changed(namespace: str) -> None:
        watch = parts.orphan_watches.get(server)
        for app, place in watch.asking.items() if watch else ():
            if place == namespace:
                parts.queue.add_after(app, COALESCED)

    return changed


async def follow(parts: Parts, watch: Watch, resource: Resource, place: str | None) -> None:
    """Keep what stands by itself of one kind current."""
    decoder = msgspec.json.Decoder(Partial)

    def take(type_: EventType, key: tuple[str, str], one: Metadata, _old: Metadata | None) -> None:
        about = ResourceKey(resource.group, resource.kind, *key)
        if type_ is EventType.DELETED or one.owners:
            watch.found.drop(about)
        else:
            found = {"labels": one.labels or {}, "annotations": one.annotations or {}}
            watch.found.put(about, owner_of(about, found, parts.argo.tracking) or "")

    informer = Informer(
        watch.destination.cluster,
        resource,
        lambda raw: decoder.decode(raw).metadata,
        namespace=place,
        metadata_only=True,
    )
    await informer.run(take)


def release(parts: Parts, app: AppKey) -> None:
    """Forget that an Application asks; the last one ends the watches of its cluster."""
    for server, watch in list(parts.orphan_watches.items()):
        if watch.asking.pop(app, None) is not None and not watch.asking:
            watch.stop()
            del parts.orphan_watches[server]
