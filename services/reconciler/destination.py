"""One destination cluster: which kinds it knows, what lives there, and the writes, each of which updates what is known
at once.

In: kinds to watch, objects to apply and delete. Out: `LiveObjects`, kept current by the watches of `watched.py`.
What could not be listed raises instead of looking empty. Whatever is slow here is slow for this cluster only: the
writes, the syncs and the passes of each destination have limits of their own.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from copy import copy
from typing import Any

from services.reconciler import fence
from services.reconciler.live import Live, LiveObjects, OnChange
from services.reconciler.reach import WHOLE, Reach
from services.reconciler.watched import Watched
from shared.health import Health
from shared.kinds.refs import GVK, GroupKind, ResourceKey
from shared.kinds.tracking import Tracking
from shared.kube import Cluster, Discovery, Forbidden, Invalid, NotFound, Resource, UnknownKind, compact, verbs
from shared.kube.verbs import Validation
from shared.merge import without_undeclared

Obj = dict[str, Any]
Assess = Callable[[Live], Awaitable[Health | None]]
SYNCS_AT_ONCE = 16


class Destination:
    """A cluster that Applications are delivered to. `slots` are the turns of syncs that write, `assess` gives the
    health of one of its objects.
    """

    def __init__(
        self,
        cluster: Cluster,
        tasks: asyncio.TaskGroup,
        *,
        server: str,
        tracking: Callable[[], Tracking],
        on_change: OnChange,
        assess: Assess,
        concurrency: int,
        reach: Reach = WHOLE,
        respect_rbac: Callable[[], bool] = lambda: False,
    ) -> None:
        self.assess = assess
        self.cluster = cluster
        self.server = server
        self.reach = reach
        self.discovery = Discovery(cluster)
        self.live = LiveObjects(tracking, on_change)
        self.watched = Watched(cluster, tasks, reach, self.live)
        self.namespaces: set[str] = set(reach.namespaces)
        self.slots = asyncio.Semaphore(SYNCS_AT_ONCE)
        self._respect_rbac = respect_rbac
        self._writer = cluster
        self._writes = asyncio.Semaphore(concurrency)

    def acting_as(self, user: str) -> "Destination":
        """Give the same destination (what lives there, connections, limits), written to in somebody else's name."""
        view = copy(self)
        view._writer = self.cluster.impersonating(user)  # noqa: SLF001 - another view of ourselves
        return view

    async def stop(self) -> None:
        """End the informers."""
        await self.watched.stop()

    async def resource(self, gvk: GVK | GroupKind) -> Resource:
        """Give the API resource of a kind. Raises UnknownKind, ApiError."""
        version = gvk.version if isinstance(gvk, GVK) else None
        return await self.discovery.resource(gvk.group, gvk.kind, version)

    async def ensure(self, kinds: Iterable[GroupKind]) -> frozenset[GroupKind]:
        """Watch these kinds and wait until each has been listed. Gives those that the cluster does not know.

        Raises ApiError when a list fails or does not end in time.
        """
        kinds = set(kinds)
        missing, unknown = [], set()
        for kind in self.watched.missing(kinds):
            try:
                missing.append((kind, await self.resource(kind)))
            except UnknownKind:
                unknown.add(kind)
        for kind, resource in missing:
            self.watched.begin(kind, resource)
        await self.watched.listed(kinds, respect_rbac=self._respect_rbac())
        return frozenset(unknown)

    async def look_up(self, keys: Iterable[ResourceKey]) -> None:
        """Read objects of kinds that are left out of watching one by one. Raises ApiError, UnknownKind."""
        for key in [key for key in keys if key.group_kind in self.watched.left_out]:
            resource = await self.resource(key.group_kind)
            found = await self.fetch(key, resource.version)
            if found is None:
                self.live.drop(key)
            else:
                self.live.put(self.live.read(key.group_kind, resource.api_version, found, compact(found)))

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[None]:
        """One of the turns to write, unless the Application has come into other hands meanwhile."""
        async with self._writes:
            fence.check()
            yield

    async def apply(
        self, obj: Obj, *, manager: str, dry_run: bool = False, validation: Validation | None = None
    ) -> Obj:
        """Server-side-apply an object; what came back is known at once. Raises ApiError, UnknownKind.

        With `Ignore`, what the kind does not have is left out: an apply is refused for it, other than a create.
        """
        resource = await self.resource(GVK.of(obj))
        try:
            async with self._writing():
                done = await verbs.apply(
                    self._writer, resource, obj, manager=manager, force=True, dry_run=dry_run, validation=validation
                )
        except Invalid as error:
            known = without_undeclared(obj, error.message) if validation == "Ignore" else obj
            if known is obj:
                raise
            return await self.apply(known, manager=manager, dry_run=dry_run, validation=validation)
        except (NotFound, Forbidden):
            self._doubt_namespace(obj["metadata"].get("namespace") or "")
            raise
        return done if dry_run else self._noted(done)

    def _doubt_namespace(self, name: str) -> None:
        """Ask again whether a namespace exists: a write into it was refused, maybe because it is gone or going."""
        if name not in self.reach.namespaces:
            self.namespaces.discard(name)

    async def update(self, obj: Obj, *, manager: str, dry_run: bool, validation: Validation | None = None) -> Obj:
        """Put an object in the place of the one at its resourceVersion. Raises ApiError, UnknownKind."""
        resource = await self.resource(GVK.of(obj))
        async with self._writing():
            done = await verbs.update(
                self._writer, resource, obj, manager=manager, dry_run=dry_run, validation=validation
            )
        return done if dry_run else self._noted(done)

    async def set_managed_fields(self, obj: Obj, fields: list[Obj]) -> Obj:
        """Say anew who owns what of an object, if it is still at this version. Raises ApiError, UnknownKind."""
        resource, metadata = await self.resource(GVK.of(obj)), obj["metadata"]
        patch = [
            {"op": "replace", "path": "/metadata/managedFields", "value": fields},
            {"op": "replace", "path": "/metadata/resourceVersion", "value": metadata["resourceVersion"]},
        ]
        namespace, name = metadata.get("namespace"), metadata["name"]
        async with self._writing():
            return self._noted(
                await verbs.patch(self._writer, resource, namespace, name, patch, content_type=verbs.JSON_PATCH)
            )

    def _noted(self, done: Obj) -> Obj:
        """What a write's answer says is known at once, without waiting for the watch."""
        kind = GroupKind.of(done)
        if kind in self.watched:
            self.watched.note(kind, done["metadata"].get("namespace") or "", compact(done))
        elif kind in self.watched.left_out:
            self.live.put(self.live.read(kind, done["apiVersion"], done, compact(done)))
        return done

    async def patch(self, key: ResourceKey, body: Obj) -> None:
        """Merge-patch an object that is there; one that is gone is no error. Raises ApiError, UnknownKind."""
        resource = await self.resource(key.group_kind)
        async with self._writing():
            try:
                await verbs.patch(self._writer, resource, key.namespace, key.name, body)
            except NotFound:
                self.live.drop(key)

    async def fetch(self, key: ResourceKey, version: str) -> Obj | None:
        """Read one object at a version; None when it does not exist. Raises ApiError, UnknownKind."""
        resource = await self.resource(GVK(key.group, version, key.kind))
        try:
            return await verbs.get(self.cluster, resource, key.namespace, key.name)
        except NotFound:
            return None

    async def has_namespace(self, name: str) -> bool:
        """Tell whether a namespace exists; one that was seen is not asked for again."""
        if name not in self.namespaces and await self.fetch(ResourceKey("", "Namespace", "", name), "v1") is None:
            return False
        self.namespaces.add(name)
        return True

    async def delete(self, key: ResourceKey, *, uid: str, propagation: str) -> None:
        """Delete the object that has this uid; one that is gone already is no error. Raises ApiError, UnknownKind.

        No watch tells the end of one whose kind is left out of watching: it is read again.
        """
        resource = await self.resource(GroupKind(key.group, key.kind))
        async with self._writing():
            try:
                await verbs.delete(self._writer, resource, key.namespace, key.name, propagation=propagation, uid=uid)
            except NotFound:
                self.live.drop(key, uid)
        await self.look_up([key])
